/* Gauss-Seidel and SOR by blocks. */
#include "mdp/mdp_relax.h"

#include <math.h>
#include <string.h>

#include "mdp/mdp_blocks.h"

enum { MOST_BLOCKS = 64 };

typedef struct relax_job {
  const coh_mdp_relaxation *how;
  double *values;
  const double *old;
  int64_t first, length; /* states whose newest values are read */
} relax_job;

/* T of one state; newest values within the block, older ones elsewhere */
static double apply(const relax_job *job, int64_t s) {
  const coh_mdp *mdp = job->how->mdp;
  double sign = job->how->minimize ? -1.0 : 1.0, best = -INFINITY;
  int64_t from = mdp->first_row[s], to = mdp->first_row[s + 1];
  if (job->how->choice) {
    from += job->how->choice[s];
    to = from + 1;
  }
  for (int64_t r = from; r < to; r++) {
    double sum = 0.0;
    for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++) {
      int64_t next = mdp->next[e];
      bool inside = (uint64_t)(next - job->first) < (uint64_t)job->length;
      sum += mdp->probability[e] * (inside ? job->values : job->old)[next];
    }
    double q = sign * (mdp->reward[r] + mdp->discount * sum);
    if (q > best) best = q;
  }
  return sign * best;
}

static double relax_stretch(const relax_job *job, int64_t first, int64_t end) {
  double largest = 0.0, omega = job->how->order == COH_MDP_SOR ? job->how->omega : 1.0;
  for (int64_t k = first; k < end; k++) {
    int64_t s = job->how->backward ? first + end - 1 - k : k;
    double before = job->values[s], change = apply(job, s) - before;
    job->values[s] = before + omega * change;
    if (!(fabs(change) <= largest)) largest = fabs(change); // a NaN stays
  }
  return largest;
}

void coh_mdp_relax(const coh_mdp_relaxation *how, double *values, double *old, double *change) {
  int64_t n = how->mdp->n_states;
  int64_t size = (n + MOST_BLOCKS - 1) / MOST_BLOCKS;
  if (size < COH_MDP_BLOCK) size = COH_MDP_BLOCK;
  int64_t n_blocks = (n + size - 1) / size;
  bool is_jacobi = how->order == COH_MDP_JACOBI;
  double largest = 0.0;
  if (n_blocks > 1 || is_jacobi) memcpy(old, values, (size_t)n * sizeof *old);
#pragma omp parallel for schedule(static)                                    \
    num_threads(how->n_threads) if (n_blocks > 1) default(none)              \
        shared(how, values, old, n, size, n_blocks, is_jacobi) reduction(max \
                                                                         : largest)
  for (int64_t block = 0; block < n_blocks; block++) {
    int64_t first = block * size, end = first + size < n ? first + size : n;
    relax_job job = {how, values, old, first, is_jacobi ? 0 : end - first};
    double here = relax_stretch(&job, first, end);
    if (!(here <= largest)) largest = here;
  }
  *change = largest;
}

int64_t coh_mdp_relax_entries(const coh_mdp_relaxation *how) {
  const coh_mdp *mdp = how->mdp;
  if (!how->choice) return mdp->n_entries;
  int64_t n = 0;
  for (int64_t s = 0; s < mdp->n_states; s++) {
    int64_t r = mdp->first_row[s] + how->choice[s];
    n += mdp->first_entry[r + 1] - mdp->first_entry[r];
  }
  return n;
}
