/* The report of a sweep: the compared result over each axis, the curves of the settings over
 * training, a table of settings and one of runs. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "draw/figure.h"
#include "io/file.h"
#include "run/driver.h"
#include "run/report.h"
#include "run/sweep.h"

enum { MOST_CURVES = 8, SHOWN_ROWS = 200 };

/* ---- the compared result over an axis ---- */

// one axis as a panel: a point a run, and the mean of each value over everything else
typedef struct axis_plot {
  double *x, *y, *at, *mean;
  int64_t n, n_values;
  bool is_numeric, is_logarithmic;
  char label[512];
  coh_series series[2];
} axis_plot;

static void axis_plot_clear(axis_plot *plot) {
  coh_free(plot->x), coh_free(plot->y), coh_free(plot->at), coh_free(plot->mean);
}

// distinct values of an axis in order of appearance; member i has the which[i]-th
static int64_t distinct(const coh_sweep_plan *plan, int64_t axis, int64_t *which,
                        int64_t *first) {
  int64_t n = 0;
  for (int64_t i = 0; i < plan->n_members; i++) {
    int64_t k = 0;
    while (k < n &&
           strcmp(plan->member[first[k]].value[axis], plan->member[i].value[axis]) != 0)
      k++;
    if (k == n) first[n++] = i;
    which[i] = k;
  }
  return n;
}

// where the values lie on the x axis: numbers as they are, words at 1, 2, ...
static void place_values(const coh_sweep_plan *plan, int64_t axis, const int64_t *first,
                         axis_plot *plot) {
  double low = INFINITY, high = -INFINITY;
  plot->is_numeric = true;
  for (int64_t k = 0; k < plot->n_values; k++) {
    if (!coh_text_to_real(plan->member[first[k]].value[axis], &plot->at[k]))
      plot->is_numeric = false;
    low = fmin(low, plot->at[k]);
    high = fmax(high, plot->at[k]);
  }
  plot->is_logarithmic = plot->is_numeric && low > 0 && high / low >= 20;
  size_t n = (size_t)snprintf(plot->label, sizeof plot->label, "%s", plan->axis[axis].key);
  for (int64_t k = 0; k < plot->n_values && !plot->is_numeric; k++) {
    plot->at[k] = (double)(k + 1);
    if (n < sizeof plot->label)
      n += (size_t)snprintf(plot->label + n, sizeof plot->label - n, "%s%lld = %.40s",
                            k ? ", " : ": ", (long long)k + 1,
                            plan->member[first[k]].value[axis]);
  }
}

static void sort_means(axis_plot *plot) {
  for (int64_t i = 1; i < plot->n_values; i++)
    for (int64_t k = i; k > 0 && plot->at[k] < plot->at[k - 1]; k--) {
      double at = plot->at[k], mean = plot->mean[k];
      plot->at[k] = plot->at[k - 1], plot->mean[k] = plot->mean[k - 1];
      plot->at[k - 1] = at, plot->mean[k - 1] = mean;
    }
}

static coh_status make_axis_plot(const coh_sweep_table *table, int64_t axis, axis_plot *plot) {
  const coh_sweep_plan *plan = table->plan;
  const double *value = table->value[table->compared];
  int64_t *which = coh_alloc_array((size_t)plan->n_members * 3, sizeof *which);
  COH_CHECK(which, COH_E_MEMORY, "out of memory for a figure");
  int64_t *first = which + plan->n_members, *count = first + plan->n_members;
  COH_NEW(plot->x, plan->n_members);
  COH_NEW(plot->y, plan->n_members);
  COH_NEW(plot->at, plan->n_members);
  COH_NEW(plot->mean, plan->n_members);
  plot->n_values = distinct(plan, axis, which, first);
  place_values(plan, axis, first, plot);
  for (int64_t i = 0; i < plan->n_members; i++) {
    if (!isfinite(value[i])) continue;
    plot->x[plot->n] = plot->at[which[i]];
    plot->y[plot->n++] = value[i];
    plot->mean[which[i]] += value[i];
    count[which[i]]++;
  }
  for (int64_t k = 0; k < plot->n_values; k++)
    plot->mean[k] = count[k] ? plot->mean[k] / (double)count[k] : NAN;
  coh_free(which);
  sort_means(plot);
  plot->series[0] = (coh_series){.label = "a run",
                                 .style = COH_SERIES_POINTS,
                                 .n = plot->n,
                                 .x = plot->x,
                                 .y = plot->y,
                                 .color = 2};
  // a mean of one run each would only draw a line through the points
  bool has_means = plot->n > plot->n_values;
  plot->series[1] = (coh_series){.label = "mean",
                                 .style = COH_SERIES_MARKED,
                                 .n = has_means ? plot->n_values : 0,
                                 .x = plot->at,
                                 .y = plot->mean,
                                 .color = 1};
  return COH_OK;
}

// the first and the last value stand apart from the frame
static void keep_off_frame(const axis_plot *plot, coh_axis *axis) {
  double low = plot->at[0], high = plot->at[plot->n_values - 1];
  double factor = pow(high / low, 0.08), margin = 0.08 * (high - low);
  axis->min = plot->is_logarithmic ? low / factor : low - margin;
  axis->max = plot->is_logarithmic ? high * factor : high + margin;
}

static coh_status draw_axes(const coh_sweep_table *table, const char *figures, bool *drawn) {
  *drawn = false;
  const coh_sweep_plan *plan = table->plan;
  if (table->compared < 0 || plan->n_axes == 0) return COH_OK;
  axis_plot plots[COH_MAX_SWEEP_AXES] = {0};
  coh_panel panels[COH_MAX_SWEEP_AXES];
  coh_status status = COH_OK;
  for (int64_t k = 0; k < plan->n_axes && status == COH_OK; k++) {
    status = make_axis_plot(table, k, &plots[k]);
    panels[k] = (coh_panel){
        .x = {.label = plots[k].label, .logarithmic = plots[k].is_logarithmic},
        .y = {.label = table->label[table->compared]},
        .series = plots[k].series,
        .n_series = plots[k].series[1].n ? 2 : 1,
    };
    if (status == COH_OK) keep_off_frame(&plots[k], &panels[k].x);
  }
  coh_chart chart = {.panels = panels, .n_panels = plan->n_axes};
  if (status == COH_OK && plots[0].n > 0)
    status = coh_chart_write(&chart, figures, "metric", drawn);
  for (int64_t k = 0; k < plan->n_axes; k++)
    axis_plot_clear(&plots[k]);
  return status;
}

/* ---- curves over training ---- */

typedef struct setting_curve {
  double *x, *mean, *error;
  int64_t n;
} setting_curve;

// add one member's curve: sums and sums of squares at the steps that all members have
static coh_status add_member(const char *folder, int64_t member, const char *metric, int64_t *k,
                             setting_curve *curve) {
  char path[COH_PATH_BYTES], file[COH_PATH_BYTES + 32];
  coh_sweep_member_folder(folder, member, path, sizeof path);
  snprintf(file, sizeof file, "%s/metrics.jsonl", path);
  if (!coh_file_exists(file)) return COH_OK;
  coh_metrics_table table = {0};
  double *x = NULL, *y = NULL;
  int64_t n = 0;
  COH_TRY(coh_metrics_read(file, &table));
  coh_status status = coh_metrics_column(&table, metric, &x, &y, &n);
  if (status == COH_OK && n > 0) {
    if (*k == 0) {
      curve->n = n;
      curve->x = x, curve->mean = y, x = y = NULL;
      curve->error = coh_alloc_array((size_t)n, sizeof *curve->error);
      if (!curve->error) status = coh_fail(COH_E_MEMORY, "out of memory for a figure");
      for (int64_t i = 0; i < n && curve->error; i++)
        curve->error[i] = 0;
    } else {
      if (n < curve->n) curve->n = n;
      // Welford's update, one member after the other
      for (int64_t i = 0; i < curve->n; i++) {
        double delta = y[i] - curve->mean[i];
        curve->mean[i] += delta / (double)(*k + 1);
        curve->error[i] += delta * (y[i] - curve->mean[i]);
      }
    }
    ++*k;
  }
  coh_free(x), coh_free(y);
  coh_metrics_clear(&table);
  return status;
}

static coh_status make_curve(const coh_sweep_table *table, const char *folder, int64_t setting,
                             const char *metric, setting_curve *curve) {
  int64_t k = 0;
  for (int64_t i = 0; i < table->plan->n_members; i++)
    if (table->plan->member[i].setting == setting)
      COH_TRY(add_member(folder, i, metric, &k, curve));
  // mean -+ one standard error; a single run has none
  for (int64_t i = 0; i < curve->n; i++) {
    double error = k > 1 ? sqrt(curve->error[i] / (double)(k - 1) / (double)k) : 0;
    curve->error[i] = error;
  }
  return COH_OK;
}

// the settings with the highest and the lowest mean, all of them where they are few
static int64_t choose_settings(const coh_sweep_table *table, int64_t chosen[MOST_CURVES]) {
  int64_t n = table->plan->n_settings;
  if (n <= MOST_CURVES) {
    for (int64_t k = 0; k < n; k++)
      chosen[k] = k;
    return n;
  }
  int64_t n_chosen = 0;
  for (int side = 0; side < 2; side++)
    for (int64_t turn = 0; turn < MOST_CURVES / 2; turn++) {
      int64_t best = -1;
      double best_mean = 0;
      for (int64_t k = 0; k < n; k++) {
        double mean = coh_sweep_summarize(table, k).mean;
        bool taken = !isfinite(mean);
        for (int64_t c = 0; c < n_chosen; c++)
          taken = taken || chosen[c] == k;
        if (!taken && (best < 0 || (side == 0 ? mean > best_mean : mean < best_mean)))
          best = k, best_mean = mean;
      }
      if (best >= 0) chosen[n_chosen++] = best;
    }
  return n_chosen;
}

static int64_t first_member(const coh_sweep_plan *plan, int64_t setting) {
  int64_t i = 0;
  while (plan->member[i].setting != setting)
    i++;
  return i;
}

static coh_status draw_curves(const coh_sweep_table *table, const char *folder,
                              const char *figures, bool *drawn) {
  *drawn = false;
  coh_run_config config = {0};
  COH_TRY(coh_run_config_read(table->plan->config, (const char *const *)table->plan->fixed,
                              table->plan->n_fixed, &config));
  const coh_task_chart *chart = config.task->charts;
  int64_t chosen[MOST_CURVES], n_series = 0;
  int64_t n_chosen = chart && chart->name ? choose_settings(table, chosen) : 0;
  setting_curve curves[MOST_CURVES] = {0};
  coh_series series[MOST_CURVES];
  char labels[MOST_CURVES][96];
  double *bounds[MOST_CURVES][2] = {0};
  coh_status status = COH_OK;
  for (int64_t c = 0; c < n_chosen && status == COH_OK; c++) {
    setting_curve *curve = &curves[c];
    status = make_curve(table, folder, chosen[c], chart->curve[0].metric, curve);
    if (status != COH_OK || curve->n == 0) continue;
    for (int side = 0; side < 2; side++) {
      double *bound = coh_alloc_array((size_t)curve->n, sizeof *bound);
      bounds[c][side] = bound;
      for (int64_t i = 0; bound && i < curve->n; i++)
        bound[i] = curve->mean[i] + (side ? curve->error[i] : -curve->error[i]);
    }
    coh_sweep_words(table->plan, first_member(table->plan, chosen[c]), false, labels[c],
                    sizeof labels[c]);
    series[n_series++] = (coh_series){.label = labels[c],
                                      .n = curve->n,
                                      .x = curve->x,
                                      .y = curve->mean,
                                      .lo = bounds[c][0],
                                      .hi = bounds[c][1]};
  }
  if (status == COH_OK && n_series > 0) {
    coh_panel panel = {.x = {.label = config.task->unit},
                       .y = {.label = chart->y_label, .logarithmic = chart->logarithmic},
                       .series = series,
                       .n_series = n_series};
    coh_chart figure = {.panels = &panel, .n_panels = 1};
    status = coh_chart_write(&figure, figures, "curves", drawn);
  }
  for (int64_t c = 0; c < n_chosen; c++) {
    coh_free(curves[c].x), coh_free(curves[c].mean), coh_free(curves[c].error);
    coh_free(bounds[c][0]), coh_free(bounds[c][1]);
  }
  coh_run_config_clear(&config);
  return status;
}

/* ---- the page ---- */

static void word_number(double value, char text[32]) {
  if (isfinite(value))
    snprintf(text, 32, "%.4g", value);
  else
    text[0] = '\0';
}

static coh_status add_settings(const coh_sweep_table *table, coh_report *report) {
  const coh_sweep_plan *plan = table->plan;
  int64_t n_rows = plan->n_settings < SHOWN_ROWS ? plan->n_settings : SHOWN_ROWS;
  int64_t n_columns = plan->n_axes + 5;
  const char *header[COH_MAX_SWEEP_AXES + 5];
  for (int64_t k = 0; k < plan->n_axes; k++)
    header[k] = plan->axis[k].key;
  static const char *const last[] = {"runs", "mean", "standard error", "lowest", "highest"};
  memcpy(header + plan->n_axes, last, sizeof last);
  const char **cells;
  char(*numbers)[5][32];
  COH_NEW(cells, n_rows * n_columns);
  numbers = coh_alloc_array((size_t)n_rows, sizeof *numbers);
  if (numbers) {
    for (int64_t r = 0; r < n_rows; r++) {
      coh_sweep_summary s = coh_sweep_summarize(table, r);
      for (int64_t k = 0; k < plan->n_axes; k++)
        cells[r * n_columns + k] = plan->member[first_member(plan, r)].value[k];
      snprintf(numbers[r][0], 32, "%lld", (long long)s.n);
      const double values[] = {s.mean, s.error, s.low, s.high};
      for (int k = 0; k < 4; k++)
        word_number(values[k], numbers[r][k + 1]);
      for (int k = 0; k < 5; k++)
        cells[r * n_columns + plan->n_axes + k] = numbers[r][k];
    }
    char caption[256];
    snprintf(caption, sizeof caption, "Settings%s: %s.",
             n_rows < plan->n_settings ? " (the first 200; settings.csv has all)" : "",
             table->compared >= 0 ? table->label[table->compared] : "no result to compare");
    coh_report_table(report, caption, header, cells, n_rows, n_columns);
  }
  coh_free(numbers);
  coh_free(cells);
  COH_CHECK(numbers, COH_E_MEMORY, "out of memory for the report of a sweep");
  return COH_OK;
}

static void add_failures(const coh_sweep_table *table, coh_report *report) {
  for (int64_t i = 0; i < table->plan->n_members; i++) {
    if (!table->outcome[i].is_known || table->outcome[i].status == COH_OK) continue;
    char words[512], line[2048];
    coh_sweep_words(table->plan, i, true, words, sizeof words);
    snprintf(line, sizeof line, "Run %04lld (%s) failed: %s", (long long)i + 1, words,
             table->outcome[i].message);
    coh_report_warning(report, line);
  }
}

static void add_extremes(const coh_sweep_table *table, coh_report *report) {
  int64_t low = -1, high = -1;
  for (int64_t k = 0; k < table->plan->n_settings; k++) {
    double mean = coh_sweep_summarize(table, k).mean;
    if (!isfinite(mean)) continue;
    if (low < 0 || mean < coh_sweep_summarize(table, low).mean) low = k;
    if (high < 0 || mean > coh_sweep_summarize(table, high).mean) high = k;
  }
  const struct {
    int64_t setting;
    const char *label;
  } rows[] = {{high, "highest"}, {low, "lowest"}};
  for (int k = 0; k < 2 && high >= 0 && high != low; k++) {
    char value[32], label[256], words[512];
    word_number(coh_sweep_summarize(table, rows[k].setting).mean, value);
    snprintf(label, sizeof label, "%s %s", rows[k].label, table->label[table->compared]);
    coh_sweep_words(table->plan, first_member(table->plan, rows[k].setting), false, words,
                    sizeof words);
    coh_report_number(report, value, label, words);
  }
}

static coh_status add_figures(const coh_sweep_table *table, const char *folder,
                              coh_report *report) {
  char figures[COH_PATH_BYTES], path[COH_PATH_BYTES + 32];
  snprintf(figures, sizeof figures, "%s/figures", folder);
  COH_TRY(coh_folder_make(figures));
  bool has_axes = false, has_curves = false;
  COH_TRY(draw_axes(table, figures, &has_axes));
  COH_TRY(draw_curves(table, folder, figures, &has_curves));
  snprintf(path, sizeof path, "%s/metric.svg", figures);
  if (has_axes)
    COH_TRY(coh_report_figure(
        report, &(coh_report_picture){.path = path,
                                      .caption = "Every run, and the mean over all runs that "
                                                 "share a value, whatever else they vary."}));
  snprintf(path, sizeof path, "%s/curves.svg", figures);
  if (has_curves)
    COH_TRY(coh_report_figure(
        report,
        &(coh_report_picture){.path = path,
                              .caption = "Mean over seeds and one standard error. Of many "
                                         "settings the four highest and the four lowest."}));
  return COH_OK;
}

coh_status coh_sweep_report_write(const coh_sweep_table *table, const char *folder) {
  char when[64], subtitle[256], path[COH_PATH_BYTES], count[32];
  time_t now = time(NULL);
  struct tm parts;
  gmtime_r(&now, &parts);
  strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", &parts);
  const coh_sweep_plan *plan = table->plan;
  const char *name = strrchr(folder, '/');
  name = name && name[1] ? name + 1 : folder;
  snprintf(subtitle, sizeof subtitle, "%lld settings, %lld runs.", (long long)plan->n_settings,
           (long long)plan->n_members);
  bool is_over = table->n_finished + table->n_failed == plan->n_members;
  coh_report_head head = {.title = name,
                          .subtitle = subtitle,
                          .task = "sweep",
                          .status = is_over ? "finished" : "running",
                          .written = when};
  coh_report *report = NULL;
  COH_TRY(coh_report_begin(&head, &report));
  snprintf(count, sizeof count, "%lld of %lld", (long long)table->n_finished,
           (long long)plan->n_members);
  coh_report_number(report, count, "runs finished", NULL);
  add_extremes(table, report);
  coh_report_section(report, "Results");
  add_failures(table, report);
  coh_status status = add_figures(table, folder, report);
  if (status == COH_OK) status = add_settings(table, report);
  if (status == COH_OK)
    coh_report_text(report,
                    "Every run has a folder of its own with a report, members/NNNN, with "
                    "the bits that it has alone. All results: sweep.csv.");
  if (status != COH_OK) {
    coh_report_discard(&report);
    return status;
  }
  snprintf(path, sizeof path, "%s/report.html", folder);
  return coh_report_end(&report, path);
}

static void print_lines(const coh_sweep_table *table, const char *folder, FILE *output) {
  const coh_sweep_plan *plan = table->plan;
  fprintf(output, "%-24s %lld of %lld, %lld failed\n", "runs", (long long)table->n_finished,
          (long long)plan->n_members, (long long)table->n_failed);
  if (table->compared >= 0)
    fprintf(output, "%-24s %s, mean over seeds\n", "compared", table->label[table->compared]);
  for (int64_t k = 0; k < plan->n_settings && k < 50; k++) {
    char words[512], mean[32], error[32];
    coh_sweep_summary s = coh_sweep_summarize(table, k);
    coh_sweep_words(plan, first_member(plan, k), false, words, sizeof words);
    word_number(s.mean, mean), word_number(s.error, error);
    fprintf(output, "%-24s %s%s%s\n", *mean ? mean : "failed", words, *error ? "  +- " : "",
            error);
  }
  fprintf(output, "%-24s %s/sweep.csv\n%-24s %s/report.html\n", "table", folder, "report",
          folder);
  fflush(output);
}

coh_status coh_run_sweep_report(const char *folder, FILE *output) {
  coh_sweep_plan plan;
  COH_TRY(coh_sweep_plan_load(folder, &plan));
  coh_sweep_table table;
  coh_status status = coh_sweep_table_read(folder, &plan, &table);
  if (status == COH_OK) {
    status = coh_sweep_table_write(&table, folder);
    if (status == COH_OK) status = coh_sweep_report_write(&table, folder);
    if (status == COH_OK && output) print_lines(&table, folder, output);
    coh_sweep_table_clear(&table);
  }
  coh_sweep_plan_clear(&plan);
  return status;
}
