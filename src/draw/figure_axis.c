/* Ranges and ticks. gnuplot could choose both, but labels such as "250k" and "1.5M", and ranges
 * that ignore a rare spike, need to be chosen here. */
#include "draw/figure_axis.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void include(coh_axis_range *range, double value) {
  if (!isfinite(value) || (range->logarithmic && value <= 0)) return;
  range->lo = fmin(range->lo, value);
  range->hi = fmax(range->hi, value);
}

static int compare_reals(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// from the 0.5th to the 99.5th percentile of a raw curve, and all of its running mean
static coh_status include_robust(coh_axis_range *range, const double *y, int64_t n) {
  double *values;
  COH_NEW(values, n);
  coh_chart_smooth(y, n, values);
  for (int64_t i = 0; i < n; i++)
    include(range, values[i]);
  int64_t m = 0;
  for (int64_t i = 0; i < n; i++)
    if (isfinite(y[i])) values[m++] = y[i];
  qsort(values, (size_t)m, sizeof *values, compare_reals);
  if (m > 0) {
    include(range, values[m / 200]);
    include(range, values[m - 1 - m / 200]);
  }
  coh_free(values);
  return COH_OK;
}

// 1, 2, 2.5 or 5 times a power of ten, giving at most max_ticks intervals
static double round_step(double spread, int max_ticks) {
  static const double nice[] = {1, 2, 2.5, 5, 10};
  double raw = spread / max_ticks, power = pow(10, floor(log10(raw)));
  for (int i = 0; i < 5; i++)
    if (nice[i] * power >= raw * (1 - 1e-9)) return nice[i] * power;
  return 10 * power;
}

// a range must have room, whatever the data: none at all, one value, or infinite spread
static void settle(coh_axis_range *range, const coh_axis *axis, double air) {
  bool given = axis->min != 0 || axis->max != 0;
  if (given && axis->max > axis->min && (!axis->logarithmic || axis->min > 0)) {
    range->lo = axis->min;
    range->hi = axis->max;
    return;
  }
  if (range->lo > range->hi) {
    range->lo = range->logarithmic ? 0.1 : 0;
    range->hi = 1;
  }
  if (range->logarithmic) {
    double spread = fmax(range->hi / range->lo, 2);
    double factor = air > 0 ? pow(spread, air) : 1;
    range->lo /= factor;
    range->hi *= factor;
    if (!(range->hi > range->lo)) range->hi = range->lo * 10;
    return;
  }
  double spread = range->hi - range->lo;
  double least = fmax(fabs(range->lo), fabs(range->hi)) * 1e-9;
  if (spread <= least) {
    double half = range->lo != 0 ? fabs(range->lo) * 0.1 : 0.5;
    range->lo -= half;
    range->hi += half;
    return;
  }
  // data that starts at nothing keeps its zero line, and what starts near it gets one
  if (range->lo > 0 && range->lo < 0.25 * range->hi)
    range->lo = 0;
  else if (range->lo != 0)
    range->lo -= air * spread;
  range->hi += air * spread;
}

// steps begin at zero and end on a tick where they all but do
static void reach_tick(coh_axis_range *range) {
  if (range->logarithmic) return;
  if (range->lo > 0 && range->lo < 0.05 * range->hi) range->lo = 0;
  double spread = range->hi - range->lo, step = round_step(spread, 6);
  double last = ceil(range->hi / step - 1e-9) * step;
  if (last - range->hi < 0.03 * spread) range->hi = last;
}

static coh_status include_series(const coh_series *s, coh_axis_range *x, coh_axis_range *y) {
  for (int64_t i = 0; i < s->n; i++)
    include(x, s->x[i]);
  if (s->style == COH_SERIES_SMOOTHED && s->n > 0) return include_robust(y, s->y, s->n);
  for (int64_t i = 0; i < s->n; i++) {
    include(y, s->y[i]);
    if (s->lo && s->hi) {
      include(y, s->lo[i]);
      include(y, s->hi[i]);
    }
  }
  if (s->style == COH_SERIES_BARS) include(y, 0);
  return COH_OK;
}

coh_status coh_axis_ranges(const coh_panel *panel, coh_axis_range *x, coh_axis_range *y) {
  *x = (coh_axis_range){INFINITY, -INFINITY, panel->x.logarithmic};
  *y = (coh_axis_range){INFINITY, -INFINITY, panel->y.logarithmic};
  bool bars = false;
  for (int64_t i = 0; i < panel->n_series; i++) {
    COH_TRY(include_series(&panel->series[i], x, y));
    bars = bars || panel->series[i].style == COH_SERIES_BARS;
  }
  for (int64_t i = 0; i < panel->n_references; i++)
    include(y, panel->references[i].y);
  settle(x, &panel->x, bars ? 0.05 : 0);
  if (!bars && panel->x.min == 0 && panel->x.max == 0) reach_tick(x);
  settle(y, &panel->y, 0.05);
  return COH_OK;
}

// ---- ticks --------------------------------------------------------------------------------

// digits after the point that a multiple of step needs
static int decimals_of(double step) {
  int digits = 0;
  while (digits < 9 && fabs(step - round(step)) > 1e-6 * fabs(step)) {
    step *= 10;
    digits++;
  }
  return digits;
}

static void label_linear(double value, double step, double largest, char text[32]) {
  static const struct {
    double unit;
    const char *suffix;
  } units[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  if (value == 0) {
    snprintf(text, 32, "0");
  } else if (largest < 1e-3 || largest >= 1e15) {
    snprintf(text, 32, "%.3g", value);
  } else if (largest >= 1e4) {
    int i = 0;
    while (i < 3 && fabs(value) < units[i].unit * 0.9999)
      i++;
    snprintf(text, 32, "%.*f%s", decimals_of(step / units[i].unit), value / units[i].unit,
             units[i].suffix);
    // whole numbers do without the digits that their neighbours need
    double scaled = value / units[i].unit;
    if (fabs(scaled - round(scaled)) < 1e-9)
      snprintf(text, 32, "%.0f%s", scaled, units[i].suffix);
  } else {
    snprintf(text, 32, "%.*f", decimals_of(step), value);
  }
}

static void write_linear(coh_text *script, const coh_axis_range *range, int max_ticks) {
  double step = round_step(range->hi - range->lo, max_ticks);
  double largest = fmax(fabs(range->lo), fabs(range->hi));
  int64_t first = (int64_t)ceil(range->lo / step - 1e-9);
  int64_t last = (int64_t)floor(range->hi / step + 1e-9);
  for (int64_t k = first; k <= last && k - first < 32; k++) {
    char label[32];
    double value = (double)k * step;
    label_linear(value, step, largest, label);
    coh_text_add(script, "%s'%s' %.15g", k > first ? ", " : "", label, value);
  }
}

static void write_logarithmic(coh_text *script, const coh_axis_range *range, int max_ticks) {
  int first = (int)floor(log10(range->lo) - 1e-9), last = (int)ceil(log10(range->hi) + 1e-9);
  int stride = (last - first + max_ticks - 1) / max_ticks;
  bool narrow = log10(range->hi / range->lo) < 1.5, any = false;
  for (int e = first; e <= last; e++) {
    for (int digit = 1; digit < 10; digit++) {
      double value = digit * pow(10, e);
      if (value < range->lo * (1 - 1e-9) || value > range->hi * (1 + 1e-9)) continue;
      bool major =
          digit == 1 ? (e - first) % stride == 0 : narrow && (digit == 2 || digit == 5);
      if (!major && stride > 2) continue;
      char label[32] = "";
      if (major && e > 3)
        label_linear(value, value, value, label);
      else if (major && e >= -4)
        snprintf(label, sizeof label, "%.6g", value);
      else if (major)
        snprintf(label, sizeof label, "%de%d", digit, e);
      coh_text_add(script, "%s'%s' %.15g%s", any ? ", " : "", label, value, major ? "" : " 1");
      any = true;
    }
  }
}

void coh_axis_write(coh_text *script, char axis, const coh_axis_range *range, int max_ticks) {
  if (range->logarithmic) coh_text_add(script, "  set logscale %c\n", axis);
  coh_text_add(script, "  set %crange [%.15g:%.15g]\n  set %ctics (", axis, range->lo,
               range->hi, axis);
  if (range->logarithmic)
    write_logarithmic(script, range, max_ticks);
  else
    write_linear(script, range, max_ticks);
  coh_text_add(script, ")\n");
}
