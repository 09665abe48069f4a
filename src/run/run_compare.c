/* Several runs in one page: runs whose configs differ only in the seed are one group, drawn as
 * their mean with Student's 95% interval; groups stand side by side in every chart. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "io/file.h"
#include "run/compare_groups.h"
#include "run/driver.h"
#include "run/fit.h"
#include "run/metrics.h"
#include "run/report.h"
#include "run/results.h"
#include "task/mean_interval.h"

enum { CELL_BYTES = 64 };

// ---- means and intervals -------------------------------------------------------------------

// a curve at a place, on the line between its neighbours; NAN beyond its ends
static double curve_at(const double *x, const double *y, int64_t n, double at) {
  int64_t low = 0, high = n - 1;
  if (n == 0 || at < x[0] || at > x[high]) return NAN;
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    if (x[middle] <= at)
      low = middle;
    else
      high = middle;
  }
  if (at == x[low] || high == low) return y[low];
  double way = (at - x[low]) / (x[high] - x[low]);
  return (1 - way) * y[low] + way * y[high];
}

typedef struct group_curve {
  double *x, *y, *low, *high;
  int64_t n;
} group_curve;

static void clear_curve(group_curve *curve) {
  coh_free(curve->x), coh_free(curve->y), coh_free(curve->low), coh_free(curve->high);
  *curve = (group_curve){0};
}

// add one run's curve to the values at every place of the first run's
static coh_status take_run(const compared *run, const char *metric, const group_curve *curve,
                           int64_t k, int64_t n_runs, double *values) {
  double *x = NULL, *y = NULL;
  int64_t n = 0;
  COH_TRY(coh_metrics_column(&run->table, metric, &x, &y, &n));
  for (int64_t i = 0; i < curve->n; i++)
    values[i * n_runs + k] = curve_at(x, y, n, curve->x[i]);
  coh_free(x), coh_free(y);
  return COH_OK;
}

// the mean curve of a group with its interval; places that a run lacks are left out
static coh_status mean_curve(const comparison *c, int64_t k, const char *metric,
                             group_curve *curve) {
  const compared_group *g = &c->group[k];
  *curve = (group_curve){0};
  COH_TRY(coh_metrics_column(&c->run[g->first].table, metric, &curve->x, &curve->y, &curve->n));
  if (curve->n == 0 || g->n == 1) return COH_OK;
  double *values;
  COH_NEW(values, curve->n * g->n);
  COH_NEW(curve->low, curve->n);
  COH_NEW(curve->high, curve->n);
  coh_status status = COH_OK;
  int64_t at = 0;
  for (int64_t i = 0; i < c->n_runs && status == COH_OK; i++)
    if (c->run[i].group == k) status = take_run(&c->run[i], metric, curve, at++, g->n, values);
  for (int64_t i = 0; status == COH_OK && i < curve->n; i++)
    coh_mean_interval(g->n, 1, values + i * g->n, &curve->y[i], &curve->low[i],
                      &curve->high[i]);
  coh_free(values);
  return status;
}

// ---- charts --------------------------------------------------------------------------------

typedef struct drawn_panel {
  group_curve curve[COMPARE_MAX_GROUPS];
  coh_series series[COMPARE_MAX_GROUPS];
  coh_panel panel;
} drawn_panel;

static coh_status make_panel(const comparison *c, const coh_task_type *task,
                             const coh_task_chart *chart, const coh_curve *of, drawn_panel *p) {
  static const coh_series_style styles[] = {COH_SERIES_LINE, COH_SERIES_SMOOTHED,
                                            COH_SERIES_MARKED};
  int64_t n = 0;
  for (int64_t k = 0; k < c->n_groups; k++) {
    group_curve *curve = &p->curve[k];
    COH_TRY(mean_curve(c, k, of->metric, curve));
    if (curve->n == 0) continue;
    p->series[n++] = (coh_series){.label = c->group[k].label,
                                  .style = styles[of->style],
                                  .n = curve->n,
                                  .x = curve->x,
                                  .y = curve->y,
                                  .lo = curve->low,
                                  .hi = curve->high,
                                  .color = (int)k + 1};
  }
  p->panel = (coh_panel){.title = of->label,
                         .x = {.label = task->unit},
                         .y = {.label = chart->y_label, .logarithmic = chart->logarithmic},
                         .series = p->series,
                         .n_series = n};
  return COH_OK;
}

static coh_status draw_panels(const comparison *c, const coh_task_chart *chart,
                              drawn_panel *panels, const char *folder, bool *drawn) {
  const coh_task_type *task = c->run[0].config.task;
  coh_panel list[COH_MAX_CURVES];
  int64_t n = 0;
  for (int k = 0; k < COH_MAX_CURVES && chart->curve[k].metric; k++) {
    if (strchr(chart->curve[k].metric, '*')) continue;
    COH_TRY(make_panel(c, task, chart, &chart->curve[k], &panels[k]));
    if (panels[k].panel.n_series) list[n++] = panels[k].panel;
  }
  if (n == 0) return COH_OK;
  coh_chart figure = {.title = chart->title, .panels = list, .n_panels = n};
  return coh_chart_write(&figure, folder, chart->name, drawn);
}

static coh_status add_chart(const comparison *c, const coh_task_chart *chart,
                            const char *folder, coh_report *report) {
  drawn_panel *panels;
  COH_NEW(panels, COH_MAX_CURVES);
  bool drawn = false;
  coh_status status = draw_panels(c, chart, panels, folder, &drawn);
  for (int k = 0; k < COH_MAX_CURVES; k++)
    for (int64_t i = 0; i < COMPARE_MAX_GROUPS; i++)
      clear_curve(&panels[k].curve[i]);
  coh_free(panels);
  if (status != COH_OK || !drawn) return status;
  char path[COH_PATH_BYTES + 64];
  snprintf(path, sizeof path, "%s/%s.svg", folder, chart->name);
  coh_report_picture picture = {.path = path, .caption = chart->caption};
  return coh_report_figure(report, &picture);
}

// ---- words and tables ----------------------------------------------------------------------

static coh_status say_fit(const comparison *c, const coh_task_chart *chart,
                          coh_report *report) {
  for (int64_t k = 0; chart->train_loss && k < c->n_groups; k++) {
    group_curve train, held_out;
    COH_TRY(mean_curve(c, k, chart->train_loss, &train));
    coh_status status = mean_curve(c, k, chart->held_out_loss, &held_out);
    coh_fit fit = {0};
    if (status == COH_OK && train.n == held_out.n)
      fit = coh_fit_judge(&(coh_fit_curves){train.x, train.y, held_out.y, train.n});
    clear_curve(&train), clear_curve(&held_out);
    COH_TRY(status);
    char words[400], text[600];
    coh_fit_describe(&fit, c->run[0].config.task->unit, words);
    if (!*words) continue;
    snprintf(text, sizeof text, "%s. %s", c->group[k].label, words);
    (fit.kind == COH_FIT_GOOD ? coh_report_text : coh_report_warning)(report, text);
  }
  return COH_OK;
}

static void add_groups(const comparison *c, coh_report *report) {
  static const char *const header[] = {"runs", "number", "seeds", "differs from the first in"};
  const char *cells[COMPARE_MAX_GROUPS * 4];
  char number[COMPARE_MAX_GROUPS][24];
  for (int64_t k = 0; k < c->n_groups; k++) {
    const compared_group *g = &c->group[k];
    snprintf(number[k], sizeof number[k], "%" PRId64, g->n);
    cells[4 * k] = g->label;
    cells[4 * k + 1] = number[k];
    cells[4 * k + 2] = g->seeds;
    cells[4 * k + 3] = k == 0 ? "" : g->differs;
  }
  coh_report_table(report, "Runs whose configs differ in the seed alone are one group.", header,
                   cells, c->n_groups, 4);
}

static void write_cell(const comparison *c, int64_t k, const char *key, char cell[CELL_BYTES]) {
  double value[256], mean, low, high;
  int64_t n = 0;
  for (int64_t i = 0; i < c->n_runs && n < 256; i++) {
    if (c->run[i].group != k) continue;
    double at = coh_results_value(c->run[i].results, key);
    if (isfinite(at)) value[n++] = at;
  }
  if (n == 0) {
    snprintf(cell, CELL_BYTES, "-");
    return;
  }
  coh_mean_interval(n, 1, value, &mean, &low, &high);
  if (n > 1)
    snprintf(cell, CELL_BYTES, "%.5g \xc2\xb1 %.2g", mean, (high - low) / 2);
  else
    snprintf(cell, CELL_BYTES, "%.5g", mean);
}

static coh_status add_numbers(const comparison *c, coh_report *report) {
  const coh_results *first = c->run[0].results;
  int64_t n = first->n_numbers, columns = c->n_groups + 1;
  if (n == 0) return COH_OK;
  const char *header[COMPARE_MAX_GROUPS + 1] = {"at the end"};
  for (int64_t k = 0; k < c->n_groups; k++)
    header[k + 1] = c->group[k].label;
  char(*text)[CELL_BYTES];
  COH_NEW(text, n * columns);
  const char **cells = coh_alloc_array((size_t)(n * columns), sizeof *cells);
  for (int64_t i = 0; cells && i < n; i++) {
    cells[i * columns] = first->number[i].label;
    for (int64_t k = 0; k < c->n_groups; k++) {
      write_cell(c, k, first->number[i].key, text[i * columns + k]);
      cells[i * columns + k + 1] = text[i * columns + k];
    }
  }
  if (cells)
    coh_report_table(report,
                     "Mean over the runs of a group, and half the width of Student's 95% "
                     "interval of that mean.",
                     header, cells, n, columns);
  coh_status status = cells ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for a table");
  coh_free(cells), coh_free(text);
  return status;
}

static coh_status compose(const comparison *c, const char *folder) {
  char title[64], figures[COH_PATH_BYTES], when[64], path[COH_PATH_BYTES];
  const coh_task_type *task = c->run[0].config.task;
  time_t now = time(NULL);
  struct tm parts;
  gmtime_r(&now, &parts);
  strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", &parts);
  snprintf(title, sizeof title, "%" PRId64 " runs compared", c->n_runs);
  snprintf(figures, sizeof figures, "%s/figures", folder);
  COH_TRY(coh_folder_make(figures));
  coh_report_head head = {
      .title = title, .subtitle = task->kind.doc, .task = task->kind.name, .written = when};
  coh_report *report = NULL;
  COH_TRY(coh_report_begin(&head, &report));
  coh_report_section(report, "Runs");
  add_groups(c, report);
  coh_status status = add_numbers(c, report);
  coh_report_section(report, "Curves");
  for (const coh_task_chart *chart = task->charts; status == COH_OK && chart && chart->name;
       chart++) {
    if (chart->from_timing) continue;
    status = say_fit(c, chart, report);
    if (status == COH_OK) status = add_chart(c, chart, figures, report);
  }
  if (status != COH_OK) {
    coh_report_discard(&report);
    return status;
  }
  snprintf(path, sizeof path, "%s/report.html", folder);
  return coh_report_end(&report, path);
}

// ---- reading -------------------------------------------------------------------------------

static coh_status read_run(const char *folder, compared *run) {
  char path[COH_PATH_BYTES];
  run->folder = folder;
  COH_NEW(run->results, 1);
  snprintf(path, sizeof path, "%s/config.yaml", folder);
  COH_CHECK(coh_file_exists(path), COH_E_DATA, "%s: is no run folder (it has no config.yaml)",
            folder);
  COH_TRY(coh_run_config_read(path, NULL, 0, &run->config));
  snprintf(path, sizeof path, "%s/metrics.jsonl", folder);
  COH_TRY(coh_metrics_read(path, &run->table));
  snprintf(path, sizeof path, "%s/results/summary.json", folder);
  return coh_file_exists(path) ? coh_results_load(folder, run->results) : COH_OK;
}

static void clear_run(compared *run) {
  if (run->config.run) coh_run_config_clear(&run->config);
  coh_metrics_clear(&run->table);
  if (run->results) coh_results_clear(run->results);
  coh_free(run->results);
}

coh_status coh_run_compare(const char *const *folders, int64_t n_folders, const char *folder) {
  comparison c = {.n_runs = n_folders};
  COH_CHECK(n_folders > 0, COH_E_CONFIG, "no run to compare");
  COH_NEW(c.run, n_folders);
  coh_status status = COH_OK;
  for (int64_t i = 0; i < n_folders && status == COH_OK; i++) {
    status = read_run(folders[i], &c.run[i]);
    if (status == COH_OK && c.run[i].config.task != c.run[0].config.task)
      status = coh_fail(COH_E_CONFIG,
                        "%s is a run of %s and %s of %s: only runs of one task "
                        "can be compared",
                        folders[0], c.run[0].config.task->kind.name, folders[i],
                        c.run[i].config.task->kind.name);
  }
  if (status == COH_OK) status = compare_form_groups(&c);
  if (status == COH_OK) status = coh_folder_make(folder);
  if (status == COH_OK) status = compose(&c, folder);
  for (int64_t i = 0; i < n_folders; i++)
    clear_run(&c.run[i]);
  coh_free(c.run);
  return status;
}
