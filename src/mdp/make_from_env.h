/* Exact models of finite environments, and what their cells pay. */
#ifndef COHORT_MDP_MAKE_FROM_ENV_H
#define COHORT_MDP_MAKE_FROM_ENV_H

#include "cohort/mdp.h"

/* What entering each cell of a finite environment pays: reward: out (cells). n: how many its
 * model has. Fails: COH_E_CONFIG (no finite environment), COH_E_MEMORY. */
coh_status coh_mdp_env_rewards(const coh_choice *choice, int64_t n, double *reward);

#endif
