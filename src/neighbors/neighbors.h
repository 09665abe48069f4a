/* Nearest neighbours in Euclidean distance among rows of floats.
 *
 * Exact: all distances, as blocks of |x - y|^2 = |x|^2 - 2 x.y + |y|^2 by one matrix product a
 * block, the best of each row kept in a buffer; the winners' distances are then taken directly,
 * so that nothing is lost to cancellation. Approximate: rows are parted into cells by k-means,
 * and a cell is searched with the cells whose centres are nearest, as many as a measured recall
 * needs; everything stays a matrix product.
 *
 * Results depend on the data alone: not on threads, nor on who asks for which blocks. Rows are
 * in order of distance, equal distances in order of their number. Borrowed arrays. Not
 * collective. */
#ifndef COHORT_NEIGHBORS_NEIGHBORS_H
#define COHORT_NEIGHBORS_NEIGHBORS_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"

/* Queries are worked on in blocks of so many rows. */
enum { COH_NEIGHBOR_BLOCK = 128 };

/* What is looked for. */
typedef struct coh_neighbor_search {
  int64_t n_references, n_queries, n_values; /* rows, rows, and values of a row */
  const float *references, *queries;         /* (n, n_values); finite */
  int64_t k;                                 /* neighbours of a query */
  int64_t self; /* query i is reference self + i, which is left out; -1: queries are others */
  int n_threads;
} coh_neighbor_search;

/* The k nearest references of every query. index: out, (n_queries, k); distance: out, squared,
 * (n_queries, k), or NULL. The bits of a query's result depend on its place modulo
 * COH_NEIGHBOR_BLOCK: who parts the queries does it at whole blocks.
 * Fails: COH_E_CONFIG (k of more rows than there are), COH_E_MEMORY. */
coh_status coh_neighbors_exact(const coh_neighbor_search *search, int32_t *index,
                               float *distance);

/* Cells of a set of rows, for approximate neighbours within the set. */
typedef struct coh_neighbor_cells coh_neighbor_cells;

/* Part n rows into cells, and find out how many neighbouring cells a search must read so that,
 * over a sample of rows compared with the exact answer, the mean share of true neighbours found
 * reaches `recall` (0 to 1). rows: (n, n_values), borrowed during creation only. seed: draws
 * samples. Caller destroys *cells. Fails: as coh_neighbors_exact. */
coh_status coh_neighbor_cells_create(int64_t n, int64_t n_values, const float *rows, int64_t k,
                                     double recall, uint64_t seed, int n_threads,
                                     coh_neighbor_cells **cells);
void coh_neighbor_cells_destroy(coh_neighbor_cells **cells);

/* The number of cells, and of cells that a search reads; the recall measured on the sample; and
 * the rows in the order of the cells (n, borrowed), cell c at [start[c], start[c + 1]). */
int64_t coh_neighbor_cells_count(const coh_neighbor_cells *cells);
int64_t coh_neighbor_cells_read(const coh_neighbor_cells *cells);
double coh_neighbor_cells_recall(const coh_neighbor_cells *cells);
const int32_t *coh_neighbor_cells_rows(const coh_neighbor_cells *cells);
const int64_t *coh_neighbor_cells_start(const coh_neighbor_cells *cells);

/* The k nearest others of the rows in cells [first, first + n_cells), in the order of the
 * cells. index: out, (rows of those cells, k), row numbers of the set; distance: the same,
 * squared. Fails: COH_E_MEMORY. */
coh_status coh_neighbor_cells_search(const coh_neighbor_cells *cells, int64_t first,
                                     int64_t n_cells, int n_threads, int32_t *index,
                                     float *distance);

#endif
