/* Policy evaluation and visits by Krylov solvers. Their residual is Euclidean, ours is the
 * largest component: the target is tightened until the answer satisfies. */
#include <float.h>
#include <math.h>

#include "base/alloc.h"
#include "la/krylov.h"
#include "mdp/mdp_blocks.h"
#include "mdp/mdp_evaluate.h"
#include "mdp/mdp_policy.h"

enum { RESTART = 30 };

struct coh_mdp_evaluator {
  coh_mdp_shard *shard;
  const coh_mdp_incoming *incoming; /* NULL: not transposed */
  coh_mdp_policy policy;
  coh_krylov *krylov;
};

static coh_status product(void *context, double *x, double *y) {
  const coh_mdp_evaluator *evaluator = context;
  double discount = evaluator->shard->mdp->discount;
  if (!evaluator->incoming)
    return coh_mdp_shard_residual_product(evaluator->shard, evaluator->policy, discount, x, y);
  coh_mdp_policy_residual_transposed(evaluator->incoming, evaluator->policy, discount,
                                     evaluator->shard->n_threads, x, y);
  return COH_OK;
}

static coh_status dots(void *context, int n_pairs, const double *const x[],
                       const double *const y[], double *out) {
  return coh_mdp_shard_dots(((coh_mdp_evaluator *)context)->shard, n_pairs, x, y, out);
}

static void stretches(void *context, void (*work)(void *, int64_t, int64_t), void *job) {
  const coh_mdp_shard *shard = ((const coh_mdp_evaluator *)context)->shard;
  coh_mdp_blocks_run(shard->n_own, shard->n_threads, work, job);
}

coh_status coh_mdp_evaluator_create(coh_mdp_shard *shard, const coh_mdp_incoming *incoming,
                                    coh_mdp_krylov method, coh_mdp_evaluator **out) {
  coh_mdp_evaluator *evaluator;
  COH_NEW(evaluator, 1);
  evaluator->shard = shard;
  evaluator->incoming = incoming;
  coh_krylov_system system = {evaluator, shard->n_own, shard->n_ghost,
                              product,   dots,         stretches};
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

/* the largest component of b - A x */
static double largest_residual(coh_mdp_evaluator *evaluator, const double *b, double *x,
                               double *scratch) {
  product(evaluator, x, scratch);
  double largest = 0.0;
  for (int64_t s = 0; s < evaluator->shard->n_own; s++) {
    double residual = fabs(b[s] - scratch[s]);
    if (!(residual <= largest)) largest = residual;
  }
  return largest;
}

static coh_status solve_to(coh_mdp_evaluator *evaluator, coh_mdp_policy policy,
                           coh_mdp_krylov method, const double *b, double tolerance,
                           double *scratch, double *x) {
  int64_t n = evaluator->shard->n_own;
  double target = tolerance * sqrt((double)n), largest = INFINITY;
  for (int attempt = 0; attempt < 40; attempt++) {
    coh_krylov_outcome outcome;
    COH_TRY(coh_mdp_evaluator_run(evaluator, policy, method, b, target, 200000, x, &outcome));
    largest = largest_residual(evaluator, b, x, scratch);
    if (largest <= tolerance) return COH_OK;
    if (!isfinite(largest) || !outcome.reached) break;
    target = outcome.residual * 0.25;
  }
  return coh_fail(
      COH_E_DIVERGED, "the policy's equations are solved to %.3g only, not to %.3g%s", largest,
      tolerance,
      evaluator->shard->mdp->discount == 1.0 ? " (undiscounted: may it never end?)" : "");
}

static coh_status evaluate(const coh_mdp *mdp, const coh_mdp_incoming *incoming,
                           coh_mdp_policy policy, coh_mdp_krylov method, const double *start,
                           double tolerance, int n_threads, double *x) {
  coh_mdp_shard *shard = NULL;
  coh_mdp_evaluator *evaluator = NULL;
  double *b = coh_alloc_array((size_t)mdp->n_states, sizeof *b);
  double *scratch = coh_alloc_array((size_t)mdp->n_states, sizeof *scratch);
  coh_status status = b && scratch ? COH_OK
                                   : coh_fail(COH_E_MEMORY,
                                              "out of memory to evaluate %lld "
                                              "states",
                                              (long long)mdp->n_states);
  if (status == COH_OK) status = coh_mdp_shard_of(mdp, n_threads, &shard);
  if (status == COH_OK) status = coh_mdp_evaluator_create(shard, incoming, method, &evaluator);
  if (status == COH_OK) {
    if (!incoming) coh_mdp_policy_reward(mdp, policy, n_threads, b);
    status = solve_to(evaluator, policy, method, start ? start : b, tolerance, scratch, x);
  }
  coh_mdp_evaluator_destroy(&evaluator);
  coh_mdp_shard_destroy(&shard);
  coh_free(b);
  coh_free(scratch);
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
