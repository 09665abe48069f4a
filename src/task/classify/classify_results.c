/* What a finished run shows: accuracy with its interval, the confusion, and what the curves
 * say.
 */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "task/classify/classify.h"

// Wilson's 95% interval of a share of n
static void wilson(double share, double n, double *low, double *high) {
  const double z = 1.96;
  double centre = share + z * z / (2 * n),
         width = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  *low = (centre - width) / (1 + z * z / n);
  *high = (centre + width) / (1 + z * z / n);
}

static void add_accuracy(coh_results *results, const char *key, const char *label,
                         const coh_classify_score *score) {
  char text[64], note[160];
  double low, high;
  wilson(score->accuracy, (double)score->n_rows, &low, &high);
  snprintf(text, sizeof text, "%.2f%%", 100 * score->accuracy);
  snprintf(note, sizeof note, "95%% interval %.2f%% to %.2f%%, %lld rows, loss %.4f", 100 * low,
           100 * high, (long long)score->n_rows, score->loss);
  coh_results_number(results, key, score->accuracy, text, label, note);
}

static void say_which_weights(const coh_classify *task, coh_results *results) {
  const coh_classify_history *h = &task->history;
  char text[320];
  if (h->n_validations == 0) return;
  bool best = task->options->keep == COH_CLASSIFY_BEST;
  snprintf(text, sizeof text,
           "The model is that of %s: update %.0f of %lld. The best validation accuracy was "
           "%.2f%%, at update %.0f; the lowest validation loss %.4f, at update %.0f.",
           best ? "the best validation" : "the end",
           best ? h->best_at : (double)task->learner.n_updates,
           (long long)task->learner.n_updates, 100 * h->best_accuracy, h->best_at, h->best_loss,
           h->best_loss_at);
  coh_results_text(results, text);
}

// judge a set and keep the answer to every row, on all ranks
static coh_status measure_answers(coh_classify *task, const coh_dataset *judged,
                                  coh_classify_score *score, int64_t **answers) {
  int64_t n = coh_dataset_spec_of(judged)->n_rows;
  *answers = coh_alloc_array((size_t)n, sizeof **answers);
  coh_status status = *answers ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for answers");
  COH_TRY(coh_comm_agree(task->context->world, status));
  task->answers = *answers;
  status = coh_classify_measure(task, judged, INT64_MAX, coh_classify_model(task), score);
  task->answers = NULL;
  COH_TRY(status);
  return coh_comm_reduce_int(task->context->world, COH_REDUCE_SUM, *answers, n);
}

coh_status coh_classify_results(void *pointer, coh_results *results) {
  coh_classify *task = pointer;
  coh_classify_score score;
  if (task->test) {
    COH_TRY(coh_classify_measure(task, task->validation, INT64_MAX, coh_classify_model(task),
                                 &score));
    add_accuracy(results, "validation_accuracy", "validation accuracy", &score);
  }
  int64_t *answers = NULL;
  coh_status status =
      measure_answers(task, task->test ? task->test : task->validation, &score, &answers);
  if (status == COH_OK) {
    add_accuracy(results, "accuracy", task->test ? "test accuracy" : "validation accuracy",
                 &score);
    say_which_weights(task, results);
    status = coh_classify_show_confusion(task, answers, results);
    coh_layer_watch_results(&task->watch, results);
  }
  coh_free(answers);
  return status;
}
