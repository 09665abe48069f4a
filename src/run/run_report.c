/* From a run folder to figures and report.html: charts as the task's table describes them, key
 * numbers and pictures from results/summary.json, the config and the machine. */
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
#include "run/fit.h"
#include "run/report.h"
#include "run/run_trace.h"

enum { TEXT_BYTES = 1 << 20 };

// the columns of one curve, owned
typedef struct curve_data {
  double *x, *y, *low, *high;
} curve_data;

static void curve_clear(curve_data *data) {
  coh_free(data->x), coh_free(data->y);
  coh_free(data->low), coh_free(data->high);
}

static coh_status read_curve(const coh_metrics_table *table, const coh_curve *curve,
                             curve_data *data, coh_series *series) {
  static const coh_series_style styles[] = {COH_SERIES_LINE, COH_SERIES_SMOOTHED,
                                            COH_SERIES_MARKED};
  int64_t n_low = 0, n_high = 0;
  *series = (coh_series){.label = curve->label, .style = styles[curve->style]};
  COH_TRY(coh_metrics_column(table, curve->metric, &data->x, &data->y, &series->n));
  series->x = data->x;
  series->y = data->y;
  if (!curve->low) return COH_OK;
  COH_TRY(coh_metrics_column(table, curve->low, NULL, &data->low, &n_low));
  COH_TRY(coh_metrics_column(table, curve->high, NULL, &data->high, &n_high));
  if (n_low == series->n && n_high == series->n)
    series->lo = data->low, series->hi = data->high;
  return COH_OK;
}

enum { MAX_SERIES = 8 * COH_MAX_CURVES, MAX_MATCHES = 8 };

// whether a name fits a pattern with one '*'; *part, *n: the text that it stands for
static bool fits(const char *pattern, const char *name, const char **part, size_t *n) {
  const char *star = strchr(pattern, '*');
  size_t head = (size_t)(star - pattern), tail = strlen(star + 1), length = strlen(name);
  if (length < head + tail || strncmp(name, pattern, head) != 0 ||
      strcmp(name + length - tail, star + 1) != 0)
    return false;
  *part = name + head;
  *n = length - head - tail;
  return true;
}

// the series of a chart that is being gathered
typedef struct gathered {
  curve_data data[MAX_SERIES];
  coh_series series[MAX_SERIES];
  char label[MAX_SERIES][96];
  int64_t n;
} gathered;

static coh_status gather_one(const coh_metrics_table *table, const coh_curve *curve,
                             gathered *g) {
  coh_status status = read_curve(table, curve, &g->data[g->n], &g->series[g->n]);
  if (status == COH_OK && g->series[g->n].n > 0)
    g->n++;
  else
    curve_clear(&g->data[g->n]), g->data[g->n] = (curve_data){0};
  return status;
}

// a pattern's metrics; of more than eight, eight from the first to the last
static coh_status gather_all(const coh_metrics_table *table, const coh_curve *curve,
                             gathered *g) {
  const char *part;
  size_t length;
  int64_t n_found = 0, n_taken = 0;
  for (int64_t k = 0; k < table->n_columns; k++)
    n_found += fits(curve->metric, table->name[k], &part, &length);
  int64_t n_wanted = n_found < MAX_MATCHES ? n_found : MAX_MATCHES;
  for (int64_t k = 0, at = 0; k < table->n_columns && n_taken < n_wanted; k++) {
    if (!fits(curve->metric, table->name[k], &part, &length)) continue;
    int64_t next = n_wanted > 1 ? n_taken * (n_found - 1) / (n_wanted - 1) : 0;
    if (at++ != next) continue;
    n_taken++;
    coh_curve one = *curve;
    one.metric = table->name[k];
    snprintf(g->label[g->n], sizeof g->label[g->n], "%.*s", (int)length, part);
    if (!one.label) one.label = g->label[g->n];
    COH_TRY(gather_one(table, &one, g));
  }
  return COH_OK;
}

static coh_status gather(const coh_task_chart *chart, const coh_metrics_table *table,
                         gathered *g) {
  for (int k = 0; k < COH_MAX_CURVES && chart->curve[k].metric; k++) {
    const coh_curve *curve = &chart->curve[k];
    COH_TRY(strchr(curve->metric, '*') ? gather_all(table, curve, g)
                                       : gather_one(table, curve, g));
  }
  return COH_OK;
}

// what the curves of losses say, from rows of metrics that have both
static coh_status judge_fit(const coh_task_chart *chart, const coh_metrics_table *table,
                            coh_fit *fit) {
  double *step = NULL, *train = NULL, *held_out = NULL;
  int64_t n = 0, n_train = 0;
  *fit = (coh_fit){0};
  if (!chart->train_loss) return COH_OK;
  COH_TRY(coh_metrics_column(table, chart->held_out_loss, &step, &held_out, &n));
  coh_status status = coh_metrics_column(table, chart->train_loss, NULL, &train, &n_train);
  if (status == COH_OK && n_train == n)
    *fit = coh_fit_judge(&(coh_fit_curves){step, train, held_out, n});
  coh_free(step), coh_free(train), coh_free(held_out);
  return status;
}

// draw one chart of the task; drawn stays false when there is nothing to show
static coh_status draw_chart(const char *folder, const coh_task_type *task,
                             const coh_task_chart *chart, const coh_metrics_table *table,
                             const coh_results *results, const coh_fit *fit, bool *drawn) {
  gathered *g;
  COH_NEW(g, 1);
  coh_status status = gather(chart, table, g);
  *drawn = false;
  if (status == COH_OK && g->n > 0) {
    double level = chart->reference ? coh_results_value(results, chart->reference) : NAN;
    coh_reference reference = {level, chart->reference_label};
    coh_panel panel = {
        .x = {.label = task->unit},
        .y = {.label = chart->y_label, .logarithmic = chart->logarithmic},
        .series = g->series,
        .n_series = g->n,
        .references = &reference,
        .n_references = isfinite(level) ? 1 : 0,
        .marks = &(coh_mark){fit->lowest_at, "overfitting begins"},
        .n_marks = fit->kind == COH_FIT_OVER ? 1 : 0,
    };
    coh_chart figure = {.title = chart->title, .panels = &panel, .n_panels = 1};
    char path[COH_PATH_BYTES];
    snprintf(path, sizeof path, "%s/figures", folder);
    status = coh_folder_make(path);
    if (status == COH_OK) status = coh_chart_write(&figure, path, chart->name, drawn);
  }
  for (int64_t k = 0; k < g->n; k++)
    curve_clear(&g->data[k]);
  coh_free(g);
  return status;
}

static coh_status add_charts(coh_report *report, const char *folder, const coh_task_type *task,
                             const coh_results *results) {
  coh_metrics_table tables[2] = {0};
  const char *const files[2] = {"metrics.jsonl", "timing.jsonl"};
  coh_status status = COH_OK;
  for (int k = 0; k < 2 && status == COH_OK; k++) {
    char path[COH_PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, files[k]);
    status = coh_metrics_read(path, &tables[k]);
  }
  for (const coh_task_chart *chart = task->charts; status == COH_OK && chart && chart->name;
       chart++) {
    bool drawn = false;
    coh_fit fit = {0};
    const coh_metrics_table *table = &tables[chart->from_timing ? 1 : 0];
    status = judge_fit(chart, table, &fit);
    if (status == COH_OK)
      status = draw_chart(folder, task, chart, table, results, &fit, &drawn);
    char path[COH_PATH_BYTES], verdict[400];
    coh_fit_describe(&fit, task->unit, verdict);
    if (*verdict)
      (fit.kind == COH_FIT_GOOD ? coh_report_text : coh_report_warning)(report, verdict);
    snprintf(path, sizeof path, "%s/figures/%s.svg", folder, chart->name);
    coh_report_picture picture = {
        .path = path, .caption = chart->caption, .half = chart != task->charts};
    if (status == COH_OK && drawn) status = coh_report_figure(report, &picture);
  }
  if (status == COH_OK) {
    char path[COH_PATH_BYTES];
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    status = coh_metrics_write_csv(&tables[0], path);
  }
  for (int k = 0; k < 2; k++)
    coh_metrics_clear(&tables[k]);
  return status;
}

static void add_numbers(coh_report *report, const coh_results *results) {
  for (int64_t i = 0; i < results->n_numbers; i++) {
    const coh_result_number *number = &results->number[i];
    coh_report_number(report, number->text, number->label, *number->note ? number->note : NULL);
  }
}

static bool is_page(const coh_result_picture *picture) {
  return coh_text_ends_with(picture->path, ".html");
}

static coh_status add_results(coh_report *report, const char *folder,
                              const coh_results *results) {
  for (int64_t i = 0; i < results->n_lines; i++)
    (results->line[i].warning ? coh_report_warning : coh_report_text)(report,
                                                                      results->line[i].text);
  for (int64_t i = 0; i < results->n_tables; i++) {
    const coh_result_table *table = &results->table[i];
    const char *const *text = (const char *const *)table->text;
    coh_report_table(report, table->caption, text, text + table->n_columns, table->n_rows,
                     table->n_columns);
  }
  for (int64_t i = 0; i < results->n_pictures; i++) {
    char path[COH_PATH_BYTES];
    if (is_page(&results->picture[i])) {
      coh_report_link(report, results->picture[i].path, results->picture[i].caption);
      continue;
    }
    snprintf(path, sizeof path, "%s/%s", folder, results->picture[i].path);
    coh_report_picture picture = {.path = path,
                                  .caption = results->picture[i].caption,
                                  .pixelated = results->picture[i].pixelated};
    COH_TRY(coh_report_figure(report, &picture));
  }
  return COH_OK;
}

// what `cohort explain` has found, when it has been asked
static coh_status add_explanations(coh_report *report, const char *folder) {
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s/results/explain.json", folder);
  if (!coh_file_exists(path)) return COH_OK;
  coh_results *results;
  COH_NEW(results, 1);
  coh_status status = coh_results_load_as(folder, "explain.json", results);
  if (status == COH_OK) {
    coh_report_section(report, "Inside the network");
    status = add_results(report, folder, results);
    coh_results_clear(results);
  }
  coh_free(results);
  return status;
}

// fold a text file of the run into the report; a missing one is left out
static void add_listing(coh_report *report, const char *folder, const char *file,
                        const char *title) {
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s/%s", folder, file);
  char *text = NULL;
  size_t n_bytes = 0;
  if (!coh_file_exists(path) || coh_file_load(path, TEXT_BYTES, &text, &n_bytes) != COH_OK)
    return;
  coh_report_listing(report, title, text, 0);
  coh_free(text);
}

static coh_status compose(const char *folder, const coh_run_config *config,
                          const coh_results *results) {
  char when[64], path[COH_PATH_BYTES], subtitle[256];
  time_t now = time(NULL);
  struct tm parts;
  gmtime_r(&now, &parts);
  strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", &parts);
  const char *name = strrchr(folder, '/');
  name = name && name[1] ? name + 1 : folder;
  snprintf(subtitle, sizeof subtitle, "%s Seed %lld, %lld lane%s.", config->task->kind.doc,
           (long long)config->run->seed, (long long)config->run->lanes,
           config->run->lanes == 1 ? "" : "s");
  coh_report_head head = {.title = name,
                          .subtitle = subtitle,
                          .task = config->task->kind.name,
                          .status = results->status ? results->status : "running",
                          .written = when};
  coh_report *report = NULL;
  COH_TRY(coh_report_begin(&head, &report));
  add_numbers(report, results);
  coh_report_section(report, "Results");
  coh_status status = add_results(report, folder, results);
  if (status == COH_OK) status = add_explanations(report, folder);
  coh_report_section(report, "Curves");
  if (status == COH_OK) status = add_charts(report, folder, config->task, results);
  coh_report_section(report, "How it was made");
  add_listing(report, folder, "config.yaml", "Config, with every default");
  add_listing(report, folder, "machine.txt", "Machine");
  if (status != COH_OK) {
    coh_report_discard(&report);
    return status;
  }
  snprintf(path, sizeof path, "%s/report.html", folder);
  return coh_report_end(&report, path);
}

coh_status coh_run_report(const char *folder) {
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s/config.yaml", folder);
  COH_CHECK(coh_file_exists(path), COH_E_DATA, "%s: is no run folder (it has no config.yaml)",
            folder);
  coh_run_config config;
  COH_TRY(coh_run_config_read(path, NULL, 0, &config));
  coh_results *results = coh_alloc_array(1, sizeof *results);
  coh_status status = results ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory");
  snprintf(path, sizeof path, "%s/results/summary.json", folder);
  if (status == COH_OK && coh_file_exists(path)) status = coh_results_load(folder, results);
  if (status == COH_OK) status = compose(folder, &config, results);
  if (results) coh_results_clear(results);
  coh_free(results);
  coh_run_config_clear(&config);
  return status;
}

// columns as wide as their widest cell
static void print_table(FILE *output, const coh_result_table *table) {
  fputc('\n', output);
  for (int64_t r = 0; r <= table->n_rows; r++)
    for (int64_t c = 0; c < table->n_columns; c++) {
      int width = 0;
      for (int64_t k = 0; k <= table->n_rows; k++) {
        int length = (int)strlen(table->text[k * table->n_columns + c]);
        if (length > width) width = length;
      }
      fprintf(output, c == 0 ? "%-*s" : "  %*s", width, table->text[r * table->n_columns + c]);
      if (c == table->n_columns - 1) fputc('\n', output);
    }
  fputc('\n', output);
}

// the closing lines: key numbers, pictures, and where the report is
static void print_results(const coh_run *run, const coh_results *results) {
  for (int64_t i = 0; i < results->n_numbers; i++) {
    const coh_result_number *number = &results->number[i];
    fprintf(run->output, "%-24s %s", number->label, number->text);
    fprintf(run->output, *number->note ? "  (%s)\n" : "%s\n", number->note);
  }
  for (int64_t i = 0; run->tables && i < results->n_tables; i++)
    print_table(run->output, &results->table[i]);
  for (int64_t i = 0; i < results->n_pictures; i++)
    fprintf(run->output, "%-24s %s/%s\n", is_page(&results->picture[i]) ? "page" : "picture",
            run->folder, results->picture[i].path);
  fprintf(run->output, "%-24s %s/report.html\n", "report", run->folder);
  fflush(run->output);
}

coh_status coh_run_finish(coh_run *run, const char *status_name) {
  coh_results *results;
  COH_NEW(results, 1);
  results->active = run->root;
  coh_status status = COH_OK;
  // a diverged task has nothing to show but its curves
  if (run->config.task->results && strcmp(status_name, "finished") == 0)
    status = run->config.task->results(run->task, results);
  status = coh_comm_agree(run->world, status);
  if (status == COH_OK) status = coh_run_trace_write(run, results);
  if (run->root && status == COH_OK) {
    results->status = coh_alloc_string(status_name);
    if (strcmp(status_name, "diverged") == 0) coh_results_warning(results, coh_error_message());
    status = coh_results_save(results, run->folder);
    if (status == COH_OK) status = coh_run_report(run->folder);
    if (status == COH_OK && run->output) print_results(run, results);
  }
  coh_results_clear(results);
  coh_free(results);
  return coh_comm_agree(run->world, status);
}
