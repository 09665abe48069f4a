/* Affinities: how similar rows are, as probabilities of pairs. */
#ifndef COHORT_TASK_TSNE_TSNE_AFFINITY_H
#define COHORT_TASK_TSNE_TSNE_AFFINITY_H

#include <stdint.h>

#include "cohort/status.h"

/* Symmetric affinities of a block of rows, sparse; or dense, where begin is NULL. */
typedef struct coh_affinities {
  int64_t n, first, n_own; /* points; this rank's rows */
  int64_t *begin;          /* (n_own + 1) */
  uint32_t *column;        /* of each edge, ascending in a row */
  float *value;            /* dense: (n_own, n) */
} coh_affinities;

void coh_affinities_fini(coh_affinities *p);

/* Conditional probabilities p(j|i) ~ exp(-b_i d_ij^2) of one row over its k neighbours, with
 * b_i so that the perplexity (e to the entropy) is the one asked for; several perplexities are
 * averaged. distance: k squared distances; p: out, k, sum 1; scratch: 2 k floats. A row whose
 * neighbours are all equally far gets equal shares. */
void coh_affinity_row(int64_t k, const float *distance, int64_t n_perplexities,
                      const double *perplexity, float *p, float *scratch);

/* p_ij = (p(j|i) + p(i|j)) / 2n for rows [first, first + n_own) of points, from the conditional
 * probabilities of all. index: (n, k) and conditional: (n, k) in the dataset's order; place:
 * point of each row of the dataset; order: the reverse. Fails: COH_E_MEMORY. */
typedef struct coh_affinity_table {
  int64_t n, k;
  const int32_t *index, *place, *order;
  const float *conditional;
} coh_affinity_table;
coh_status coh_affinities_join(const coh_affinity_table *table, int64_t first, int64_t n_own,
                               int n_threads, coh_affinities *p);

#endif
