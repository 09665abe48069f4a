/* An epoch: one evaluation of the likelihood and one step, or one turn of another method. */
#include <math.h>
#include <string.h>

#include "task/irl/irl.h"

static coh_status step_linear(coh_irl *irl, double objective) {
  int64_t n = irl->n_params;
  double l2 = irl->options->l2, square = 0, largest = 0;
  coh_irl_linear_gradient(irl, irl->row_gradient, irl->gradient);
  for (int64_t k = 0; k < n; k++) { // L-BFGS lowers: signs turn
    square += irl->params[k] * irl->params[k];
    irl->gradient[k] = l2 * irl->params[k] - irl->gradient[k];
    largest = fmax(largest, fabs(irl->gradient[k]));
  }
  irl->objective = objective;
  irl->gradient_norm = largest;
  coh_lbfgs_event event;
  memcpy(irl->trial, irl->params, (size_t)n * sizeof *irl->trial);
  COH_TRY(coh_lbfgs_advance(irl->lbfgs, l2 / 2 * square - objective, irl->gradient,
                            irl->options->stop, irl->params, &event));
  if (event == COH_LBFGS_MOVED)
    memcpy(irl->accepted, irl->trial, (size_t)n * sizeof *irl->trial);
  if (event == COH_LBFGS_DONE) {
    memcpy(irl->accepted, irl->params, (size_t)n * sizeof *irl->trial);
    irl->is_done = true;
  }
  return COH_OK;
}

static coh_status soft_epoch(coh_irl *irl) {
  double objective;
  coh_soft_effort effort;
  if (coh_irl_has_network(irl))
    COH_TRY(coh_irl_network_rewards(irl, irl->reward));
  else
    coh_irl_linear_rewards(irl, &irl->world, irl->params, irl->reward);
  for (int64_t row = 0; row < irl->world.mdp->n_rows; row++)
    COH_CHECK(isfinite(irl->reward[row]), COH_E_DIVERGED,
              "the reward is not finite at epoch %lld", (long long)irl->n_epochs);
  COH_TRY(coh_soft_likelihood_run(irl->likelihood, irl->reward, &objective, irl->row_gradient,
                                  &effort));
  irl->effort.value.n_sweeps += effort.value.n_sweeps;
  irl->effort.value.n_products += effort.value.n_products;
  irl->effort.visit.n_products += effort.visit.n_products;
  irl->effort.visit.residual = effort.visit.residual;
  irl->effort.value.residual = effort.value.residual;
  if (!coh_irl_has_network(irl)) return step_linear(irl, objective);
  return coh_irl_network_step(irl, irl->row_gradient, objective);
}

static coh_status run_epoch(coh_irl *irl) {
  if (coh_irl_is_soft(irl)) return soft_epoch(irl);
  if (irl->options->method == COH_IRL_APPRENTICESHIP) return coh_irl_project(irl);
  COH_TRY(coh_irl_solve_program(irl));
  memcpy(irl->accepted, irl->params, (size_t)irl->n_params * sizeof *irl->params);
  irl->is_done = true;
  return COH_OK;
}

coh_status coh_irl_step(void *task) {
  coh_irl *irl = task;
  // every rank does the same; only a failure that is one rank's own has to be told
  COH_TRY(run_epoch(irl));
  irl->n_epochs++;
  irl->n_window++;
  return COH_OK;
}

coh_status coh_irl_current_rewards(coh_irl *irl, double *reward) {
  if (coh_irl_has_network(irl)) return coh_irl_network_rewards(irl, reward);
  coh_irl_linear_rewards(irl, &irl->world, irl->accepted, reward);
  return COH_OK;
}
