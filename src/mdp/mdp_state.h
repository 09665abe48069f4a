/* The Bellman operator of one state in place, for methods that choose their states. */
#ifndef COHORT_MDP_MDP_STATE_H
#define COHORT_MDP_MDP_STATE_H

#include <math.h>

#include "cohort/mdp.h"
#include "mdp/mdp_kernel.h"

static inline double coh_mdp_state_value(const coh_mdp *mdp, bool minimize, int64_t s,
                                         const double *values) {
  double sign = minimize ? -1.0 : 1.0, best = -INFINITY;
  for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
    int64_t e = mdp->first_entry[r];
    double q = sign * (mdp->reward[r] +
                       mdp->discount * coh_mdp_row_sum(mdp->next + e, mdp->probability + e,
                                                       mdp->first_entry[r + 1] - e, values));
    if (q > best) best = q;
  }
  return sign * best;
}

static inline int64_t coh_mdp_state_entries(const coh_mdp *mdp, int64_t s) {
  return mdp->first_entry[mdp->first_row[s + 1]] - mdp->first_entry[mdp->first_row[s]];
}

#endif
