/* What a finished run shows: accuracy with its interval, the confusion, and what the curves
 * say.
 */
#include <math.h>
#include <stdio.h>

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

coh_status coh_classify_results(void *pointer, coh_results *results) {
  coh_classify *task = pointer;
  coh_classify_score score;
  if (task->test) {
    COH_TRY(coh_classify_measure(task, task->validation, INT64_MAX, coh_classify_model(task),
                                 &score));
    add_accuracy(results, "validation_accuracy", "validation accuracy", &score);
  }
  COH_TRY(coh_classify_measure(task, task->test ? task->test : task->validation, INT64_MAX,
                               coh_classify_model(task), &score));
  add_accuracy(results, "accuracy", task->test ? "test accuracy" : "validation accuracy",
               &score);
  return COH_OK;
}
