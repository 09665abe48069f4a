/* Regression trees: grown on rows of features, walked in batches.
 *
 * A tree is an array of nodes, root first. Children lie side by side: right = left + 1. A leaf
 * is its own left child behind a threshold of infinity, so a walk of any length past the end
 * stays there and many rows walk without branches.
 *
 * Sources: Geurts, Ernst, Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006;
 * Breiman et al., "Classification and Regression Trees", 1984. */
#ifndef COHORT_TASK_FQI_REGRESSION_TREE_H
#define COHORT_TASK_FQI_REGRESSION_TREE_H

#include <stdint.h>

#include "cohort/random.h"
#include "cohort/status.h"

typedef struct coh_tree_node {
  float threshold; /* x < threshold goes left */
  uint32_t next;   /* left << feature_bits | feature */
} coh_tree_node;

typedef struct coh_tree {
  coh_tree_node *node;
  double *value; /* of leaves: the mean of their rows' targets */
  int64_t n_nodes, capacity, n_leaves;
  int feature_bits;
} coh_tree;

static inline uint32_t coh_tree_feature(const coh_tree *tree, uint32_t node) {
  return tree->node[node].next & ((1u << tree->feature_bits) - 1);
}

static inline uint32_t coh_tree_left(const coh_tree *tree, uint32_t node) {
  return tree->node[node].next >> tree->feature_bits;
}

typedef enum coh_tree_split {
  COH_SPLIT_EXTRA,  /* the best of K random cuts (Extra-Trees) */
  COH_SPLIT_RANDOM, /* one random cut; targets are not looked at (totally randomised) */
  COH_SPLIT_BEST,   /* the best of all cuts (CART) */
} coh_tree_split;

typedef struct coh_tree_options {
  coh_tree_split split;
  int64_t n_candidates; /* K; 0: all features */
  int64_t n_min;        /* a node of fewer rows is a leaf */
} coh_tree_options;

/* What trees are grown on. Row i of the tree is row `rows[i]` of features and targets. Features
 * lie in columns: feature k of row i is features[k * n_stride + i]. */
typedef struct coh_tree_sample {
  int64_t n_rows, n_features, n_stride; /* n_stride: rows that there are */
  const float *features;                /* (n_features, n_stride) */
  const double *targets;                /* (n_stride) */
  const uint32_t *rows;                 /* (n_rows), or NULL: 0, 1, ... */
} coh_tree_sample;

/* Memory to grow trees in, one a thread. */
typedef struct coh_tree_grower coh_tree_grower;

/* Memory for samples of up to n_rows rows. Caller destroys.
 * Fails: COH_E_MEMORY, COH_E_CONFIG (more nodes than numbers for them). */
coh_status coh_tree_grower_create(int64_t n_rows, int64_t n_features, coh_tree_grower **out);
void coh_tree_grower_destroy(coh_tree_grower **grower);

/* Grow a tree. stream: its randomness. sums: in/out (as targets), or NULL: the tree's value of
 * each row of the sample is added. tree: in/out, memory is used again.
 * Fails: COH_E_MEMORY (allocates only while the tree has never been so large). */
coh_status coh_tree_grow(coh_tree_grower *grower, const coh_tree_options *options,
                         const coh_tree_sample *sample, coh_stream *stream, double *sums,
                         coh_tree *tree);

/* Add the tree's values at n rows of features, n_features apart, to sums. */
void coh_tree_add(const coh_tree *tree, int64_t n, int64_t n_features, const float *features,
                  double *sums);

/* Rows that many trees are asked for, near ones side by side so that they share their way. */
typedef struct coh_tree_rows {
  int64_t n_rows, n_features, stride;
  float *columns;    /* (n_features, stride), padded to whole groups */
  uint32_t *row;     /* (stride): the caller's row that stands at a place */
  float *low, *high; /* (groups, n_features): bounds of a group's rows */
} coh_tree_rows;

/* Arrange rows of features, which lie in columns: feature k of row i is features[k n_rows + i].
 * Caller clears. Fails: COH_E_MEMORY. */
coh_status coh_tree_rows_create(int64_t n_rows, int64_t n_features, const float *features,
                                coh_tree_rows *rows);
void coh_tree_rows_clear(coh_tree_rows *rows);

/* Add the tree's values to sums (rows->stride): by place, that of row[k] to sums[k]. */
void coh_tree_rows_add(const coh_tree *tree, const coh_tree_rows *rows, double *sums);

void coh_tree_clear(coh_tree *tree);

#endif
