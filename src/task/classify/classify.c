/* Task classify: the metrics, the charts, and the descriptor. */
#include "task/classify/classify.h"

#include "base/clock.h"

static int64_t classify_position(const void *task) {
  return ((const coh_classify *)task)->learner.n_updates;
}

static bool classify_finished(const void *pointer) {
  const coh_classify *task = pointer;
  return task->options->patience > 0 &&
         task->history.n_since_best >= (double)task->options->patience;
}

static void add_validation(coh_classify *task, coh_metric_row *exact) {
  coh_classify_history *h = &task->history;
  if (h->is_unreported == 0) return;
  h->is_unreported = 0;
  coh_metric_add(exact, "train/clean_loss", h->train_loss);
  coh_metric_add(exact, "train/clean_accuracy", h->train_accuracy);
  coh_metric_add(exact, "validation/loss", h->loss);
  coh_metric_add(exact, "validation/accuracy", h->accuracy);
  coh_metric_add(exact, "validation/best_accuracy", h->best_accuracy);
}

static void add_timing(coh_classify *task, coh_metric_row *timing) {
  double now = coh_clock_now(), seconds = now - task->window_begun;
  double updates = (double)(task->learner.n_updates - task->updates_at_window);
  coh_metric_add(timing, "rate/rows", updates * (double)task->options->loader.batch / seconds);
  coh_metric_add(timing, "rate/updates", updates / seconds);
  double flops =
      (double)coh_program_flops(task->update.program) * (double)task->context->lanes.n_lanes;
  coh_metric_add(timing, "rate/gflops", 1e-9 * flops * updates / task->learn_seconds);
  coh_metric_add(timing, "share/learn", task->learn_seconds / seconds);
  coh_metric_add(timing, "share/reduce", task->learner.reduce_seconds / seconds);
  task->window_begun = now;
  task->updates_at_window = task->learner.n_updates;
  task->learn_seconds = 0;
}

static coh_status add_layers(coh_classify *task, coh_metric_row *exact) {
  if (!task->learner.n_window || !task->context->lanes.n_local) return COH_OK;
  const coh_health_rows rows = {
      .values = coh_workspace_data(task->lane[0].update, task->update.input),
      .n = task->lane_rows};
  return coh_layer_watch_look(&task->watch, task->params, &rows,
                              coh_learner_gradient(&task->learner, 0), exact);
}

static coh_status classify_metrics(void *pointer, coh_metric_row *exact,
                                   coh_metric_row *timing) {
  coh_classify *task = pointer;
  const coh_learner *learner = &task->learner;
  coh_metric_add(exact, "train/updates", (double)learner->n_updates);
  coh_metric_add(exact, "train/epoch",
                 (double)learner->n_updates /
                     (double)coh_loader_batches_per_epoch(task->loader));
  if (learner->n_window) {
    double rows = (double)(learner->n_window * task->options->loader.batch);
    coh_metric_add(exact, "train/loss", learner->tail[COH_CLASSIFY_TAIL_LOSS] / rows);
    coh_metric_add(exact, "train/accuracy", learner->tail[COH_CLASSIFY_TAIL_CORRECT] / rows);
  }
  if (learner->n_norms) coh_metric_add(exact, "train/gradient_norm", coh_learner_norm(learner));
  coh_metric_add(exact, "train/learning_rate", coh_optimizer_learning_rate(learner->optimizer));
  add_validation(task, exact);
  COH_TRY(add_layers(task, exact));
  add_timing(task, timing);
  coh_learner_restart(&task->learner);
  return COH_OK;
}

static const coh_task_chart charts[] = {
    {.name = "loss",
     .title = "Loss",
     .y_label = "cross-entropy",
     .caption =
         "Loss of minibatches (as trained: augmented, labels smoothed), of training rows "
         "as they are, and of the validation rows.",
     .curve = {{"train/loss", "minibatches", NULL, NULL, COH_CURVE_SMOOTHED},
               {"train/clean_loss", "training rows", NULL, NULL, COH_CURVE_MARKED},
               {"validation/loss", "validation", NULL, NULL, COH_CURVE_MARKED}},
     .train_loss = "train/clean_loss",
     .held_out_loss = "validation/loss"},
    {.name = "accuracy",
     .title = "Accuracy",
     .y_label = "share of rows",
     .caption =
         "Accuracy on minibatches (augmented), training rows as they are, and validation "
         "rows.",
     .curve = {{"train/accuracy", "minibatches", NULL, NULL, COH_CURVE_SMOOTHED},
               {"train/clean_accuracy", "training rows", NULL, NULL, COH_CURVE_MARKED},
               {"validation/accuracy", "validation", NULL, NULL, COH_CURVE_MARKED},
               {"eval/accuracy", "test", NULL, NULL, COH_CURVE_MARKED}}},
    {.name = "gradient",
     .title = "Gradient norm",
     .y_label = "norm",
     .logarithmic = true,
     .caption = "Euclidean norm of the gradient, every 64th update.",
     .curve = {{"train/gradient_norm", "norm", NULL, NULL, COH_CURVE_SMOOTHED}}},
    COH_LAYER_CHARTS,
    {.name = "learning_rate",
     .title = "Learning rate",
     .y_label = "rate",
     .caption = "Learning rate, schedule included.",
     .curve = {{"train/learning_rate", "rate", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "rate",
     .title = "Speed",
     .y_label = "a second",
     .from_timing = true,
     .logarithmic = true,
     .caption = "Rows and updates a second on this machine, and billions of operations in "
                "products while learning.",
     .curve = {{"rate/rows", "rows", NULL, NULL, COH_CURVE_LINE},
               {"rate/updates", "updates", NULL, NULL, COH_CURVE_LINE},
               {"rate/gflops", "10^9 operations", NULL, NULL, COH_CURVE_LINE}}},
    {0},
};

static const char *const progress[] = {"train/loss", "validation/accuracy",
                                       "validation/best_accuracy", "rate/rows", NULL};

const coh_task_type coh_task_classify = {
    .kind = {"classify",
             "Classifiers, MLPs and CNNs, of any labelled data, with validation, confusion and "
             "per-layer health.",
             coh_classify_option_table, sizeof(coh_classify_options)},
    .unit = "updates",
    .create = coh_classify_create,
    .destroy = coh_classify_destroy,
    .step = coh_classify_step,
    .position = classify_position,
    .finished = classify_finished,
    .metrics = classify_metrics,
    .evaluate = coh_classify_evaluate,
    .save = coh_classify_save,
    .load = coh_classify_load,
    .results = coh_classify_results,
    .charts = charts,
    .progress = progress,
};
