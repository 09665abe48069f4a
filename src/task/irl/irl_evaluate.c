/* How good the learnt reward is: the policy that is optimal for it, judged by the true reward;
 * held-out likelihood; visits; and the same on worlds that were not seen. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/irl/irl.h"

// E V(start) under the true reward of the policy that is optimal for another one
static coh_status value_of_response(coh_irl *irl, const coh_irl_world *world,
                                    const double *reward, int32_t *choice, double *value,
                                    double *mean) {
  const coh_mdp *mdp = world->mdp;
  double tolerance = 1e-9 / (1 - mdp->discount);
  COH_TRY(coh_irl_best_response(irl, mdp, reward, choice));
  memset(value, 0, (size_t)mdp->n_states * sizeof *value);
  COH_TRY(coh_mdp_evaluate(mdp, (coh_mdp_policy){.choice = choice}, COH_MDP_BICGSTAB, tolerance,
                           irl->context->n_threads, value));
  *mean = 0;
  for (int64_t s = 0; s < mdp->n_states; s++)
    *mean += mdp->start[s] * value[s];
  return COH_OK;
}

// half the sum of |p - q|, both made to sum to one
static double total_variation(int64_t n, const double *a, const double *b) {
  double sum_a = 0, sum_b = 0, distance = 0;
  for (int64_t i = 0; i < n; i++) {
    sum_a += a[i];
    sum_b += b[i];
  }
  for (int64_t i = 0; i < n; i++)
    distance += fabs(a[i] / sum_a - b[i] / sum_b);
  return distance / 2;
}

// of recovered and true rewards of states; a reward of actions counts by its mean
static double correlation(const coh_irl_world *world, const double *reward) {
  const coh_mdp *mdp = world->mdp;
  double n = 0, x1 = 0, y1 = 0, xx = 0, yy = 0, xy = 0;
  for (int64_t s = 0; s < mdp->n_states; s++) {
    double x = 0, y = world->reward[s];
    if (coh_mdp_is_terminal(mdp, s)) continue; // it has no rows to pay
    n++;
    for (int64_t row = mdp->first_row[s]; row < mdp->first_row[s + 1]; row++)
      x += reward[row];
    x /= (double)(mdp->first_row[s + 1] - mdp->first_row[s]);
    x1 += x, y1 += y, xx += x * x, yy += y * y, xy += x * y;
  }
  double spread = (xx - x1 * x1 / n) * (yy - y1 * y1 / n);
  return spread > 0 ? (xy - x1 * y1 / n) / sqrt(spread) : 0;
}

static coh_status held_out_likelihood(coh_irl *irl, double *likelihood) {
  *likelihood = NAN;
  if (!irl->judge) return COH_OK;
  // it starts from the training's values: what it finds depends on them alone
  int64_t n;
  const double *from = coh_soft_likelihood_value(irl->likelihood, &n);
  double *to = coh_soft_likelihood_value(irl->judge, &n), unused;
  memcpy(to, from, (size_t)n * sizeof *to);
  COH_TRY(coh_soft_likelihood_run(irl->judge, irl->model_reward, &unused, NULL, NULL));
  *likelihood = coh_soft_likelihood_of(irl->judge, irl->model_reward, &irl->held.uses);
  return COH_OK;
}

static coh_status transfer_evd(coh_irl *irl, int32_t *choice, double *value, double *evd) {
  *evd = NAN;
  if (irl->options->transfer == 0) return COH_OK;
  double sum = 0;
  for (int64_t k = 0; k < irl->options->transfer; k++) {
    const coh_irl_world *world = &irl->transfer[k];
    double learner, best;
    // all worlds of a kind have as many states and rows
    if (coh_irl_has_network(irl))
      COH_TRY(coh_irl_network_rewards_on(irl, world, irl->row_gradient));
    else
      coh_irl_linear_rewards(irl, world, irl->accepted, irl->row_gradient);
    COH_TRY(value_of_response(irl, world, irl->row_gradient, choice, value, &learner));
    COH_TRY(value_of_response(irl, world, world->mdp->reward, choice, value, &best));
    sum += best - learner;
  }
  *evd = sum / (double)irl->options->transfer;
  return COH_OK;
}

static coh_status measure(coh_irl *irl, int32_t *choice, double *value, coh_irl_score *score) {
  const coh_mdp *mdp = irl->world.mdp;
  COH_TRY(coh_irl_current_rewards(irl, irl->model_reward));
  *score = (coh_irl_score){.best = irl->best_return, .likelihood = NAN, .transfer = NAN};
  if (irl->mixture) { // apprenticeship: the mixture of policies is what was learnt
    for (int64_t s = 0; s < mdp->n_states; s++)
      score->learner += irl->mixture[s] * irl->world.reward[s];
    score->visits = total_variation(mdp->n_states, irl->expert_visits, irl->mixture);
  } else {
    COH_TRY(
        value_of_response(irl, &irl->world, irl->model_reward, choice, value, &score->learner));
    memset(value, 0, (size_t)mdp->n_states * sizeof *value);
    COH_TRY(coh_mdp_visits(irl->incoming, (coh_mdp_policy){.choice = choice}, mdp->start, 1e-9,
                           irl->context->n_threads, value));
    score->visits = total_variation(mdp->n_states, irl->expert_visits, value);
  }
  score->evd = score->best - score->learner;
  score->correlation = correlation(&irl->world, irl->model_reward);
  COH_TRY(held_out_likelihood(irl, &score->likelihood));
  return transfer_evd(irl, choice, value, &score->transfer);
}

coh_status coh_irl_measure(coh_irl *irl, coh_irl_score *score) {
  int64_t n = irl->world.mdp->n_states;
  int32_t *choice = coh_alloc_array((size_t)n, sizeof *choice);
  double *value = coh_alloc_array((size_t)n, sizeof *value);
  coh_status status =
      choice && value ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to evaluate");
  if (status == COH_OK) status = measure(irl, choice, value, score);
  coh_free(choice);
  coh_free(value);
  return status;
}

coh_status coh_irl_evaluate(void *task, coh_metric_row *exact) {
  coh_irl *irl = task;
  coh_irl_score score;
  COH_TRY(coh_irl_measure(irl, &score));
  irl->score = score;
  irl->scored_at = irl->n_epochs;
  coh_metric_add(exact, "eval/evd", score.evd);
  coh_metric_add(exact, "eval/return", score.learner);
  coh_metric_add(exact, "eval/visits_distance", score.visits);
  coh_metric_add(exact, "eval/correlation", score.correlation);
  if (isfinite(score.likelihood))
    coh_metric_add(exact, "eval/log_likelihood", score.likelihood);
  if (isfinite(score.transfer)) coh_metric_add(exact, "eval/transfer_evd", score.transfer);
  return COH_OK;
}
