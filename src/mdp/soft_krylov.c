/* Solves with I - gamma P_pi and its transpose by BiCGStab (la/krylov.h), and the visits. */
#include <math.h>

#include "mdp/soft_plan.h"

static coh_status product(void *context, double *x, double *y, const double *with,
                          double *sums) {
  coh_soft *soft = context;
  coh_soft_apply(soft, soft->solves_transposed, soft->solves_gamma, x, y);
  if (!with) return COH_OK;
  const double *pair[2][2] = {{with, y}, {y, y}};
  coh_mdp_sums_pass(soft->sums, 2, coh_krylov_dots_work,
                    &(coh_krylov_dots){2, pair[0], pair[1]}, sums);
  return COH_OK;
}

static coh_status pass(void *context, int n_sums, coh_krylov_work work, void *job,
                       double *sums) {
  coh_mdp_sums_pass(((coh_soft *)context)->sums, n_sums, work, job, sums);
  return COH_OK;
}

coh_status coh_soft_krylov_create(coh_soft *soft) {
  int64_t n = soft->model.n_states;
  COH_TRY(coh_mdp_sums_create(n, soft->config.n_threads, &soft->sums));
  return coh_krylov_create(
      &(coh_krylov_system){.context = soft, .n = n, .product = product, .pass = pass}, 0,
      &soft->krylov);
}

coh_status coh_soft_correct(coh_soft *soft, double gamma, const double *b, double ratio,
                            int64_t most, double *x, coh_krylov_outcome *outcome) {
  soft->solves_transposed = false;
  soft->solves_gamma = gamma;
  return coh_krylov_correct(soft->krylov, b, ratio, most, x, outcome);
}

enum { MOST_VISIT_PRODUCTS = 100000, MOST_STEPS = 200 };

coh_status coh_soft_visit(coh_soft *soft, const double *source, double tolerance,
                          double *visits, coh_soft_report *report) {
  double gamma = soft->config.gamma, left = INFINITY;
  double *step = soft->state_scratch;
  soft->solves_transposed = true;
  soft->solves_gamma = gamma;
  int64_t made = 0;
  for (int64_t turn = 0; turn < MOST_STEPS; turn++) {
    coh_krylov_outcome outcome;
    COH_TRY(coh_krylov_settle(soft->krylov, false, source, tolerance, MOST_VISIT_PRODUCTS,
                              visits, &outcome));
    left = outcome.residual;
    made += outcome.n_products;
    if (!(left > tolerance) || !isfinite(left)) break;
    // plain steps of the visits settle what the solver cannot
    coh_soft_step_visits(soft, gamma, visits, source, step);
    coh_soft_step_visits(soft, gamma, step, source, visits);
    made += 2;
  }
  if (report) *report = (coh_soft_report){.residual = left, .n_products = made};
  COH_CHECK(left <= tolerance, COH_E_DIVERGED,
            "expected visits did not converge: residual %g after %lld products", left,
            (long long)made);
  return COH_OK;
}
