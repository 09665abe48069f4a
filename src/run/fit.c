/* Judging curves of loss. */
#include "run/fit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FEWEST = 3 };
static const double RISE = 0.05, GAP = 0.05, FALL = 0.02;

static double mean_of(const double *y, int64_t from, int64_t to) {
  double sum = 0;
  for (int64_t i = from; i < to; i++)
    sum += y[i];
  return sum / (double)(to - from);
}

// the share by which a curve fell from its last fifth's beginning to its end
static double fall_of(const double *y, int64_t n, double last) {
  int64_t before = n - 1 - (n >= 5 ? n / 5 : 1);
  return (y[before] - last) / fmax(fabs(y[before]), 1e-12);
}

coh_fit coh_fit_judge(const coh_fit_curves *c) {
  coh_fit fit = {0};
  if (c->n < FEWEST) return fit;
  int64_t low = 0, tail = c->n >= 10 ? c->n / 10 : 1;
  for (int64_t i = 1; i < c->n; i++)
    if (c->held_out[i] < c->held_out[low]) low = i;
  fit.lowest_at = c->step[low];
  fit.lowest = c->held_out[low];
  fit.train_lowest = c->train[low];
  fit.last = mean_of(c->held_out, c->n - tail, c->n);
  fit.train_last = mean_of(c->train, c->n - tail, c->n);
  if (!isfinite(fit.last) || !isfinite(fit.train_last)) return fit;
  bool over = fit.last > (1 + RISE) * fit.lowest && fit.train_last < fit.train_lowest;
  bool close = fit.last < (1 + GAP) * fit.train_last;
  bool falls = fall_of(c->held_out, c->n, fit.last) > FALL &&
               fall_of(c->train, c->n, fit.train_last) > FALL;
  fit.kind = over ? COH_FIT_OVER : close && falls ? COH_FIT_UNDER : COH_FIT_GOOD;
  return fit;
}

void coh_fit_describe(const coh_fit *fit, const char *unit, char text[400]) {
  const char *one = strcmp(unit, "updates") == 0 ? "update" : "step";
  *text = '\0';
  switch (fit->kind) {
  case COH_FIT_OVER:
    snprintf(
        text, 400,
        "Overfitting from %s %.0f on: the loss on held-out rows has risen from %.4g to %.4g "
        "since, while that on training rows fell from %.4g to %.4g. More data, "
        "augmentation, weight decay or an earlier end help.",
        one, fit->lowest_at, fit->lowest, fit->last, fit->train_lowest, fit->train_last);
    break;
  case COH_FIT_UNDER:
    snprintf(
        text, 400,
        "Underfitting: the loss on held-out rows (%.4g) is no higher than on training rows "
        "(%.4g), and both still fall at the end. More updates or a larger network help.",
        fit->last, fit->train_last);
    break;
  case COH_FIT_GOOD:
    snprintf(
        text, 400,
        "Neither over- nor underfitting: the loss on held-out rows was lowest (%.4g) at %s "
        "%.0f and ends at %.4g; on training rows it ends at %.4g.",
        fit->lowest, one, fit->lowest_at, fit->last, fit->train_last);
    break;
  case COH_FIT_UNKNOWN:
    break;
  }
}
