/* Bellman sweeps: the maximum over actions is taken on the way, Q is never stored. */
#include <math.h>

#include "cohort/mdp.h"
#include "mdp/mdp_blocks.h"
#include "mdp/mdp_kernel.h"

typedef struct sweep_job {
  const coh_mdp *mdp;
  bool minimize;
  const double *values;
  double *next;
  int32_t *choice;
  double low, high;
} sweep_job;

static void sweep_block(const sweep_job *job, int64_t first, int64_t end, double *low,
                        double *high) {
  const coh_mdp *mdp = job->mdp;
  double sign = job->minimize ? -1.0 : 1.0;
  for (int64_t s = first; s < end; s++) {
    double best = -INFINITY;
    int32_t taken = 0;
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
      int64_t e = mdp->first_entry[r];
      double q = mdp->reward[r] +
                 mdp->discount * coh_mdp_row_sum(mdp->next + e, mdp->probability + e,
                                                 mdp->first_entry[r + 1] - e, job->values);
      if (sign * q > best) {
        best = sign * q;
        taken = (int32_t)(r - mdp->first_row[s]);
      }
    }
    best *= sign;
    double change = best - job->values[s];
    if (!(change >= *low)) *low = change; // a NaN stays
    if (!(change <= *high)) *high = change;
    job->next[s] = best;
    if (job->choice) job->choice[s] = taken;
  }
}

void coh_mdp_sweep(const coh_mdp *mdp, bool minimize, int n_threads, const double *values,
                   double *next, int32_t *choice, double *low, double *high) {
  sweep_job job = {mdp, minimize, values, next, choice, 0, 0};
  int64_t n = mdp->n_states, n_blocks = coh_mdp_n_blocks(n);
  double least = INFINITY, greatest = -INFINITY;
#pragma omp parallel for schedule(static)                                           \
    num_threads(n_threads) if (n_blocks > 1) default(none) shared(job, n, n_blocks) \
        reduction(min                                                               \
                  : least) reduction(max                                            \
                                     : greatest)
  for (int64_t block = 0; block < n_blocks; block++)
    sweep_block(&job, block * COH_MDP_BLOCK, coh_mdp_block_end(block, n), &least, &greatest);
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
