/* Charts as gnuplot scripts. The data of every curve stands in one file, block after block:
 * x, y, running mean, lower and upper bound; the script draws SVG and PNG from it.
 * Colours are Okabe and Ito's, which colour-blind readers can tell apart. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/file.h"
#include "run/figure.h"
#include "run/figure_axis.h"
#include "run/figure_gnuplot.h"

enum { MAX_POINTS = 4000, N_COLORS = 8, INK_BYTES = 8 };

static const char palette[N_COLORS][INK_BYTES] = {"0072B2", "D55E00", "009E73", "CC79A7",
                                                  "E69F00", "56B4E9", "7A5195", "5F6B7A"};

void coh_chart_smooth(const double *y, int64_t n, double *smooth) {
  int64_t half = n / 80 > 1 ? n / 80 : 1;
  double sum = 0;
  int64_t count = 0, from = 0, to = 0; // the window is [from, to)
  for (int64_t i = 0; i < n; i++) {
    // the window stays centred: it narrows towards both ends
    int64_t reach = i < half ? i : half;
    if (n - 1 - i < reach) reach = n - 1 - i;
    for (; to < i + reach + 1; to++)
      if (isfinite(y[to])) sum += y[to], count++;
    for (; from < i - reach; from++)
      if (isfinite(y[from])) sum -= y[from], count--;
    smooth[i] = count > 0 ? sum / (double)count : NAN;
  }
}

// ---- data ---------------------------------------------------------------------------------

static void add_number(coh_text *data, double value, char end) {
  if (isfinite(value))
    coh_text_add(data, "%.9g%c", value, end);
  else
    coh_text_add(data, "NaN%c", end);
}

static void add_point(coh_text *data, const coh_series *s, const double *smooth, int64_t i) {
  add_number(data, s->x[i], ' ');
  add_number(data, s->y[i], ' ');
  add_number(data, smooth[i], ' ');
  add_number(data, s->lo ? s->lo[i] : NAN, ' ');
  add_number(data, s->hi ? s->hi[i] : NAN, '\n');
}

// of each stretch of a long curve, its lowest and highest point in their order
static void add_thinned(coh_text *data, const coh_series *s, const double *smooth) {
  int64_t n_stretches = MAX_POINTS / 2;
  for (int64_t k = 0; k < n_stretches; k++) {
    int64_t from = s->n * k / n_stretches, to = s->n * (k + 1) / n_stretches;
    int64_t low = from, high = from;
    for (int64_t i = from; i < to; i++) {
      if (s->y[i] < s->y[low] || !isfinite(s->y[low])) low = i;
      if (s->y[i] > s->y[high] || !isfinite(s->y[high])) high = i;
    }
    add_point(data, s, smooth, low < high ? low : high);
    if (low != high) add_point(data, s, smooth, low < high ? high : low);
  }
}

static coh_status add_series(coh_text *data, const coh_series *s) {
  double *smooth;
  COH_NEW(smooth, s->n);
  coh_chart_smooth(s->y, s->n, smooth);
  coh_text_add(data, "# %s: x, y, running mean, lower, upper\n", s->label ? s->label : "curve");
  if (s->n > MAX_POINTS) {
    add_thinned(data, s, smooth);
  } else {
    for (int64_t i = 0; i < s->n; i++)
      add_point(data, s, smooth, i);
  }
  if (s->n == 0) coh_text_add(data, "NaN NaN NaN NaN NaN\n");
  coh_text_add(data, "\n\n");
  coh_free(smooth);
  return COH_OK;
}

// ---- script -------------------------------------------------------------------------------

// a gnuplot string; braces would confuse its blocks, line breaks its lines
static void add_quoted(coh_text *script, const char *text) {
  coh_text_add_bytes(script, "'", 1);
  for (const char *c = text; *c; c++) {
    if (*c == '\'')
      coh_text_add_bytes(script, "''", 2);
    else if (*c == '{')
      coh_text_add_bytes(script, "(", 1);
    else if (*c == '}')
      coh_text_add_bytes(script, ")", 1);
    else if ((unsigned char)*c < 0x20)
      coh_text_add_bytes(script, " ", 1);
    else
      coh_text_add_bytes(script, c, 1);
  }
  coh_text_add_bytes(script, "'", 1);
}

static const char *ink_of(const coh_panel *panel, int64_t i) {
  int color = panel->series[i].color;
  return palette[(color > 0 ? color - 1 : (int)(i % N_COLORS)) % N_COLORS];
}

static void add_label(coh_text *script, const coh_series *s) {
  if (s->label) {
    coh_text_add(script, " title ");
    add_quoted(script, s->label);
  } else {
    coh_text_add(script, " notitle");
  }
}

// the elements of one curve, back to front
static void add_curve(coh_text *script, const coh_panel *panel, int64_t i, int64_t block,
                      bool *any) {
  const coh_series *s = &panel->series[i];
  const char *ink = ink_of(panel, i);
  const char *start = *any ? ", \\\n    " : "  plot ";
  *any = true;
  bool interval = s->lo && s->hi;
  coh_text_add(script, "%sdata index %" PRId64 " using ", start, block);
  if (interval && s->style != COH_SERIES_POINTS && s->style != COH_SERIES_BARS)
    coh_text_add(script,
                 "1:4:5 with filledcurves fs transparent solid 0.18 noborder lc rgb '#%s' "
                 "notitle, \\\n    data index %" PRId64 " using ",
                 ink, block);
  switch (s->style) {
  case COH_SERIES_LINE:
    coh_text_add(script, "1:2 with lines lw 2 lc rgb '#%s'", ink);
    break;
  case COH_SERIES_SMOOTHED:
    coh_text_add(script,
                 "1:2 with lines lw 1 lc rgb '#B0%s' notitle, \\\n    data index %" PRId64
                 " using 1:3 with lines lw 2.4 lc rgb '#%s'",
                 ink, block, ink);
    break;
  case COH_SERIES_POINTS:
    coh_text_add(script, "%s lw 1.4 pt 7 ps 0.55 lc rgb '#%s'",
                 interval ? "1:2:4:5 with yerrorbars" : "1:2 with points", ink);
    break;
  case COH_SERIES_STEPS:
    coh_text_add(script, "1:2 with steps lw 2 lc rgb '#%s'", ink);
    break;
  case COH_SERIES_MARKED:
    coh_text_add(script, "1:2 with linespoints lw 2.2 pt 7 ps 0.5 lc rgb '#%s'", ink);
    break;
  case COH_SERIES_BARS:
    coh_text_add(script, "1:2 with boxes fs transparent solid 0.75 noborder lc rgb '#%s'", ink);
    break;
  }
  add_label(script, s);
}

static void add_references(coh_text *script, const coh_panel *panel) {
  for (int64_t i = 0; i < panel->n_references; i++) {
    const coh_reference *r = &panel->references[i];
    coh_text_add(script,
                 "  set arrow from graph 0, first %.9g to graph 1, first %.9g nohead back "
                 "lw 1.2 dt (6,4) lc rgb '#8A94A3'\n",
                 r->y, r->y);
    if (!r->label) continue;
    coh_text_add(script, "  set label ");
    add_quoted(script, r->label);
    coh_text_add(script,
                 " at graph 0.995, first %.9g right offset 0,0.5 font ',11' tc rgb '#5F6B7A'\n",
                 r->y);
  }
}

static coh_status add_panel(coh_text *script, const coh_panel *panel, const char *title,
                            int64_t *block) {
  coh_axis_range x, y;
  COH_TRY(coh_axis_ranges(panel, &x, &y));
  bool legend = false;
  for (int64_t i = 0; i < panel->n_series; i++)
    legend = legend || panel->series[i].label;
  coh_text_add(script, "\n  unset label; unset arrow; unset logscale\n");
  coh_axis_write(script, 'x', &x, 6);
  coh_axis_write(script, 'y', &y, 6);
  coh_text_add(script, "  set xlabel ");
  add_quoted(script, panel->x.label ? panel->x.label : "");
  coh_text_add(script, " offset 0,0.3\n  set ylabel ");
  add_quoted(script, panel->y.label ? panel->y.label : "");
  coh_text_add(script, " offset 0.6,0\n");
  if (title) {
    coh_text_add(script, "  set label ");
    add_quoted(script, title);
    coh_text_add(script, " at graph 0,1 left offset 0,%s font ':Bold,14' tc rgb '#1F2933'\n",
                 legend ? "2.25" : "1.0");
  }
  // the legend stands in a row of its own between title and data
  coh_text_add(script, "  set tmargin %s\n",
               title && legend ? "4.2"
               : title         ? "2.6"
               : legend        ? "2.4"
                               : "1.2");
  coh_text_add(script, legend ? "  set key at graph 0, graph 1 left bottom horizontal Left "
                                "reverse samplen 1.4 width 1.5 height 0.35\n"
                              : "  unset key\n");
  add_references(script, panel);
  bool any = false;
  for (int64_t i = 0; i < panel->n_series; i++)
    add_curve(script, panel, i, (*block)++, &any);
  coh_text_add(script, any ? "\n" : "  plot NaN notitle\n");
  return COH_OK;
}

static const char style[] =
    "  set encoding utf8\n"
    "  set datafile missing 'NaN'\n"
    "  set border 3 lw 1 lc rgb '#9AA5B1'\n"
    "  set tics nomirror out scale 0.6,0.35 tc rgb '#4A5560' font ',12'\n"
    "  set grid xtics ytics lt 1 lw 0.8 lc rgb '#E4E8EC'\n"
    "  set xlabel tc rgb '#323F4B'; set ylabel tc rgb '#323F4B'\n"
    "  set key tc rgb '#323F4B' font ',12'\n"
    "  set style fill transparent solid 0.2 noborder\n"
    "  set boxwidth 0.92 relative\n"
    "  set lmargin 9; set rmargin 3; set bmargin 3.4\n";

static coh_status compose_script(const coh_chart *chart, const char *name, coh_text *script) {
  int columns = chart->columns > 0 ? chart->columns : chart->n_panels > 1 ? 2 : 1;
  if (columns > chart->n_panels) columns = (int)chart->n_panels;
  int rows = (int)((chart->n_panels + columns - 1) / columns);
  bool alone = chart->n_panels == 1, titled = chart->title && !alone;
  int width = columns * (chart->width > 0 ? chart->width : alone ? 860 : 560);
  int height = rows * (chart->height > 0 ? chart->height : alone ? 430 : 340);
  if (titled) height += 34;
  coh_text_add(script, "# A chart of Cohort. Edit it and run: gnuplot %s.gp\n", name);
  coh_text_add(script, "data = '%s.dat'\n", name);
  coh_text_add(script,
               "do for [format in 'svg png'] {\n  if (format eq 'svg') {\n"
               "    set terminal svg size %d,%d font 'sans-serif,13' noenhanced\n  } else {\n"
               "    set terminal pngcairo size %d,%d fontscale 2 linewidth 2 pointscale 2 "
               "font 'sans-serif,13' noenhanced\n  }\n  set output '%s.'.format\n",
               width, height, 2 * width, 2 * height, name);
  coh_text_add(script, "%s", style);
  if (!alone) {
    coh_text_add(script, "  set multiplot layout %d,%d", rows, columns);
    if (titled) {
      coh_text_add(script, " title ");
      add_quoted(script, chart->title);
      coh_text_add(script, " font ':Bold,16'");
    }
    coh_text_add(script, "\n");
  }
  int64_t block = 0;
  for (int64_t i = 0; i < chart->n_panels; i++) {
    const char *title = chart->panels[i].title;
    COH_TRY(
        add_panel(script, &chart->panels[i], title || !alone ? title : chart->title, &block));
  }
  coh_text_add(script, "%s  unset output\n}\n", alone ? "" : "  unset multiplot\n");
  return COH_OK;
}

static coh_status compose_data(const coh_chart *chart, coh_text *data) {
  for (int64_t p = 0; p < chart->n_panels; p++)
    for (int64_t i = 0; i < chart->panels[p].n_series; i++)
      COH_TRY(add_series(data, &chart->panels[p].series[i]));
  return COH_OK;
}

// write a composed text as FOLDER/NAME.extension and forget it
static coh_status save(coh_text *text, const char *folder, const char *name,
                       const char *extension) {
  coh_text path = {0};
  coh_text_add(&path, "%s/%s.%s", folder, name, extension);
  coh_status status = COH_OK;
  if (text->failed || path.failed)
    status = coh_fail(COH_E_MEMORY, "%s: out of memory for the figure", name);
  if (status == COH_OK) status = coh_file_save(path.data, text->data, text->n_bytes);
  coh_text_clear(&path);
  return status;
}

coh_status coh_chart_write(const coh_chart *chart, const char *folder, const char *name,
                           bool *drawn) {
  COH_CHECK(chart->n_panels > 0 && chart->n_panels <= 64, COH_E_INTERNAL,
            "%s: a chart of %lld panels", name, (long long)chart->n_panels);
  coh_text script = {0}, data = {0};
  coh_text_add(&data, "# Data of %s.gp, one block a curve\n", name);
  coh_status status = compose_data(chart, &data);
  if (status == COH_OK) status = compose_script(chart, name, &script);
  if (status == COH_OK) status = save(&data, folder, name, "dat");
  if (status == COH_OK) status = save(&script, folder, name, "gp");
  coh_text_clear(&script);
  coh_text_clear(&data);
  COH_TRY(status);
  bool done = coh_gnuplot_run(folder, name);
  if (drawn) *drawn = done;
  return COH_OK;
}
