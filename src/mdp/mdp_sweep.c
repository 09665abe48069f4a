/* Bellman sweeps: the maximum over actions is taken on the way, Q is never stored. */
#include <math.h>

#include "cohort/mdp.h"
#include "mdp/mdp_blocks.h"
#include "mdp/mdp_kernel.h"
#include "mdp/mdp_sweep.h"

void coh_mdp_sweep_stretch(const coh_mdp_sweep_job *job, int64_t first, int64_t end,
                           double *low, double *high) {
  const coh_mdp *mdp = job->mdp;
  const int64_t *first_entry = mdp->first_entry;
  const double *values = job->values;
  double sign = job->minimize ? -1.0 : 1.0, discount = mdp->discount;
  double least = *low, greatest = *high;
  int64_t row = mdp->first_row[first], e = first_entry[row];
  for (int64_t s = first; s < end; s++) {
    double best = -INFINITY;
    int32_t taken = 0, n = (int32_t)(mdp->first_row[s + 1] - row);
    for (int32_t k = 0; k < n; k++, row++) {
      int64_t stop = first_entry[row + 1];
      double q =
          mdp->reward[row] +
          discount * coh_mdp_row_sum(mdp->next + e, mdp->probability + e, stop - e, values);
      e = stop;
      // without a branch: which action is best is not to be foretold
      int32_t better = sign * q > best;
      best = better ? sign * q : best;
      taken += (k - taken) & -better;
    }
    best *= sign;
    double change = best - values[s];
    if (!(change >= least)) least = change; // a NaN stays
    if (!(change <= greatest)) greatest = change;
    job->next[s] = best;
    if (job->choice) job->choice[s] = taken;
  }
  *low = least;
  *high = greatest;
}

void coh_mdp_sweep(const coh_mdp *mdp, bool minimize, int n_threads, const double *values,
                   double *next, int32_t *choice, double *low, double *high) {
  coh_mdp_sweep_job job = {mdp, minimize, values, next, choice};
  int64_t n = mdp->n_states, n_blocks = coh_mdp_n_blocks(n);
  double least = INFINITY, greatest = -INFINITY;
#pragma omp parallel for schedule(static)                                           \
    num_threads(n_threads) if (n_blocks > 1) default(none) shared(job, n, n_blocks) \
        reduction(min                                                               \
                  : least) reduction(max                                            \
                                     : greatest)
  for (int64_t block = 0; block < n_blocks; block++)
    coh_mdp_sweep_stretch(&job, block * COH_MDP_BLOCK, coh_mdp_block_end(block, n), &least,
                          &greatest);
  *low = least;
  *high = greatest;
}

typedef struct q_job {
  const coh_mdp *mdp;
  const double *values;
  double *q;
} q_job;

static void q_block(void *given, int64_t first, int64_t end) {
  const q_job *job = given;
  const coh_mdp *mdp = job->mdp;
  for (int64_t r = mdp->first_row[first]; r < mdp->first_row[end]; r++) {
    int64_t e = mdp->first_entry[r];
    job->q[r] = mdp->reward[r] +
                mdp->discount * coh_mdp_row_sum(mdp->next + e, mdp->probability + e,
                                                mdp->first_entry[r + 1] - e, job->values);
  }
}

void coh_mdp_action_values(const coh_mdp *mdp, int n_threads, const double *values, double *q) {
  q_job job = {mdp, values, q};
  coh_mdp_blocks_run(mdp->n_states, n_threads, q_block, &job);
}
