/* One row of the random model, for those who do not keep it. */
#ifndef COHORT_MDP_MAKE_RANDOM_H
#define COHORT_MDP_MAKE_RANDOM_H

#include "cohort/mdp.h"
#include "cohort/random.h"

/* next, probability: out, n_successors, sorted. */
void coh_mdp_random_row(const coh_mdp_random *options, coh_key key, int64_t state,
                        int64_t action, uint32_t *next, double *probability, double *reward);

/* Fails: COH_E_DATA where rows cannot be drawn so. */
coh_status coh_mdp_random_check(const coh_mdp_random *options);

#endif
