/* A model under one policy: one row a state, so that every solver also evaluates policies. */
#ifndef COHORT_MDP_MDP_CHAIN_H
#define COHORT_MDP_MDP_CHAIN_H

#include "cohort/mdp.h"

/* Labels, start and picture are left out. *chain: caller destroys. Fails: COH_E_MEMORY;
 * COH_E_DATA where a choice is no row of its state or weights of a state do not sum to 1. */
coh_status coh_mdp_chain_make(const coh_mdp *mdp, coh_mdp_policy policy, coh_mdp **chain);

#endif
