/* The inside of growing: rows that move.
 *
 * A grower holds a copy of the sample in which the rows of a node lie side by side, a column
 * for each feature, one for the target in single precision and one for row numbers. Finding
 * ranges, weighing cuts and parting a node stream through columns. Leaves average the targets
 * in double precision. */
#ifndef COHORT_TASK_FQI_TREE_GROW_H
#define COHORT_TASK_FQI_TREE_GROW_H

#include "task/fqi/regression_tree.h"
#include "task/fqi/tree_columns.h"

typedef struct coh_tree_task {
  uint32_t node;
  int64_t begin, end;             /* rows of the sample */
  int64_t query_begin, query_end; /* rows of the queries */
} coh_tree_task;

/* A cut and how much it explains. */
typedef struct coh_tree_cut {
  int64_t feature; /* -1: none */
  float threshold;
  double score; /* sum over sides of (sum of targets)^2 / rows */
} coh_tree_cut;

enum { COH_TREE_DRAWS = 256 };

struct coh_tree_grower {
  int64_t n_rows, n_queries, n_features;
  coh_tree_columns sample;       /* features, target, row number */
  coh_tree_columns query, spare; /* features, row number */
  float *low, *high;             /* n_features: of the node at hand */
  uint32_t *order;               /* n_features: candidates */
  uint64_t *key, *spare_key;     /* n_rows, for COH_SPLIT_BEST; made when first needed */
  coh_tree_task *stack, *leaf;   /* leaf: n_rows, those of the tree at hand */
  int64_t stack_capacity;
  uint32_t draw[COH_TREE_DRAWS]; /* of the tree's stream, drawn ahead */
  int n_drawn;                   /* of them used */
};

/* Copy the rows of queries into the grower. */
void coh_tree_load_queries(coh_tree_grower *g, const coh_tree_queries *queries);

/* Put a node off. */
coh_status coh_tree_push(coh_tree_grower *g, int64_t *depth, coh_tree_task task);

/* The best cut of all: tree_best.c. n rows from `begin`. Fails: COH_E_MEMORY. */
coh_status coh_tree_best_cut(coh_tree_grower *g, int64_t begin, int64_t n, coh_tree_cut *best);

#endif
