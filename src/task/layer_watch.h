/* The health of a network's layers in every training run: per layer, dead units, saturated
 * values and the norm of the gradient, as metrics, and a warning in the log the first time that
 * a layer goes wrong. The rank that holds lane 0 looks, at rows of that lane, when metrics are
 * due: so the numbers are functions of config and seed, and a step pays nothing. */
#ifndef COHORT_TASK_LAYER_WATCH_H
#define COHORT_TASK_LAYER_WATCH_H

#include "cohort/nn.h"
#include "cohort/task.h"
#include "explain/layer_health.h"

typedef struct coh_layer_watch {
  coh_health *health; /* NULL on the other ranks */
  uint64_t said;      /* warnings given, a bit each */
  bool has_looked;
} coh_layer_watch;

/* Begin to watch. network: borrowed for the watch's life. Not collective.
 * Fails: COH_E_MEMORY. */
coh_status coh_layer_watch_create(coh_layer_watch *watch, const coh_run_context *context,
                                  const coh_network *network);
void coh_layer_watch_destroy(coh_layer_watch *watch);

/* Look and add to the metrics. params, rows, gradient: as coh_health_look; rows and gradient
 * are lane 0's after an update. Does nothing on the other ranks. Not collective. */
coh_status coh_layer_watch_look(coh_layer_watch *watch, const float *params,
                                const coh_health_rows *rows, const float *gradient,
                                coh_metric_row *exact);

/* What was wrong at the last look, as warnings of the results. */
void coh_layer_watch_results(const coh_layer_watch *watch, coh_results *results);

/* Charts of these metrics, for a task's list. */
#define COH_LAYER_CHARTS                                                                      \
  {.name = "layer_gradients",                                                                 \
   .title = "Gradient by layer",                                                              \
   .y_label = "norm",                                                                         \
   .logarithmic = true,                                                                       \
   .caption =                                                                                 \
       "Euclidean norm of the gradient of each layer's parameters: lines far apart are "      \
       "gradients that vanish or explode on their way. At most eight layers.",                \
   .curve = {{"layer/*/gradient_norm", NULL, NULL, NULL, COH_CURVE_LINE}}},                   \
      {.name = "layer_dead",                                                                  \
       .title = "Dead units",                                                                 \
       .y_label = "share of units",                                                           \
       .caption = "Share of each activation's units (channels) whose slope is zero on every " \
                  "row looked at. At most eight layers.",                                     \
       .curve = {{"layer/*/dead", NULL, NULL, NULL, COH_CURVE_LINE}}},                        \
  {                                                                                           \
    .name = "layer_saturated", .title = "Saturated values", .y_label = "share of values",     \
    .caption =                                                                                \
        "Share of each activation's values where its slope is below a hundredth of its "      \
        "largest; about half is a rectifier's nature. At most eight layers.",                 \
    .curve = {                                                                                \
      {"layer/*/saturated", NULL, NULL, NULL, COH_CURVE_LINE}                                 \
    }                                                                                         \
  }

#endif
