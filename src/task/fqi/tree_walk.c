/* Walking trees: sixteen rows at once, without branches, so that their loads overlap. */
#include <string.h>

#include "task/fqi/tree_grow.h"

enum { TOGETHER = 16, STEPS_A_LOOK = 4, FEW = 4 };

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

// walk the few rows of a node to their leaves, one by one
static void walk_few(const coh_tree_grower *g, const coh_tree *tree, const coh_tree_task *at,
                     double *sums) {
  const coh_tree_node *node = tree->node;
  const uint32_t *id = coh_tree_row_numbers(&g->query);
  for (int64_t i = at->query_begin; i < at->query_end; i++) {
    uint32_t here = at->node;
    while (node[here].left != here) {
      float x = coh_tree_column(&g->query, node[here].feature)[i];
      here = node[here].left + (uint32_t)(x >= node[here].threshold);
    }
    sums[id[i]] += tree->value[here];
  }
}

static int64_t part(const coh_tree_grower *g, const coh_tree_task *at, coh_tree_node node) {
  int64_t d = g->n_features, n = at->query_end - at->query_begin;
  if (d == 3)
    return coh_tree_part(&g->query, &g->spare, 4, at->query_begin, n, node.feature,
                         node.threshold);
  return coh_tree_part(&g->query, &g->spare, d + 1, at->query_begin, n, node.feature,
                       node.threshold);
}

coh_status coh_tree_add_many(coh_tree_grower *g, const coh_tree *tree,
                             const coh_tree_queries *queries) {
  coh_tree_load_queries(g, queries);
  int64_t depth = 0;
  COH_TRY(coh_tree_push(g, &depth, (coh_tree_task){.query_end = queries->n_rows}));
  while (depth > 0) {
    coh_tree_task at = g->stack[--depth];
    coh_tree_node node = tree->node[at.node];
    if (at.query_end - at.query_begin <= FEW || node.left == at.node) {
      walk_few(g, tree, &at, queries->sums);
      continue;
    }
    int64_t middle = at.query_begin + part(g, &at, node);
    COH_TRY(coh_tree_push(g, &depth,
                          (coh_tree_task){.node = node.left + 1,
                                          .query_begin = middle,
                                          .query_end = at.query_end}));
    COH_TRY(coh_tree_push(g, &depth,
                          (coh_tree_task){.node = node.left,
                                          .query_begin = at.query_begin,
                                          .query_end = middle}));
  }
  return COH_OK;
}
