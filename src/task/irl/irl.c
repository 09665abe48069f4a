/* Task irl: the metrics, the charts, and the descriptor. */
#include "task/irl/irl.h"

#include <math.h>

#include "base/clock.h"

static int64_t position(const void *task) {
  return ((const coh_irl *)task)->n_epochs;
}

static bool finished(const void *task) {
  return ((const coh_irl *)task)->is_done;
}

static coh_status metrics(void *task, coh_metric_row *exact, coh_metric_row *timing) {
  coh_irl *irl = task;
  double n = (double)(irl->n_window > 0 ? irl->n_window : 1);
  if (irl->options->method == COH_IRL_APPRENTICESHIP) {
    coh_metric_add(exact, "train/margin", irl->margin);
  } else {
    coh_metric_add(exact,
                   irl->options->objective == COH_SOFT_LIKELIHOOD && irl->likelihood
                       ? "train/log_likelihood"
                       : "train/objective",
                   irl->objective);
  }
  if (irl->likelihood) {
    coh_metric_add(exact, "work/sweeps", (double)irl->effort.value.n_sweeps / n);
    coh_metric_add(exact, "work/products",
                   (double)(irl->effort.value.n_products + irl->effort.visit.n_products) / n);
  }
  if (coh_irl_has_network(irl)) {
    double norm = coh_learner_norm(&irl->net.learner);
    if (isfinite(norm)) coh_metric_add(exact, "train/gradient", norm);
    coh_learner_restart(&irl->net.learner);
  } else {
    coh_metric_add(exact, "train/gradient", irl->gradient_norm);
  }
  coh_metric_add(exact, "train/updates", (double)irl->n_epochs);
  double now = coh_clock_now();
  coh_metric_add(timing, "rate/epochs", n / (now - irl->window_begun));
  irl->window_begun = now;
  irl->effort = (coh_soft_effort){0};
  irl->n_window = 0;
  return COH_OK;
}

static const coh_task_chart charts[] = {
    {.name = "evd",
     .title = "Expected value difference",
     .y_label = "value lost",
     .caption = "How much of the best value is lost by acting optimally for the learnt reward, "
                "in this world and in worlds that were not seen.",
     .curve = {{"eval/evd", "this world", NULL, NULL, COH_CURVE_MARKED},
               {"eval/transfer_evd", "unseen worlds", NULL, NULL, COH_CURVE_MARKED}}},
    {.name = "likelihood",
     .title = "Likelihood of demonstrated actions",
     .y_label = "mean log pi(a|s)",
     .caption = "Mean log-probability of the demonstrated actions under the soft policy: of "
                "those learnt from, and of those held out.",
     .curve = {{"train/log_likelihood", "learnt from", NULL, NULL, COH_CURVE_LINE},
               {"eval/log_likelihood", "held out", NULL, NULL, COH_CURVE_MARKED}}},
    {.name = "return",
     .title = "Return in the true world",
     .y_label = "discounted return",
     .caption = "Expected discounted return of the learnt policy, exact in the true model.",
     .reference = "best_return",
     .reference_label = "best",
     .curve = {{"eval/return", "learner", NULL, NULL, COH_CURVE_MARKED}}},
    {.name = "objective",
     .title = "Objective",
     .y_label = "objective",
     .caption = "What is maximised: <n, r> - <q, V>.",
     .curve = {{"train/objective", "objective", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "margin",
     .title = "Margin",
     .y_label = "|mu_E - mu|",
     .logarithmic = true,
     .caption = "Distance of the expert's feature expectations from the learner's mixture.",
     .curve = {{"train/margin", "margin", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "gradient",
     .title = "Gradient",
     .y_label = "largest component, or norm",
     .logarithmic = true,
     .caption = "The gradient that remains.",
     .curve = {{"train/gradient", "gradient", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "visits",
     .title = "Expert's and learner's visits",
     .y_label = "total variation",
     .caption = "Half the summed difference of the two distributions over states.",
     .curve = {{"eval/visits_distance", "distance", NULL, NULL, COH_CURVE_MARKED}}},
    {.name = "work",
     .title = "Work of an epoch",
     .y_label = "passes",
     .logarithmic = true,
     .caption = "Sweeps over the model, and products with the policy's matrix, per epoch.",
     .curve = {{"work/sweeps", "sweeps", NULL, NULL, COH_CURVE_LINE},
               {"work/products", "products", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "rate",
     .title = "Speed",
     .y_label = "epochs a second",
     .from_timing = true,
     .caption = "Epochs a second on this machine.",
     .curve = {{"rate/epochs", "epochs", NULL, NULL, COH_CURVE_LINE}}},
    {0},
};

static const char *const progress[] = {"train/log_likelihood", "train/objective",
                                       "train/margin", "eval/evd", NULL};

const coh_task_type coh_task_irl = {
    .kind =
        {"irl",
         "Inverse reinforcement learning: the reward behind demonstrations, in a known model "
         "(Ng and Russell 2000; Abbeel and Ng 2004; Ziebart 2008, 2010; Wulfmeier 2015).",
         coh_irl_option_table, sizeof(coh_irl_options)},
    .unit = "epochs",
    .create = coh_irl_create,
    .destroy = coh_irl_destroy,
    .step = coh_irl_step,
    .position = position,
    .finished = finished,
    .metrics = metrics,
    .evaluate = coh_irl_evaluate,
    .save = coh_irl_save,
    .load = coh_irl_load,
    .results = coh_irl_results,
    .charts = charts,
    .progress = progress,
};
