/* All methods on one model: a table and curves. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "io/file.h"
#include "task/solve/solve.h"

enum { PATH_BYTES = 4096, COLUMNS = 6, CELL_BYTES = 48, MOST_CURVES = 8 };

const char *const coh_solve_contestants[] = {
    "value_iteration",
    "{value_iteration: {sweep: gauss_seidel}}",
    "{value_iteration: {sweep: sor}}",
    "anderson",
    "topological",
    "prioritized",
    "{modified_policy_iteration: {sweep: jacobi}}",
    "{modified_policy_iteration: {sweep: gauss_seidel}}",
    "{modified_policy_iteration: {sweep: sor}}",
    "policy_iteration",
    "{policy_iteration: {solver: gmres}}",
    "inexact_policy_iteration",
    "{inexact_policy_iteration: {solver: gmres}}",
    "{inexact_policy_iteration: {solver: gauss_seidel}}",
    "aggregation",
    NULL,
};

static const char *const names[] = {
    "value iteration, Jacobi",
    "value iteration, Gauss-Seidel",
    "value iteration, SOR",
    "Anderson-accelerated",
    "topological",
    "prioritised sweeping",
    "modified policy iteration, Jacobi",
    "modified policy iteration, Gauss-Seidel",
    "modified policy iteration, SOR",
    "policy iteration, BiCGStab",
    "policy iteration, GMRES",
    "inexact policy iteration, BiCGStab",
    "inexact policy iteration, GMRES",
    "inexact policy iteration, Gauss-Seidel",
    "inexact policy iteration, aggregation",
};
enum { N_NAMES = sizeof names / sizeof *names, N_PANELS = 3 };

// curves, in the order of the list; a panel ends where its number says
static const char *const labels[N_NAMES] = {
    "Jacobi",      "Gauss-Seidel",     "SOR",           "Anderson",      "topological",
    "prioritised", "Jacobi",           "Gauss-Seidel",  "SOR",           "exact BiCGStab",
    "exact GMRES", "inexact BiCGStab", "inexact GMRES", "inexact G.-S.", "aggregation",
};
static const struct {
  const char *title;
  int64_t end;
} parts[N_PANELS] = {{"Value iteration", 6},
                     {"Modified policy iteration", 9},
                     {"Policy iteration, exact and inexact", N_NAMES}};

// seconds are this machine's: rows are in the order of the list
static void add_table(const coh_solve *solve, coh_results *results) {
  static const char *const header[COLUMNS] = {
      "method", "rounds", "sweeps' worth", "seconds", "bound's width", "furthest from first"};
  char cell[N_NAMES * COLUMNS][CELL_BYTES];
  const char *cells[N_NAMES * COLUMNS];
  for (int64_t k = 0; k < N_NAMES; k++) {
    const coh_solve_line *line = &solve->line[k + 1];
    char(*row)[CELL_BYTES] = &cell[k * COLUMNS];
    double seconds = solve->seconds[k + 1];
    snprintf(row[0], CELL_BYTES, "%s", names[k]);
    snprintf(row[1], CELL_BYTES, "%.0f", line->n_rounds);
    snprintf(row[2], CELL_BYTES, "%.1f",
             line->n_transitions / (double)solve->subject->n_entries);
    snprintf(row[3], CELL_BYTES, seconds < 0 ? "-" : "%.3f", seconds);
    snprintf(row[4], CELL_BYTES, "%.2g", line->width);
    snprintf(row[5], CELL_BYTES, line->has_failed != 0 ? "not closed" : "%.2g", line->distance);
    for (int c = 0; c < COLUMNS; c++)
      cells[k * COLUMNS + c] = row[c];
  }
  coh_results_table(results,
                    "Every method until its bound is as narrow; one sweep reads every "
                    "transition once. Values of all of them lie within each other's bounds.",
                    header, cells, N_NAMES, COLUMNS);
}

static void take_curve(const coh_solve_line *line, double *xy, coh_series *series) {
  int64_t n = (int64_t)line->n_points;
  for (int64_t k = 0; k < n; k++) {
    xy[k] = line->point[k][0];
    xy[COH_SOLVE_POINTS + k] = line->point[k][1];
  }
  series->style = COH_SERIES_LINE;
  series->n = n;
  series->x = xy;
  series->y = xy + COH_SOLVE_POINTS;
}

static coh_status draw(const coh_solve *solve, coh_results *results, double *xy) {
  coh_series series[N_PANELS][MOST_CURVES] = {{{0}}};
  coh_panel panels[N_PANELS];
  int64_t k = 0;
  for (int p = 0; p < N_PANELS; p++) {
    int64_t first = k;
    for (; k < parts[p].end; k++) {
      coh_series *curve = &series[p][k - first];
      curve->label = labels[k];
      take_curve(&solve->line[k + 1], xy + 2 * COH_SOLVE_POINTS * k, curve);
    }
    panels[p] = (coh_panel){.title = parts[p].title,
                            .x = {.label = "sweeps' worth of transitions", .logarithmic = true},
                            .y = {.label = "width of the bound", .logarithmic = true},
                            .series = series[p],
                            .n_series = k - first};
  }
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/figures", solve->context->folder);
  COH_TRY(coh_folder_make(path));
  bool drawn;
  COH_TRY(coh_chart_write(
      &(coh_chart){
          .panels = panels, .n_panels = N_PANELS, .columns = 1, .width = 1200, .height = 480},
      path, "methods", &drawn));
  if (drawn)
    coh_results_picture(results, "figures/methods.svg",
                        "How the bound narrows with the work done, by method.", false);
  return COH_OK;
}

static void check_agreement(const coh_solve *solve, coh_results *results) {
  for (int64_t k = 1; k < solve->n_contestants; k++) {
    const coh_solve_line *line = &solve->line[k];
    char text[256];
    if (line->has_failed != 0)
      snprintf(text, sizeof text, "%s: rounding keeps its bound wider than the tolerance.",
               names[k - 1]);
    else if (line->distance > 0.5 * (line->width + solve->line[0].width))
      snprintf(text, sizeof text, "%s: %.3g from the first method, outside both bounds.",
               names[k - 1], line->distance);
    else
      continue;
    coh_results_warning(results, text);
  }
}

coh_status coh_solve_compare_results(coh_solve *solve, coh_results *results) {
  if (solve->n_contestants < 2) return COH_OK;
  add_table(solve, results);
  check_agreement(solve, results);
  double *xy;
  COH_NEW(xy, 2 * COH_SOLVE_POINTS * N_NAMES);
  coh_status status = draw(solve, results, xy);
  coh_free(xy);
  return status;
}
