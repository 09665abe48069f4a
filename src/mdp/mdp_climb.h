/* Bounds of an undiscounted answer on a quotient (mdp_quotient.h), component by component. */
#ifndef COHORT_MDP_MDP_CLIMB_H
#define COHORT_MDP_MDP_CLIMB_H

#include "mdp/mdp_quotient.h"

typedef struct coh_mdp_climb {
  const coh_mdp *mdp;    /* of the quotient; its last two states are worth 0 and 1 */
  bool minimize, pays;   /* pays: rewards count; else probabilities */
  double tolerance;      /* width; of totals above 1 relative */
  double *lower, *upper; /* n_states of the quotient: out */
  int32_t *choice;       /* rows that keep the bound on the near side: out */
  double width;
  int64_t n_sweeps; /* sweeps' worth of updates */
} coh_mdp_climb;

/* Fails: COH_E_DIVERGED when rounding keeps a bound wide, COH_E_MEMORY. */
coh_status coh_mdp_climb_run(coh_mdp_climb *climb);

#endif
