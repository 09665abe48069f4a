/* The chain that a policy makes of a model. */
#include "mdp/mdp_chain.h"

#include <math.h>

static coh_status add_row(coh_mdp_builder *builder, const coh_mdp *mdp, int64_t r,
                          double weight) {
  for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++)
    COH_TRY(coh_mdp_add_entry(builder, mdp->next[e], weight * mdp->probability[e], 0.0));
  return COH_OK;
}

static coh_status add_choice(coh_mdp_builder *builder, const coh_mdp *mdp, int64_t s,
                             int32_t choice) {
  int64_t n = mdp->first_row[s + 1] - mdp->first_row[s], r = mdp->first_row[s] + choice;
  COH_CHECK(choice >= 0 && choice < n, COH_E_DATA,
            "state %lld has %lld actions; the policy's choice is number %d", (long long)s,
            (long long)n, choice);
  COH_TRY(coh_mdp_add_row(builder, s, 0, mdp->reward[r]));
  return add_row(builder, mdp, r, 1.0);
}

static coh_status add_mixture(coh_mdp_builder *builder, const coh_mdp *mdp, int64_t s,
                              const double *weight) {
  int64_t first = mdp->first_row[s], end = mdp->first_row[s + 1];
  double even = 1.0 / (double)(end - first), sum = 0.0, reward = 0.0;
  for (int64_t r = first; r < end; r++) {
    double w = weight ? weight[r] : even;
    COH_CHECK(w >= 0.0, COH_E_DATA, "state %lld: the policy's weight %g is no probability",
              (long long)s, w);
    sum += w;
    reward += w * mdp->reward[r];
  }
  COH_CHECK(fabs(sum - 1.0) <= 1e-6, COH_E_DATA,
            "state %lld: the policy's weights sum to %.9g, not 1", (long long)s, sum);
  COH_TRY(coh_mdp_add_row(builder, s, 0, reward));
  for (int64_t r = first; r < end; r++)
    COH_TRY(add_row(builder, mdp, r, weight ? weight[r] : even));
  return COH_OK;
}

coh_status coh_mdp_chain_make(const coh_mdp *mdp, coh_mdp_policy policy, coh_mdp **chain) {
  coh_mdp_builder *builder;
  COH_TRY(coh_mdp_build(mdp->n_states, mdp->discount, &builder));
  coh_status status = COH_OK;
  for (int64_t s = 0; s < mdp->n_states && status == COH_OK; s++)
    status = policy.choice ? add_choice(builder, mdp, s, policy.choice[s])
                           : add_mixture(builder, mdp, s, policy.weight);
  if (status == COH_OK) return coh_mdp_finish(&builder, chain);
  coh_mdp_discard(&builder);
  return status;
}
