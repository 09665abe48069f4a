/* What solvers need of a policy beyond the public products. */
#ifndef COHORT_MDP_MDP_POLICY_H
#define COHORT_MDP_MDP_POLICY_H

#include "cohort/mdp.h"

/* y = P x, or y = x - scale P x where scale is not 0.
 * With scale 1 a terminal state does not lead to itself, so that the matrix can be inverted. */
typedef struct coh_mdp_product {
  const coh_mdp *mdp;
  const coh_mdp_incoming *incoming; /* of the transposed product */
  coh_mdp_policy policy;
  const double *x;
  double *y, scale;
} coh_mdp_product;

/* The product's states [first, end). */
void coh_mdp_product_stretch(const coh_mdp_product *product, int64_t first, int64_t end);

/* y = x - scale P_pi^T x. */
void coh_mdp_policy_residual_transposed(const coh_mdp_incoming *incoming, coh_mdp_policy policy,
                                        double scale, int n_threads, const double *x,
                                        double *y);

/* reward (n_states): what the policy is paid. */
void coh_mdp_policy_reward(const coh_mdp *mdp, coh_mdp_policy policy, int n_threads,
                           double *reward);

const coh_mdp *coh_mdp_incoming_model(const coh_mdp_incoming *incoming);

#endif
