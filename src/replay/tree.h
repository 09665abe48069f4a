/* A sum tree over integer priority masses: exact, so sums never drift and order never matters.
 *
 *   level 1    [ 8 sums ]                 a sum covers 8 sums of the level below
 *   level 0    [ 8 sums ] ... [ 8 sums ]  a sum covers 32 leaves
 *   leaves     [32] [32] [32] ...         uint32, two cache lines a group */
#ifndef COHORT_REPLAY_TREE_H
#define COHORT_REPLAY_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"

enum { COH_MASS_LEVELS = 12 };

/* The mass of priority 1. Masses fit 32 bits, so 2^31 leaves sum without overflow. */
#define COH_MASS_ONE (UINT32_C(1) << 20)

typedef struct coh_mass_tree {
  int64_t n_leaves;
  int n_levels;
  uint32_t *leaf;
  uint64_t *sum[COH_MASS_LEVELS];
  uint64_t *sums; /* the block that sum[] points into */
  uint64_t total;
} coh_mass_tree;

/* Bytes that a tree over n_leaves takes. Not collective. */
size_t coh_mass_tree_bytes(int64_t n_leaves);

/* Bytes a leaf, its share of the sums included. */
double coh_mass_leaf_bytes(const coh_mass_tree *tree);

/* Make a tree of zeros. Fails: COH_E_MEMORY. fini accepts a zeroed struct. */
coh_status coh_mass_tree_init(coh_mass_tree *tree, int64_t n_leaves);
void coh_mass_tree_fini(coh_mass_tree *tree);

/* Set one leaf. index: 0 .. n_leaves - 1. */
void coh_mass_tree_set(coh_mass_tree *tree, int64_t index, uint32_t mass);

/* The leaf i with sum(leaf[0 .. i)) <= target < sum(leaf[0 .. i]); target < total. */
int64_t coh_mass_tree_find(const coh_mass_tree *tree, uint64_t target);

/* The mass of priority (|error| + epsilon)^alpha, at least 1; error is finite. */
uint32_t coh_mass_of_error(double error, double epsilon, double alpha);

#endif
