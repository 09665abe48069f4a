/* Bellman sweeps over stretches of states. */
#ifndef COHORT_MDP_MDP_SWEEP_H
#define COHORT_MDP_MDP_SWEEP_H

#include "cohort/mdp.h"

typedef struct coh_mdp_sweep_job {
  const coh_mdp *mdp;
  bool minimize;
  const double *values;
  double *next;
  int32_t *choice; /* may be NULL */
} coh_mdp_sweep_job;

/* Sweep [first, end); low, high: widened by next - values. */
void coh_mdp_sweep_stretch(const coh_mdp_sweep_job *job, int64_t first, int64_t end,
                           double *low, double *high);

#endif
