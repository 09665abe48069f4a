/* Bellman sweeps over stretches of states. */
#ifndef COHORT_MDP_MDP_SWEEP_H
#define COHORT_MDP_MDP_SWEEP_H

#include <math.h>

#include "cohort/mdp.h"

typedef struct coh_mdp_sweep_job {
  const coh_mdp *mdp;
  const struct coh_mdp_compact *compact; /* NULL: the rows as they are */
  double sign, discount; /* sign: -1 where the least is sought; discount: times sign */
  const double *values;
  double *next;
  int32_t *choice;  /* may be NULL */
  double low, high; /* of next - values, so far */
} coh_mdp_sweep_job;

static inline coh_mdp_sweep_job coh_mdp_sweep_begin(const coh_mdp *mdp, bool minimize) {
  double sign = minimize ? -1.0 : 1.0;
  return (coh_mdp_sweep_job){.mdp = mdp,
                             .compact = mdp->compact,
                             .sign = sign,
                             .discount = sign * mdp->discount,
                             .low = INFINITY,
                             .high = -INFINITY};
}

/* Sweep [first, end); low and high are widened, and are no numbers once a change is none. */
void coh_mdp_sweep_stretch(coh_mdp_sweep_job *job, int64_t first, int64_t end);

#endif
