/* Policy evaluation and visits by Krylov solvers. */
#include "mdp/mdp_evaluate.h"

#include <string.h>

#include "base/alloc.h"
#include "la/krylov.h"
#include "mdp/mdp_blocks.h"
#include "mdp/mdp_policy.h"

enum { RESTART = 30, MOST_PRODUCTS = 400000 };

struct coh_mdp_evaluator {
  coh_mdp_shard *shard;
  const coh_mdp_incoming *incoming; /* NULL: not transposed */
  coh_mdp_policy policy;
  coh_krylov *krylov;
};

static coh_status product(void *context, double *x, double *y, const double *with,
                          double *sums) {
  const coh_mdp_evaluator *evaluator = context;
  coh_mdp_shard *shard = evaluator->shard;
  double discount = shard->mdp->discount;
  if (evaluator->incoming)
    coh_mdp_policy_residual_transposed(evaluator->incoming, evaluator->policy, discount,
                                       shard->n_threads, x, y);
  else
    COH_TRY(coh_mdp_shard_residual_product(shard, evaluator->policy, discount, x, y));
  if (!with) return COH_OK;
  return coh_mdp_shard_dots(shard, 2, (const double *[]){with, y}, (const double *[]){y, y},
                            sums);
}

static coh_status pass(void *context, int n_sums, coh_krylov_work work, void *job,
                       double *sums) {
  return coh_mdp_shard_pass(((coh_mdp_evaluator *)context)->shard, n_sums, work, job, sums);
}

coh_status coh_mdp_evaluator_create(coh_mdp_shard *shard, const coh_mdp_incoming *incoming,
                                    coh_mdp_krylov method, coh_mdp_evaluator **out) {
  coh_mdp_evaluator *evaluator;
  COH_NEW(evaluator, 1);
  evaluator->shard = shard;
  evaluator->incoming = incoming;
  coh_krylov_system system = {evaluator, shard->n_own, shard->n_ghost, product, pass, NULL};
  coh_status status =
      coh_krylov_create(&system, method == COH_MDP_GMRES ? RESTART : 0, &evaluator->krylov);
  if (status != COH_OK) {
    coh_mdp_evaluator_destroy(&evaluator);
    return status;
  }
  *out = evaluator;
  return COH_OK;
}

void coh_mdp_evaluator_destroy(coh_mdp_evaluator **evaluator) {
  if (!*evaluator) return;
  coh_krylov_destroy(&(*evaluator)->krylov);
  COH_DELETE(*evaluator);
}

coh_status coh_mdp_evaluator_run(coh_mdp_evaluator *evaluator, coh_mdp_policy policy,
                                 coh_mdp_krylov method, const double *b, double target,
                                 int64_t max_products, double *x, coh_krylov_outcome *outcome) {
  evaluator->policy = policy;
  return method == COH_MDP_GMRES
             ? coh_krylov_gmres(evaluator->krylov, b, target, max_products, x, outcome)
             : coh_krylov_bicgstab(evaluator->krylov, b, target, max_products, x, outcome);
}

static coh_status solve_to(coh_mdp_evaluator *evaluator, coh_mdp_policy policy,
                           coh_mdp_krylov method, const double *b, double tolerance,
                           double *x) {
  coh_krylov_outcome outcome;
  evaluator->policy = policy;
  COH_TRY(coh_krylov_settle(evaluator->krylov, method == COH_MDP_GMRES, b, tolerance,
                            MOST_PRODUCTS, x, &outcome));
  if (!outcome.reached && evaluator->shard->mdp->discount < 1.0) {
    // where the recurrence breaks down, as it may along paths that nothing leaves
    memset(x, 0, (size_t)evaluator->shard->n_own * sizeof *x);
    COH_TRY(coh_krylov_richardson(evaluator->krylov, b, tolerance, MOST_PRODUCTS, x, &outcome));
  }
  COH_CHECK(outcome.reached, COH_E_DIVERGED,
            "the policy's equations are solved to %.3g only, not to %.3g%s", outcome.residual,
            tolerance,
            evaluator->shard->mdp->discount == 1.0 ? " (undiscounted: may it never end?)" : "");
  return COH_OK;
}

static coh_status evaluate(const coh_mdp *mdp, const coh_mdp_incoming *incoming,
                           coh_mdp_policy policy, coh_mdp_krylov method, const double *start,
                           double tolerance, int n_threads, double *x) {
  coh_mdp_shard *shard = NULL;
  coh_mdp_evaluator *evaluator = NULL;
  double *b = coh_alloc_array((size_t)mdp->n_states, sizeof *b);
  coh_status status = b ? COH_OK
                        : coh_fail(COH_E_MEMORY, "out of memory to evaluate %lld states",
                                   (long long)mdp->n_states);
  if (status == COH_OK) status = coh_mdp_shard_of(mdp, n_threads, &shard);
  if (status == COH_OK) status = coh_mdp_evaluator_create(shard, incoming, method, &evaluator);
  if (status == COH_OK) {
    if (!incoming) coh_mdp_policy_reward(mdp, policy, n_threads, b);
    status = solve_to(evaluator, policy, method, start ? start : b, tolerance, x);
  }
  coh_mdp_evaluator_destroy(&evaluator);
  coh_mdp_shard_destroy(&shard);
  coh_free(b);
  return status;
}

coh_status coh_mdp_evaluate(const coh_mdp *mdp, coh_mdp_policy policy, coh_mdp_krylov method,
                            double tolerance, int n_threads, double *values) {
  return evaluate(mdp, NULL, policy, method, NULL, tolerance, n_threads, values);
}

coh_status coh_mdp_visits(const coh_mdp_incoming *incoming, coh_mdp_policy policy,
                          const double *start, double tolerance, int n_threads,
                          double *visits) {
  return evaluate(coh_mdp_incoming_model(incoming), incoming, policy, COH_MDP_BICGSTAB, start,
                  tolerance, n_threads, visits);
}
