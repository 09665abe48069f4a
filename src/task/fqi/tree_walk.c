/* Walking trees: sixteen rows at once, without branches, so that their loads overlap. */
#include <string.h>

#include "task/fqi/tree.h"

enum { TOGETHER = 16, STEPS_A_LOOK = 4 };

static inline __attribute__((always_inline)) void
walk(const coh_tree *tree, int64_t n, int64_t d, const float *x, double *sums) {
  const coh_tree_node *node = tree->node;
  uint32_t at[TOGETHER] = {0}, moved = 1;
  while (moved) {
    moved = 0;
    for (int step = 0; step < STEPS_A_LOOK; step++)
      for (int64_t k = 0; k < n; k++) {
        coh_tree_node here = node[at[k]];
        uint32_t next = here.left + (uint32_t)(x[k * d + here.feature] >= here.threshold);
        moved |= next ^ at[k];
        at[k] = next;
      }
  }
  for (int64_t k = 0; k < n; k++)
    sums[k] += tree->value[at[k]];
}

void coh_tree_add(const coh_tree *tree, int64_t n, int64_t n_features, const float *features,
                  double *sums) {
  int64_t i = 0;
  for (; i + TOGETHER <= n; i += TOGETHER)
    walk(tree, TOGETHER, n_features, features + i * n_features, sums + i);
  if (i < n) walk(tree, n - i, n_features, features + i * n_features, sums + i);
}
