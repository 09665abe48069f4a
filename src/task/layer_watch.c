/* Looking at layers while a network trains. */
#include "task/layer_watch.h"

#include "base/log.h"

coh_status coh_layer_watch_create(coh_layer_watch *watch, const coh_run_context *context,
                                  const coh_network *network) {
  *watch = (coh_layer_watch){0};
  return context->lanes.first == 0 && context->lanes.n_local > 0
             ? coh_health_create(network, &watch->health)
             : COH_OK;
}

void coh_layer_watch_destroy(coh_layer_watch *watch) {
  coh_health_destroy(&watch->health);
}

static void warn_once(coh_layer_watch *watch) {
  char text[COH_HEALTH_TEXT];
  int64_t about;
  for (int64_t k = 0; coh_health_warning(watch->health, k, &about, text); k++) {
    uint64_t bit = (uint64_t)1 << (about & 63);
    if (watch->said & bit) continue;
    watch->said |= bit;
    coh_log(COH_LOG_WARNING, "%s", text);
  }
}

coh_status coh_layer_watch_look(coh_layer_watch *watch, const float *params,
                                const coh_health_rows *rows, const float *gradient,
                                coh_metric_row *exact) {
  if (!watch->health) return COH_OK;
  COH_TRY(coh_health_look(watch->health, params, rows, gradient));
  watch->has_looked = true;
  const char *name;
  double value;
  for (int64_t k = 0; coh_health_metric(watch->health, k, &name, &value); k++)
    coh_metric_add(exact, name, value);
  warn_once(watch);
  return COH_OK;
}

void coh_layer_watch_results(const coh_layer_watch *watch, coh_results *results) {
  char text[COH_HEALTH_TEXT];
  int64_t about;
  if (!watch->has_looked) return;
  for (int64_t k = 0; coh_health_warning(watch->health, k, &about, text); k++)
    coh_results_warning(results, text);
}
