/* A Krylov solver kept for the policies of one model. */
#ifndef COHORT_MDP_MDP_EVALUATE_H
#define COHORT_MDP_MDP_EVALUATE_H

#include "cohort/mdp.h"
#include "la/krylov.h"

typedef struct coh_mdp_evaluator coh_mdp_evaluator;

/* incoming: NULL, or solve with the transposed matrix. Caller destroys. */
coh_status coh_mdp_evaluator_create(const coh_mdp *mdp, const coh_mdp_incoming *incoming,
                                    coh_mdp_krylov method, int n_threads,
                                    coh_mdp_evaluator **evaluator);
void coh_mdp_evaluator_destroy(coh_mdp_evaluator **evaluator);

/* (I - discount P_pi) x = b to a Euclidean residual; see la/krylov.h. */
coh_status coh_mdp_evaluator_run(coh_mdp_evaluator *evaluator, coh_mdp_policy policy,
                                 coh_mdp_krylov method, const double *b, double target,
                                 int64_t max_products, double *x, coh_krylov_outcome *outcome);

#endif
