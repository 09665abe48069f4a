/* What a finished run shows: the policy beside chance and beside the behaviour that it learned
 * from, how far the data supports it, and pictures. */
#include <math.h>
#include <stdio.h>

#include "task/exact_values.h"
#include "task/fqi/fqi.h"

static void describe(const coh_fqi *fqi, coh_results *results) {
  const coh_transitions *batch = fqi->batch;
  char text[512];
  snprintf(text, sizeof text,
           "Learned from %lld transitions (%lld episodes of %s) in %lld iterations of %s%s",
           (long long)batch->n_rows, (long long)batch->n_episodes, batch->source,
           (long long)fqi->n_iterations, fqi->regressor.type->kind.name,
           fqi->is_done ? ", until no value changed any more." : ".");
  coh_results_text(results, text);
}

static void judge_support(const coh_fqi *fqi, const coh_fqi_support *s, coh_results *results) {
  char text[512];
  coh_results_number(results, "behaviour_log_likelihood", s->likelihood, NULL,
                     "likelihood of the behaviour",
                     "mean log-probability of a recorded action under its clone");
  coh_results_number(results, "outside_support", s->outside, NULL,
                     "greedy actions without support",
                     "share of recorded states where the behaviour hardly ever takes them");
  if (isfinite(s->played))
    coh_results_number(results, "played_outside_support", s->played, NULL,
                       "the same while playing",
                       "share of the states that the greedy policy visits");
  double worst = isfinite(s->played) ? fmax(s->played, s->outside) : s->outside;
  if (worst <= fqi->options->cloning.tolerance) return;
  snprintf(
      text, sizeof text,
      "The greedy policy leaves the data: in %.0f%% of states it takes actions that the "
      "behaviour hardly ever took there (less than %g of its likeliest). Their values are "
      "extrapolated; do not trust the policy before it is tried, or give more varied data.",
      100 * worst, fqi->options->cloning.support);
  coh_results_warning(results, text);
}

static coh_status fitted_values(void *task, int64_t n, const float *states, double *q) {
  coh_fqi *fqi = task;
  return fqi->regressor.type->values(fqi->regressor.state, n, states, q);
}

/* only where all that the model needs is what the batch was drawn from */
static coh_status compare_exactly(coh_fqi *fqi, coh_results *results) {
  if (!fqi->env || !coh_mdp_env_is_finite(fqi->env)) return COH_OK;
  coh_exact_values exact = {fqi->context, fqi->env, fqi->options->gamma, fitted_values, fqi};
  return coh_exact_values_results(&exact, results);
}

coh_status coh_fqi_results(void *task, coh_results *results) {
  coh_fqi *fqi = task;
  coh_metric_row unused = {0};
  if (fqi->scored_at != fqi->n_iterations) COH_TRY(coh_fqi_evaluate(fqi, &unused));
  if (fqi->play_env) {
    coh_score random;
    COH_TRY(coh_fqi_play(fqi, NULL, NULL, NULL, NULL, &random));
    coh_score_results(&fqi->score, "eval_return", "mean return", results);
    coh_results_number(results, "discounted_return", fqi->score.discounted, NULL,
                       "discounted return", "mean over the same episodes");
    coh_score_results(&random, "random_return", "playing at random", results);
    if (fqi->score.high <= random.high)
      coh_results_warning(results,
                          "The policy is no better than chance. The usual causes: data "
                          "that never reaches a reward, too few iterations for its "
                          "distance, or a regressor that cannot show the values.");
  }
  if (isfinite(fqi->fitted))
    coh_results_number(
        results, "fitted_value", fqi->fitted, NULL, "value by fitted evaluation",
        "of the states that episodes of the batch begin in, from the batch alone");
  if (fqi->options->cloning.epochs > 0) {
    coh_fqi_support support;
    COH_TRY(coh_fqi_measure_support(fqi, &support));
    if (fqi->play_env)
      coh_score_results(&support.clone, "clone_return", "clone of the behaviour", results);
    judge_support(fqi, &support, results);
  }
  describe(fqi, results);
  COH_TRY(compare_exactly(fqi, results));
  return coh_fqi_draw(fqi, results);
}
