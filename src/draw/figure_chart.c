/* Charts as gnuplot scripts. The data of every curve stands in one file, block after block:
 * x, y, running mean, lower and upper bound; the script draws SVG and PNG from it.
 * Colours are Okabe and Ito's, which colour-blind readers can tell apart. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "draw/figure.h"
#include "draw/figure_axis.h"
#include "draw/figure_gnuplot.h"

enum { MAX_POINTS = 1600, N_COLORS = 8, INK_BYTES = 8 };

static const char palette[N_COLORS][INK_BYTES] = {"0072B2", "D55E00", "009E73", "CC79A7",
                                                  "E69F00", "56B4E9", "7A5195", "5F6B7A"};

static double finite_or_zero(const double *y, int64_t n, int64_t i) {
  return i >= 0 && i < n && isfinite(y[i]) ? y[i] : 0;
}

static double is_there(const double *y, int64_t n, int64_t i) {
  return i >= 0 && i < n && isfinite(y[i]) ? 1 : 0;
}

// Weights fall linearly from the middle: w(d) = h - |d|. One step to the right adds the h
// values ahead and takes away the h values behind, so both sums are carried along.
void coh_chart_smooth(const double *y, int64_t n, double *smooth) {
  int64_t h = n / 40 > 2 ? n / 40 : 2;
  double sum = 0, weight = 0, ahead = 0, ahead_n = 0, behind = 0, behind_n = 0;
  for (int64_t d = 1 - h; d < h; d++) {
    double w = (double)(h - (d < 0 ? -d : d));
    sum += w * finite_or_zero(y, n, d);
    weight += w * is_there(y, n, d);
  }
  for (int64_t j = 1; j <= h; j++) {
    ahead += finite_or_zero(y, n, j), ahead_n += is_there(y, n, j);
    behind += finite_or_zero(y, n, j - h), behind_n += is_there(y, n, j - h);
  }
  for (int64_t i = 0; i < n; i++) {
    smooth[i] = weight > 0 ? sum / weight : NAN;
    sum += ahead - behind;
    weight += ahead_n - behind_n;
    double next = finite_or_zero(y, n, i + 1), next_n = is_there(y, n, i + 1);
    ahead += finite_or_zero(y, n, i + 1 + h) - next;
    ahead_n += is_there(y, n, i + 1 + h) - next_n;
    behind += next - finite_or_zero(y, n, i + 1 - h);
    behind_n += next_n - is_there(y, n, i + 1 - h);
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

// a bold title; only titles are read as markup, so what means something there is escaped
static void add_title(coh_text *script, const char *text) {
  coh_text_add(script, "'{/:Bold ");
  for (const char *c = text; *c; c++) {
    if (strchr("_^@&~\\", *c))
      coh_text_add(script, "\\%c", *c);
    else if (*c == '\'')
      coh_text_add_bytes(script, "\'\'", 2);
    else if (*c == '{' || *c == '}')
      coh_text_add(script, "%c", *c == '{' ? '(' : ')');
    else
      coh_text_add(script, "%c", (unsigned char)*c < 0x20 ? ' ' : *c);
  }
  coh_text_add(script, "}'");
}

static const char *ink_of(const coh_panel *panel, int64_t i) {
  int color = panel->series[i].color;
  return palette[(color > 0 ? color - 1 : (int)(i % N_COLORS)) % N_COLORS];
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
  if (interval && s->style != COH_SERIES_POINTS && s->style != COH_SERIES_BARS &&
      s->style != COH_SERIES_SPANS)
    coh_text_add(script,
                 "1:4:5 with filledcurves fs transparent solid 0.18 noborder lc rgb '#%s' "
                 "notitle, \\\n    data index %" PRId64 " using ",
                 ink, block);
  switch (s->style) {
  case COH_SERIES_LINE: // a line through one point would not be seen
    coh_text_add(script, "1:2 with %s lw 2 lc rgb '#%s'", s->n > 1 ? "lines" : "points pt 7",
                 ink);
    break;
  case COH_SERIES_SMOOTHED: // the denser, the paler
    coh_text_add(script,
                 "1:2 with lines lw 1 lc rgb '#%s%s' notitle, \\\n    data index %" PRId64
                 " using 1:3 with %s lw 2.4 lc rgb '#%s'",
                 s->n > 300 ? "C4" : "98", ink, block, s->n > 1 ? "lines" : "points pt 7", ink);
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
  case COH_SERIES_SPANS:
    coh_text_add(script,
                 "1:2:4:5:($2-0.36):($2+0.36) with boxxyerror fs solid 0.85 noborder "
                 "lc rgb '#%s'",
                 ink);
    break;
  case COH_SERIES_BARS:
    coh_text_add(script, "1:2 with boxes fs transparent solid 0.75 noborder lc rgb '#%s'", ink);
    break;
  }
  coh_text_add(script, " notitle");
}

// names stand beside the plot, at the height of their lines
static void add_references(coh_text *script, const coh_panel *panel) {
  for (int64_t i = 0; i < panel->n_references; i++) {
    const coh_reference *r = &panel->references[i];
    coh_text_add(script,
                 "  set arrow from graph 0, first %.9g to graph 1, first %.9g nohead front "
                 "lw %s dt (7,5) lc rgb '%s'\n",
                 r->y, r->y, panel->no_y_ticks ? "0.6" : "1.3",
                 panel->no_y_ticks ? "#D5DAE0" : "#5F6B7A");
    if (!r->label) continue;
    coh_text_add(script, "  set label ");
    coh_gnuplot_quote(script, r->label);
    coh_text_add(
        script,
        " at graph 1, first %.9g left offset 0.6,0 noenhanced font ',13' tc rgb '#5F6B7A'\n",
        r->y);
  }
}

static bool lies_right(const coh_panel *panel, double at) {
  double low = INFINITY, high = -INFINITY;
  for (int64_t i = 0; i < panel->n_series; i++)
    for (int64_t k = 0; k < panel->series[i].n; k++) {
      low = fmin(low, panel->series[i].x[k]);
      high = fmax(high, panel->series[i].x[k]);
    }
  return at > (low + high) / 2;
}

// names stand on the side where there is more room
static void add_marks(coh_text *script, const coh_panel *panel) {
  for (int64_t i = 0; i < panel->n_marks; i++) {
    const coh_mark *m = &panel->marks[i];
    coh_text_add(script,
                 "  set arrow from first %.9g, graph 0 to first %.9g, graph 1 nohead front lw "
                 "1.3 dt (4,4) lc rgb '#B42318'\n",
                 m->x, m->x);
    if (!m->label) continue;
    bool right = lies_right(panel, m->x);
    coh_text_add(script, "  set label ");
    coh_gnuplot_quote(script, m->label);
    coh_text_add(
        script,
        " at first %.9g, graph %.2f %s offset %.1f,0 noenhanced front font ',13' tc rgb "
        "'#B42318'\n",
        m->x, 0.95 - 0.07 * (double)i, right ? "right" : "left", right ? -0.6 : 0.6);
  }
}

static double text_columns(const char *text) {
  double n = 0;
  for (; *text; text++)
    n += ((unsigned char)*text & 0xC0) != 0x80;
  return n * 0.9;
}

static double right_margin(const coh_panel *panel) {
  double widest = 2;
  for (int64_t i = 0; i < panel->n_references; i++)
    if (panel->references[i].label)
      widest = fmax(widest, text_columns(panel->references[i].label) + 1);
  return widest + 1;
}

// The legend: a sample in the curve's colour and its name, in rows above the plot. It is made
// of labels because gnuplot's own key does not keep entries side by side in every terminal.
// columns: the room in characters. Returns the number of rows.
static int add_legend(coh_text *script, const coh_panel *panel, double columns) {
  double at[64], end = 0;
  int row[64], n_rows = 0;
  int64_t n = panel->n_series < 64 ? panel->n_series : 64;
  for (int64_t i = 0; i < n; i++) {
    if (!panel->series[i].label) continue;
    double width = 0.88 * text_columns(panel->series[i].label) + 4.8;
    if (n_rows == 0 || end + width > columns + 2) {
      n_rows++;
      end = 0;
    }
    at[i] = end;
    row[i] = n_rows;
    end += width;
  }
  for (int64_t i = 0; i < n; i++) {
    const coh_series *s = &panel->series[i];
    if (!s->label) continue;
    double up = 0.9 + 1.25 * (n_rows - row[i]);
    const char *sample = s->style == COH_SERIES_BARS || s->style == COH_SERIES_SPANS ? "■"
                         : s->style == COH_SERIES_POINTS                             ? "●"
                         : s->style == COH_SERIES_MARKED                             ? "━•"
                                                                                     : "━━";
    coh_text_add(
        script,
        "  set label '%s' at graph 0, graph 1 left offset %.2f,%.2f noenhanced font ',13' "
        "tc rgb '#%s'\n  set label ",
        sample, at[i], up, ink_of(panel, i));
    coh_gnuplot_quote(script, s->label);
    coh_text_add(
        script,
        " at graph 0, graph 1 left offset %.2f,%.2f noenhanced font ',13' tc rgb '#323F4B'\n",
        at[i] + 2.6, up);
  }
  return n_rows;
}

static bool wants_legend(const coh_panel *panel, const char *title) {
  int64_t n_labels = 0;
  for (int64_t i = 0; i < panel->n_series; i++)
    n_labels += panel->series[i].label != NULL;
  // the one curve of a titled panel is what the title says
  return n_labels > 1 || (n_labels == 1 && !title);
}

static coh_status add_panel(coh_text *script, const coh_panel *panel, const char *title,
                            int width, int64_t *block) {
  coh_axis_range x, y;
  COH_TRY(coh_axis_ranges(panel, &x, &y));
  coh_text_add(script, "\n  unset label; unset arrow; unset logscale\n");
  coh_axis_write(script, 'x', &x, 6);
  coh_axis_write(script, 'y', &y, 6);
  if (panel->no_y_ticks) coh_text_add(script, "  unset ytics\n");
  coh_text_add(script, "  set xlabel ");
  coh_gnuplot_quote(script, panel->x.label ? panel->x.label : "");
  coh_text_add(script, " noenhanced offset 0,0.3\n  set ylabel ");
  coh_gnuplot_quote(script, panel->y.label ? panel->y.label : "");
  coh_text_add(script, " noenhanced offset 0.6,0\n");
  double right = right_margin(panel), columns = width / 9.0 - 10 - right;
  int n_rows = wants_legend(panel, title) ? add_legend(script, panel, columns) : 0;
  double top = n_rows > 0 ? 0.5 + 1.25 * n_rows : 0;
  if (title) {
    coh_text_add(script, "  set label ");
    add_title(script, title);
    coh_text_add(script, " at graph 0,1 left offset 0,%.2f font ',16' tc rgb '#1F2933'\n",
                 top + 1);
    top += 1.6;
  }
  coh_text_add(script, "  set tmargin %.2f; set rmargin %.1f\n", top + 0.9, right);
  add_references(script, panel);
  add_marks(script, panel);
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
    "  set tics nomirror out scale 0.6,0.35 tc rgb '#4A5560' font ',13.5'\n"
    "  set grid xtics ytics lt 1 lw 0.8 lc rgb '#E4E8EC'\n"
    "  set xlabel tc rgb '#323F4B'; set ylabel tc rgb '#323F4B'\n"
    "  unset key\n"
    "  set style fill transparent solid 0.2 noborder\n"
    "  set boxwidth 0.92 relative\n"
    "  set lmargin 10; set bmargin 3.4\n";

static coh_status compose_script(const coh_chart *chart, const char *name, coh_text *script) {
  int columns = chart->columns > 0 ? chart->columns : chart->n_panels > 1 ? 2 : 1;
  if (columns > chart->n_panels) columns = (int)chart->n_panels;
  int rows = (int)((chart->n_panels + columns - 1) / columns);
  bool alone = chart->n_panels == 1, titled = chart->title && !alone;
  int panel_width = chart->width > 0 ? chart->width : alone ? 720 : 560;
  int width = columns * panel_width;
  int height = rows * (chart->height > 0 ? chart->height : alone ? 400 : 350);
  if (titled) height += 34;
  coh_text_add(script, "# A chart of Cohort. Edit it and run: gnuplot %s.gp\n", name);
  coh_text_add(script, "data = '%s.dat'\n", name);
  // twice the size of the SVG, whose fonts are in pixels; the PNG's are in points, 4/3 of them
  coh_text_add(script,
               "do for [format in 'svg png'] {\n  if (format eq 'svg') {\n"
               "    set terminal svg size %d,%d font 'sans-serif,15' enhanced\n  } else {\n"
               "    set terminal pngcairo size %d,%d fontscale 1.5 linewidth 2 pointscale 2 "
               "font 'sans-serif,15' enhanced\n  }\n  set output '%s.'.format\n",
               width, height, 2 * width, 2 * height, name);
  coh_text_add(script, "%s", style);
  if (!alone) {
    coh_text_add(script, "  set multiplot layout %d,%d", rows, columns);
    if (titled) {
      coh_text_add(script, " title ");
      add_title(script, chart->title);
      coh_text_add(script, " font ',18' textcolor rgb '#1F2933'");
    }
    coh_text_add(script, "\n");
  }
  int64_t block = 0;
  for (int64_t i = 0; i < chart->n_panels; i++) {
    const char *title = chart->panels[i].title;
    COH_TRY(add_panel(script, &chart->panels[i], title || !alone ? title : chart->title,
                      panel_width, &block));
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

coh_status coh_chart_write(const coh_chart *chart, const char *folder, const char *name,
                           bool *drawn) {
  COH_CHECK(chart->n_panels > 0 && chart->n_panels <= 64, COH_E_INTERNAL,
            "%s: a chart of %lld panels", name, (long long)chart->n_panels);
  coh_text script = {0}, data = {0};
  coh_text_add(&data, "# Data of %s.gp, one block a curve\n", name);
  coh_status status = compose_data(chart, &data);
  if (status == COH_OK) status = compose_script(chart, name, &script);
  if (status == COH_OK) return coh_gnuplot_write(&script, &data, folder, name, drawn);
  coh_text_clear(&script);
  coh_text_clear(&data);
  return status;
}
