/* Updates, and the validations between them. */
#include <string.h>

#include "base/clock.h"
#include "task/classify/classify.h"

void coh_classify_one_hot(const int32_t *labels, int64_t n, int64_t n_classes, float *target) {
  memset(target, 0, (size_t)(n * n_classes) * sizeof *target);
  for (int64_t i = 0; i < n; i++)
    target[i * n_classes + labels[i]] = 1;
}

static coh_status fill_lane(void *pointer, int64_t local) {
  coh_classify *task = pointer;
  const coh_classify_update *update = &task->update;
  coh_classify_lane *lane = &task->lane[local];
  coh_loader_fill(task->loader, task->learner.n_updates, lane->index,
                  coh_workspace_data(lane->update, update->input), lane->labels);
  coh_classify_one_hot(lane->labels, task->lane_rows, task->n_classes,
                       coh_workspace_data(lane->update, update->target));
  return COH_OK;
}

static coh_status finish_lane(void *pointer, int64_t local) {
  coh_classify *task = pointer;
  const coh_classify_update *update = &task->update;
  coh_classify_lane *lane = &task->lane[local];
  int64_t n = task->lane_rows, n_classes = task->n_classes;
  const float *logits = coh_workspace_data(lane->update, update->logits);
  const float *losses = coh_workspace_data(lane->update, update->losses);
  float *tail = coh_learner_gradient(&task->learner, local) + task->n_floats;
  memset(tail, 0, COH_LEARNER_TAIL * sizeof *tail);
  for (int64_t i = 0; i < n; i++) {
    tail[COH_CLASSIFY_TAIL_LOSS] += losses[i];
    const float *row = logits + i * n_classes;
    bool correct = true;
    for (int64_t k = 0; k < n_classes && correct; k++)
      correct = k == lane->labels[i] || row[k] < row[lane->labels[i]];
    tail[COH_CLASSIFY_TAIL_CORRECT] += correct ? 1 : 0;
  }
  return COH_OK;
}

static void keep_best(coh_classify *task, double now) {
  coh_classify_history *h = &task->history;
  bool better = h->n_validations == 0 || h->accuracy > h->best_accuracy ||
                (h->accuracy == h->best_accuracy && h->loss < h->best_accuracy_loss);
  if (better) {
    h->best_accuracy = h->accuracy;
    h->best_accuracy_loss = h->loss;
    h->best_at = now;
    coh_block_copy(task->best, task->params, task->n_floats);
  }
  bool lower = h->n_validations == 0 || h->loss < h->best_loss;
  if (lower) {
    h->best_loss = h->loss;
    h->best_loss_at = now;
    h->train_loss_at_best = h->train_loss;
  }
  if (h->n_validations == 0) h->first_loss = h->loss;
  h->n_since_best = better || lower ? 0 : h->n_since_best + 1;
  h->n_validations += 1;
}

static coh_status validate(coh_classify *task) {
  coh_classify_history *h = &task->history;
  coh_classify_score score;
  COH_TRY(
      coh_classify_measure(task, task->train, task->options->train_rows, task->params, &score));
  h->train_loss = score.loss;
  h->train_accuracy = score.accuracy;
  COH_TRY(coh_classify_measure(task, task->validation, INT64_MAX, task->params, &score));
  h->loss = score.loss;
  h->accuracy = score.accuracy;
  h->validated_at = (double)task->learner.n_updates;
  keep_best(task, h->validated_at);
  h->is_unreported = 1;
  return COH_OK;
}

coh_status coh_classify_step(void *pointer) {
  coh_classify *task = pointer;
  double begun = coh_clock_now();
  COH_TRY(
      coh_lane_pass_run(&task->pass, task->context->n_threads, fill_lane, finish_lane, task));
  COH_TRY(coh_layer_states_gather(&task->states, task->params));
  COH_TRY(coh_learner_step(&task->learner, task->params, 1));
  coh_layer_states_renew(&task->states, task->params);
  task->learn_seconds += coh_clock_now() - begun;
  if (task->learner.n_updates % task->validate_every == 0) return validate(task);
  return COH_OK;
}
