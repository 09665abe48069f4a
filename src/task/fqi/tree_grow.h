/* The inside of growing: rows that move.
 *
 * A grower holds a copy of the sample in which the rows of a node lie side by side: features,
 * then the target in single precision as the last float, padded to vectors of four. Finding
 * ranges, weighing cuts and parting a node all stream through that memory, four features an
 * instruction. Row numbers move along, so leaves average the targets in double precision. */
#ifndef COHORT_TASK_FQI_TREE_GROW_H
#define COHORT_TASK_FQI_TREE_GROW_H

#include "task/fqi/regression_tree.h"

typedef float coh_v4 __attribute__((vector_size(16)));
typedef int32_t coh_m4 __attribute__((vector_size(16)));
typedef double coh_d4 __attribute__((vector_size(32)));

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

/* Rows that move. */
typedef struct coh_tree_rows {
  coh_v4 *row;
  uint32_t *id; /* which row it was */
} coh_tree_rows;

struct coh_tree_grower {
  int64_t n_rows, n_queries, n_features, width; /* width: vectors of a row */
  coh_tree_rows sample, query, spare;
  coh_v4 *low, *high, *cut;  /* width: of the node at hand */
  coh_m4 *count;             /* width */
  coh_d4 *sum;               /* width */
  uint32_t *order;           /* n_features: candidates */
  uint64_t *key, *spare_key; /* n_rows, for COH_SPLIT_BEST; made when first needed */
  coh_tree_task *stack;
  int64_t stack_capacity;
};

/* Part rows begin .. end: those below the cut first, each side in its order; returns where the
 * others begin. */
int64_t coh_tree_part(const coh_tree_grower *g, const coh_tree_rows *rows, int64_t begin,
                      int64_t end, int64_t feature, float threshold);

/* Copy the rows of queries into the grower. */
void coh_tree_load_queries(coh_tree_grower *g, const coh_tree_queries *queries);

/* Put a node off. */
coh_status coh_tree_push(coh_tree_grower *g, int64_t *depth, coh_tree_task task);

/* The best cut of all: tree_best.c. n rows from `begin`. Fails: COH_E_MEMORY. */
coh_status coh_tree_best_cut(coh_tree_grower *g, int64_t begin, int64_t n, coh_tree_cut *best);

#endif
