/* The sum tree of priority masses. Wide nodes keep it shallow: 100,000 leaves are six cache
 * lines deep; and small: the sums take a third of a byte a leaf. Source of proportional
 * priorities: Schaul et al., ICLR 2016, section 3.3. */
#include "replay/tree.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

enum { LEAVES = 32, FAN = 8 };

/* Entries of each level, padded to whole nodes; returns the number of levels. */
static int level_sizes(int64_t n_leaves, int64_t n_entries[COH_MASS_LEVELS]) {
  int n_levels = 0;
  int64_t n = (n_leaves + LEAVES - 1) / LEAVES;
  for (;;) {
    n_entries[n_levels++] = (n + FAN - 1) / FAN * FAN;
    if (n <= FAN || n_levels == COH_MASS_LEVELS) return n_levels;
    n = (n + FAN - 1) / FAN;
  }
}

static int64_t padded_leaves(int64_t n_leaves) {
  return (n_leaves + LEAVES - 1) / LEAVES * LEAVES;
}

size_t coh_mass_tree_bytes(int64_t n_leaves) {
  int64_t n_entries[COH_MASS_LEVELS], n_sums = 0;
  int n_levels = level_sizes(n_leaves, n_entries);
  for (int level = 0; level < n_levels; level++)
    n_sums += n_entries[level];
  return (size_t)padded_leaves(n_leaves) * sizeof(uint32_t) + (size_t)n_sums * sizeof(uint64_t);
}

double coh_mass_leaf_bytes(const coh_mass_tree *tree) {
  return (double)coh_mass_tree_bytes(tree->n_leaves) / (double)tree->n_leaves;
}

coh_status coh_mass_tree_init(coh_mass_tree *tree, int64_t n_leaves) {
  *tree = (coh_mass_tree){.n_leaves = n_leaves};
  int64_t n_entries[COH_MASS_LEVELS], n_sums = 0;
  tree->n_levels = level_sizes(n_leaves, n_entries);
  for (int level = 0; level < tree->n_levels; level++)
    n_sums += n_entries[level];
  COH_NEW(tree->leaf, padded_leaves(n_leaves));
  COH_NEW(tree->sums, n_sums);
  uint64_t *sums = tree->sums;
  for (int level = 0; level < tree->n_levels; sums += n_entries[level++])
    tree->sum[level] = sums;
  return COH_OK;
}

void coh_mass_tree_fini(coh_mass_tree *tree) {
  coh_free(tree->leaf);
  coh_free(tree->sums);
  *tree = (coh_mass_tree){0};
}

void coh_mass_tree_set(coh_mass_tree *tree, int64_t index, uint32_t mass) {
  // differences wrap, and the sums come out right modulo 2^64
  uint64_t change = (uint64_t)mass - tree->leaf[index];
  if (change == 0) return;
  tree->leaf[index] = mass;
  tree->total += change;
  int64_t entry = index / LEAVES;
  for (int level = 0; level < tree->n_levels; level++, entry /= FAN)
    tree->sum[level][entry] += change;
}

int64_t coh_mass_tree_find(const coh_mass_tree *tree, uint64_t target) {
  int64_t node = 0;
  for (int level = tree->n_levels - 1; level >= 0; level--) {
    const uint64_t *sum = tree->sum[level] + node * FAN;
    int64_t child = 0;
    while (child < FAN - 1 && target >= sum[child])
      target -= sum[child++];
    node = node * FAN + child;
  }
  const uint32_t *leaf = tree->leaf + node * LEAVES;
  int64_t child = 0;
  while (child < LEAVES - 1 && target >= leaf[child])
    target -= leaf[child++];
  return node * LEAVES + child;
}

uint32_t coh_mass_of_error(double error, double epsilon, double alpha) {
  double mass = rint(pow(fabs(error) + epsilon, alpha) * (double)COH_MASS_ONE);
  if (!(mass >= 1.0)) return 1;
  return mass < (double)UINT32_MAX ? (uint32_t)mass : UINT32_MAX;
}
