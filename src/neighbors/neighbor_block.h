/* A block of queries against ranges of references: what exact and approximate search share.
 * Internal to neighbors. */
#ifndef COHORT_NEIGHBORS_NEIGHBOR_BLOCK_H
#define COHORT_NEIGHBORS_NEIGHBOR_BLOCK_H

#include "neighbors/neighbors.h"

/* References prepared for products: centred rows with -|y|^2 / 2 behind them. */
typedef struct coh_neighbor_table {
  int64_t n, n_values, stride; /* stride = n_values + 1 */
  float *rows;                 /* (n, stride) */
  float *panels;               /* the same as tiles want them: neighbor_tile.h */
  float *center;               /* (n_values): what was subtracted */
} coh_neighbor_table;

/* Prepare rows[order[i]] (order NULL: as they lie). Caller clears. Fails: COH_E_MEMORY. */
coh_status coh_neighbor_table_init(int64_t n, int64_t n_values, const float *rows,
                                   const int32_t *order, int n_threads,
                                   coh_neighbor_table *table);
void coh_neighbor_table_fini(coh_neighbor_table *table);

/* One thread's scratch for blocks of up to COH_NEIGHBOR_BLOCK queries. */
typedef struct coh_neighbor_scratch coh_neighbor_scratch;
coh_status coh_neighbor_scratch_create(const coh_neighbor_table *table, int64_t k,
                                       coh_neighbor_scratch **scratch);
void coh_neighbor_scratch_destroy(coh_neighbor_scratch **scratch);

/* A range of references [first, first + n). */
typedef struct coh_neighbor_range {
  int64_t first, n;
} coh_neighbor_range;

/* Find the k best references of n_queries <= COH_NEIGHBOR_BLOCK rows within the ranges, which
 * do not overlap and hold at least k rows (k + 1 with `self`).
 * queries: centred as the table, (n_queries, n_values), rows `ldq` floats apart. self: the
 * table's row of each query, or NULL. index: out, rows of the table (n_queries, k); distance:
 * out, squared. Ties go to the lower name[row] (name NULL: to the lower row). */
void coh_neighbor_block_run(const coh_neighbor_table *table, coh_neighbor_scratch *scratch,
                            int64_t n_queries, const float *queries, int64_t ldq,
                            const int32_t *self, const int32_t *name,
                            const coh_neighbor_range *ranges, int64_t n_ranges, int32_t *index,
                            float *distance);

#endif
