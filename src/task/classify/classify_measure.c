/* Judging rows: blocks of a fixed size dealt to lanes, loss and confusion summed over them. */
#include <math.h>
#include <string.h>

#include "task/classify/classify.h"
#include "task/lane_loop.h"

float *coh_classify_model(coh_classify *task) {
  bool best = task->options->keep == COH_CLASSIFY_BEST && task->history.n_validations > 0;
  return best ? task->best : task->params;
}

// mirror n images in place
static void mirror_rows(const coh_dataset_spec *spec, int64_t n, float *rows) {
  int64_t width = spec->shape[1], channels = spec->shape[2];
  for (int64_t line = 0; line < n * spec->shape[0]; line++) {
    float *pixels = rows + line * width * channels;
    for (int64_t x = 0; x < width / 2; x++)
      for (int64_t c = 0; c < channels; c++) {
        float *left = pixels + x * channels + c;
        float *right = pixels + (width - 1 - x) * channels + c, kept = *left;
        *left = *right;
        *right = kept;
      }
  }
}

coh_status coh_classify_judge_rows(const coh_classify *task, coh_classify_lane *lane,
                                   const coh_dataset *dataset, int64_t first, int64_t n) {
  const coh_classify_judge *judge = &task->judge;
  float *input = coh_workspace_data(lane->judge, judge->input);
  const float *logits = coh_workspace_data(lane->judge, judge->logits);
  int64_t n_logits = n * task->n_classes;
  coh_dataset_read(dataset, first, n, coh_loader_affine(task->loader), input);
  memset(input + n * task->spec->n_values, 0,
         (size_t)((COH_CLASSIFY_BLOCK - n) * task->spec->n_values) * sizeof *input);
  COH_TRY(coh_program_run(judge->program, lane->judge));
  memcpy(lane->logits, logits, (size_t)n_logits * sizeof *logits);
  if (!task->options->mirror) return COH_OK;
  mirror_rows(task->spec, n, input);
  COH_TRY(coh_program_run(judge->program, lane->judge));
  for (int64_t i = 0; i < n_logits; i++)
    lane->logits[i] = 0.5f * (lane->logits[i] + logits[i]);
  return COH_OK;
}

// - log softmax of the label, and the largest logit
static double judge_row(const float *logits, int64_t n_classes, int32_t label,
                        int64_t *answer) {
  int64_t top = 0;
  for (int64_t k = 1; k < n_classes; k++)
    if (logits[k] > logits[top]) top = k;
  double sum = 0;
  for (int64_t k = 0; k < n_classes; k++)
    sum += exp((double)logits[k] - (double)logits[top]);
  *answer = top;
  return log(sum) + (double)logits[top] - (double)logits[label];
}

static coh_status judge_lane(void *pointer, int64_t local) {
  const coh_classify *task = pointer;
  coh_classify_lane *lane = &task->lane[local];
  const int32_t *labels = coh_dataset_labels(task->judged);
  int64_t n_classes = task->n_classes, n_lanes = task->context->lanes.n_lanes;
  lane->loss = 0;
  memset(lane->counts, 0, (size_t)(n_classes * n_classes) * sizeof *lane->counts);
  COH_TRY(coh_workspace_bind_parameters(lane->judge, task->judged_params));
  for (int64_t first = lane->index * COH_CLASSIFY_BLOCK; first < task->judged_rows;
       first += n_lanes * COH_CLASSIFY_BLOCK) {
    int64_t left = task->judged_rows - first;
    int64_t n = left < COH_CLASSIFY_BLOCK ? left : COH_CLASSIFY_BLOCK;
    COH_TRY(coh_classify_judge_rows(task, lane, task->judged, first, n));
    for (int64_t i = 0; i < n; i++) {
      int64_t answer;
      int32_t label = labels[first + i];
      lane->loss += judge_row(lane->logits + i * n_classes, n_classes, label, &answer);
      lane->counts[label * n_classes + answer]++;
      if (task->answers) task->answers[first + i] = 1 + answer;
    }
  }
  return COH_OK;
}

coh_status coh_classify_measure(coh_classify *task, const coh_dataset *dataset, int64_t n_rows,
                                const float *params, coh_classify_score *score) {
  int64_t n_local = task->context->lanes.n_local, n_classes = task->n_classes;
  int64_t n_all = coh_dataset_spec_of(dataset)->n_rows;
  task->judged = dataset;
  task->judged_params = params;
  task->judged_rows = n_rows < n_all ? n_rows : n_all;
  COH_TRY(coh_lane_loop(task->context->n_threads, n_local, judge_lane, task));
  double loss;
  for (int64_t i = 0; i < n_local; i++)
    task->sources[i] = &task->lane[i].loss;
  COH_TRY(coh_lane_sum_run(task->sum_real, task->sources, 1, &loss));
  for (int64_t i = 0; i < n_local; i++)
    task->sources[i] = task->lane[i].counts;
  COH_TRY(
      coh_lane_sum_run(task->sum_count, task->sources, n_classes * n_classes, task->counts));
  int64_t n_correct = 0;
  for (int64_t k = 0; k < n_classes; k++)
    n_correct += task->counts[k * n_classes + k];
  double n = (double)task->judged_rows;
  *score = (coh_classify_score){loss / n, (double)n_correct / n, task->judged_rows};
  return COH_OK;
}

coh_status coh_classify_evaluate(void *pointer, coh_metric_row *exact) {
  coh_classify *task = pointer;
  coh_classify_score score;
  COH_TRY(coh_classify_measure(task, task->test ? task->test : task->validation, INT64_MAX,
                               coh_classify_model(task), &score));
  coh_metric_add(exact, "eval/accuracy", score.accuracy);
  coh_metric_add(exact, "eval/loss", score.loss);
  coh_metric_add(exact, "eval/rows", (double)score.n_rows);
  return COH_OK;
}
