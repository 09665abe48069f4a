/* Task fqi: metrics, evaluation, charts, and the descriptor. */
#include "task/fqi/fqi.h"

#include <math.h>

#include "base/clock.h"

static int64_t position(const void *task) {
  return ((const coh_fqi *)task)->n_iterations;
}

static bool finished(const void *task) {
  return ((const coh_fqi *)task)->is_done;
}

static coh_status metrics(void *task, coh_metric_row *exact, coh_metric_row *timing) {
  coh_fqi *fqi = task;
  coh_metric_add(exact, "train/updates", (double)fqi->n_iterations);
  coh_metric_add(exact, "train/change", fqi->last.change);
  coh_metric_add(exact, "train/largest_change", fqi->last.largest_change);
  coh_metric_add(exact, "train/value", fqi->last.value);
  coh_metric_add(exact, "batch/transitions", (double)fqi->batch->n_rows);
  double now = coh_clock_now();
  coh_metric_add(timing, "rate/iterations", (double)fqi->n_window / (now - fqi->window_begun));
  fqi->window_begun = now;
  fqi->n_window = 0;
  return COH_OK;
}

// iterations of fitted evaluation: where nothing can be played it is all there is
static int64_t fitted_iterations(const coh_fqi *fqi) {
  int64_t n = fqi->options->evaluation.fitted;
  return n > 0 || fqi->play_env ? n : fqi->n_iterations;
}

coh_status coh_fqi_evaluate(void *task, coh_metric_row *exact) {
  coh_fqi *fqi = task;
  if (fqi->play_env) {
    COH_TRY(coh_fqi_play(fqi, coh_fqi_act, fqi, NULL, NULL, &fqi->score));
    coh_score_metrics(&fqi->score, exact);
  }
  int64_t n = fitted_iterations(fqi);
  fqi->fitted = NAN;
  if (n > 0) {
    COH_TRY(coh_fqi_evaluate_fitted(fqi, n, &fqi->fitted));
    coh_metric_add(exact, "eval/fitted_value", fqi->fitted);
  }
  fqi->scored_at = fqi->n_iterations;
  return COH_OK;
}

static const coh_choice *environment(const void *task) {
  return ((const coh_fqi *)task)->env;
}

static const coh_task_chart charts[] = {
    {.name = "return",
     .title = "Return of the greedy policy",
     .y_label = "return",
     .caption = "Return of evaluation episodes, mean and 95% interval, and what playing at "
                "random returns.",
     .reference = "random_return",
     .reference_label = "random",
     .curve = {{"eval/return", "greedy", "eval/return_low", "eval/return_high",
                COH_CURVE_MARKED}}},
    {.name = "discounted",
     .title = "Discounted return",
     .y_label = "discounted return",
     .caption = "Discounted return of evaluation episodes, and the same as fitted Q evaluation "
                "estimates it from the batch's own starts.",
     .curve = {{"eval/discounted_return", "played", NULL, NULL, COH_CURVE_MARKED},
               {"eval/fitted_value", "fitted evaluation", NULL, NULL, COH_CURVE_MARKED}}},
    {.name = "stabilisation",
     .title = "Stabilisation of Q",
     .y_label = "change in an iteration",
     .logarithmic = true,
     .caption =
         "How much an iteration changes the values of the batch's next states: root mean "
         "square and largest.",
     .curve = {{"train/change", "root mean square", NULL, NULL, COH_CURVE_LINE},
               {"train/largest_change", "largest", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "value",
     .title = "Value",
     .y_label = "mean max Q",
     .caption = "Mean value of the batch's next states.",
     .curve = {{"train/value", "mean max Q", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "rate",
     .title = "Speed",
     .y_label = "iterations a second",
     .from_timing = true,
     .caption = "Iterations a second on this machine.",
     .curve = {{"rate/iterations", "iterations", NULL, NULL, COH_CURVE_LINE}}},
    {0},
};

static const char *const progress[] = {"train/change", "train/value", NULL};

const coh_task_type coh_task_fqi = {
    .kind = {"fqi",
             "Fitted Q-iteration: policies from recorded transitions (Ernst et al. 2005).",
             coh_fqi_option_table, sizeof(coh_fqi_options)},
    .unit = "iterations",
    .create = coh_fqi_create,
    .destroy = coh_fqi_destroy,
    .step = coh_fqi_step,
    .position = position,
    .finished = finished,
    .metrics = metrics,
    .evaluate = coh_fqi_evaluate,
    .save = coh_fqi_save,
    .load = coh_fqi_load,
    .results = coh_fqi_results,
    .environment = environment,
    .act = coh_fqi_act,
    .charts = charts,
    .progress = progress,
};
