/* A Krylov solver kept for the policies of one model. */
#ifndef COHORT_MDP_MDP_EVALUATE_H
#define COHORT_MDP_MDP_EVALUATE_H

#include "cohort/mdp.h"
#include "la/krylov.h"
#include "mdp/mdp_shard.h"

typedef struct coh_mdp_evaluator coh_mdp_evaluator;

/* shard: borrowed. incoming: NULL, or (alone) solve with the transposed matrix. Caller
 * destroys. Not collective. */
coh_status coh_mdp_evaluator_create(coh_mdp_shard *shard, const coh_mdp_incoming *incoming,
                                    coh_mdp_krylov method, coh_mdp_evaluator **evaluator);
void coh_mdp_evaluator_destroy(coh_mdp_evaluator **evaluator);

/* (I - discount P_pi) x = b to a Euclidean residual; see la/krylov.h. x: own and ghosts.
 * Collective, as the shard is. */
coh_status coh_mdp_evaluator_run(coh_mdp_evaluator *evaluator, coh_mdp_policy policy,
                                 coh_mdp_krylov method, const double *b, double target,
                                 int64_t max_products, double *x, coh_krylov_outcome *outcome);

#endif
