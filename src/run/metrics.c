/* The metric sink: rows go to JSON lines and to an event file at once, each whole or not at
 * all, so that a crash leaves nothing to repair and a checkpoint needs only three offsets. */
#include "run/metrics.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "io/append.h"
#include "io/events.h"
#include "io/file.h"
#include "io/json.h"

enum { MAX_NAME = 127 };

struct coh_metrics {
  coh_append *lines[2]; // by coh_metric_class
  coh_events *events;
  coh_text text; // kept between rows: writing allocates only while rows grow
};

static coh_status join(const char *folder, const char *name, char **path) {
  coh_text text = {0};
  coh_text_add(&text, "%s/%s", folder, name);
  return coh_text_take(&text, path);
}

static void warn_if_short(const char *path, int64_t found, int64_t expected) {
  if (found < expected)
    coh_log(COH_LOG_WARNING,
            "%s: has %lld of the %lld bytes of the checkpoint; going on after them", path,
            (long long)found, (long long)expected);
}

static coh_status open_lines(const char *folder, const char *name, int64_t keep_bytes,
                             coh_append **append) {
  char *path;
  COH_TRY(join(folder, name, &path));
  coh_status status = coh_append_open(path, keep_bytes, append);
  if (status == COH_OK) warn_if_short(path, coh_append_position(*append), keep_bytes);
  coh_free(path);
  return status;
}

static coh_status open_events(const char *folder, int64_t keep_bytes, coh_events **events) {
  char *path;
  COH_TRY(join(folder, "events.out.tfevents.cohort", &path));
  coh_status status = coh_events_open(path, keep_bytes, coh_clock_wall(), events);
  if (status == COH_OK) warn_if_short(path, coh_events_position(*events), keep_bytes);
  coh_free(path);
  return status;
}

coh_status coh_metrics_open(const char *folder, const coh_metrics_position *position,
                            coh_metrics **metrics) {
  coh_metrics_position keep = position ? *position : (coh_metrics_position){0};
  coh_metrics *made;
  COH_NEW(made, 1);
  coh_status status =
      open_lines(folder, "metrics.jsonl", keep.metrics_bytes, &made->lines[COH_METRIC_EXACT]);
  if (status == COH_OK)
    status =
        open_lines(folder, "timing.jsonl", keep.timing_bytes, &made->lines[COH_METRIC_TIMING]);
  if (status == COH_OK) status = open_events(folder, keep.events_bytes, &made->events);
  if (status == COH_OK)
    *metrics = made;
  else
    coh_metrics_close(&made);
  return status;
}

void coh_metrics_close(coh_metrics **metrics) {
  if (!*metrics) return;
  coh_append_close(&(*metrics)->lines[0]);
  coh_append_close(&(*metrics)->lines[1]);
  coh_events_close(&(*metrics)->events);
  coh_text_clear(&(*metrics)->text);
  COH_DELETE(*metrics);
}

static coh_status check_names(const coh_metric *row, int64_t n_row) {
  for (int64_t i = 0; i < n_row; i++) {
    size_t n = strlen(row[i].name);
    COH_CHECK(n > 0 && n <= MAX_NAME && strcmp(row[i].name, "step") != 0 &&
                  strcmp(row[i].name, "wall") != 0,
              COH_E_INTERNAL, "the metric name '%s' is not possible", row[i].name);
    for (int64_t k = 0; k < i; k++)
      COH_CHECK(strcmp(row[k].name, row[i].name) != 0, COH_E_INTERNAL,
                "the metric '%s' is given twice in a row", row[i].name);
  }
  return COH_OK;
}

// a row's line, composed in the kept text
static coh_status compose(coh_metrics *metrics, int64_t step, const double *wall,
                          const coh_metric *row, int64_t n_row) {
  metrics->text.n_bytes = 0;
  coh_json_writer json = {.text = &metrics->text};
  coh_json_begin_object(&json);
  coh_json_key(&json, "step");
  coh_json_int(&json, step);
  if (wall) {
    coh_json_key(&json, "wall");
    coh_json_real(&json, *wall);
  }
  for (int64_t i = 0; i < n_row; i++) {
    coh_json_key(&json, row[i].name);
    coh_json_real(&json, row[i].value);
  }
  coh_json_end_object(&json);
  coh_text_add_bytes(&metrics->text, "\n", 1);
  if (!metrics->text.failed) return COH_OK;
  coh_text_clear(&metrics->text);
  return coh_fail(COH_E_MEMORY, "out of memory for a row of metrics");
}

coh_status coh_metrics_write(coh_metrics *metrics, coh_metric_class metric_class, int64_t step,
                             const coh_metric *row, int64_t n_row) {
  double wall = coh_clock_wall();
  COH_TRY(check_names(row, n_row));
  COH_TRY(compose(metrics, step, metric_class == COH_METRIC_TIMING ? &wall : NULL, row, n_row));
  COH_TRY(coh_append_write(metrics->lines[metric_class], metrics->text.data,
                           metrics->text.n_bytes));
  for (int64_t i = 0; i < n_row; i++)
    COH_TRY(coh_events_scalar(metrics->events, row[i].name, step, wall, row[i].value));
  return COH_OK;
}

coh_status coh_metrics_image(coh_metrics *metrics, const char *tag, int64_t step,
                             const uint8_t *png, size_t n_bytes, int64_t width,
                             int64_t height) {
  return coh_events_image(metrics->events, tag, step, coh_clock_wall(), png, n_bytes, width,
                          height);
}

coh_status coh_metrics_sync(coh_metrics *metrics, coh_metrics_position *position) {
  COH_TRY(coh_append_sync(metrics->lines[COH_METRIC_EXACT]));
  COH_TRY(coh_append_sync(metrics->lines[COH_METRIC_TIMING]));
  COH_TRY(coh_events_sync(metrics->events));
  *position = (coh_metrics_position){coh_append_position(metrics->lines[COH_METRIC_EXACT]),
                                     coh_append_position(metrics->lines[COH_METRIC_TIMING]),
                                     coh_events_position(metrics->events)};
  return COH_OK;
}

coh_status coh_metrics_rewind(coh_metrics *metrics, const coh_metrics_position *position) {
  COH_TRY(coh_append_rewind(metrics->lines[COH_METRIC_EXACT], position->metrics_bytes));
  COH_TRY(coh_append_rewind(metrics->lines[COH_METRIC_TIMING], position->timing_bytes));
  return coh_events_rewind(metrics->events, position->events_bytes);
}
