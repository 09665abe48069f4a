/* Limited memory BFGS by reverse communication. All state is one block of doubles. */
#include "la/lbfgs.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

// places in the block before the vectors
enum { STARTED, DONE, N_PAIRS, NEXT_PAIR, F, SLOPE, STEP, LOW, HIGH, TRIALS, N_SCALARS = 16 };

struct coh_lbfgs {
  int64_t n, memory, n_numbers;
  double l1;
  double *block;
  // within the block
  double *x, *gradient, *direction; /* of the line's start */
  double *s, *y;                    /* (memory, n): steps and gradient changes */
  double *rho, *alpha;              /* (memory): 1 / s.y, and scratch */
  double *pseudo;                   /* (n): the gradient with the l1 term, scratch */
};

static const double sufficient = 1e-4, curvature = 0.9;
enum { MOST_TRIALS = 40 };

coh_status coh_lbfgs_create(int64_t n, int64_t memory, double l1, coh_lbfgs **lbfgs) {
  coh_lbfgs *own;
  COH_NEW(own, 1);
  *own = (coh_lbfgs){.n = n, .memory = memory, .l1 = l1};
  own->n_numbers = N_SCALARS + 4 * n + 2 * memory * (n + 1);
  own->block = coh_alloc_array((size_t)own->n_numbers, sizeof *own->block);
  if (!own->block) {
    coh_free(own);
    return coh_fail(COH_E_MEMORY, "out of memory for L-BFGS of %lld variables", (long long)n);
  }
  double *place = own->block + N_SCALARS;
  own->x = place, place += n;
  own->gradient = place, place += n;
  own->direction = place, place += n;
  own->pseudo = place, place += n;
  own->s = place, place += memory * n;
  own->y = place, place += memory * n;
  own->rho = place, place += memory;
  own->alpha = place;
  *lbfgs = own;
  return COH_OK;
}

void coh_lbfgs_destroy(coh_lbfgs **lbfgs) {
  if (!*lbfgs) return;
  coh_free((*lbfgs)->block);
  coh_free(*lbfgs);
  *lbfgs = NULL;
}

double *coh_lbfgs_state(coh_lbfgs *lbfgs, int64_t *n_numbers) {
  *n_numbers = lbfgs->n_numbers;
  return lbfgs->block;
}

static double dot(int64_t n, const double *a, const double *b) {
  double sum[8] = {0};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int64_t k = 0; k < 8; k++)
      sum[k] += a[i + k] * b[i + k];
  for (int64_t k = 0; i < n; i++, k++)
    sum[k] += a[i] * b[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static void add_scaled(int64_t n, double factor, const double *a, double *to) {
  for (int64_t i = 0; i < n; i++)
    to[i] += factor * a[i];
}

static double with_penalty(const coh_lbfgs *own, double f, const double *x) {
  if (!(own->l1 > 0)) return f;
  double sum = 0;
  for (int64_t i = 0; i < own->n; i++)
    sum += fabs(x[i]);
  return f + own->l1 * sum;
}

// the subgradient of least size of f + l1 |x|
static void fill_pseudo_gradient(coh_lbfgs *own, const double *x, const double *gradient) {
  for (int64_t i = 0; i < own->n; i++) {
    double g = gradient[i];
    if (x[i] != 0)
      g += x[i] > 0 ? own->l1 : -own->l1;
    else if (g > own->l1)
      g -= own->l1;
    else if (g < -own->l1)
      g += own->l1;
    else
      g = 0;
    own->pseudo[i] = g;
  }
}

// direction = -H pseudo by the two loops over the kept pairs, newest first, then oldest first
static void find_direction(coh_lbfgs *own) {
  int64_t n = own->n, n_pairs = (int64_t)own->block[N_PAIRS];
  int64_t next = (int64_t)own->block[NEXT_PAIR];
  double *d = own->direction;
  for (int64_t i = 0; i < n; i++)
    d[i] = -own->pseudo[i];
  for (int64_t k = 0; k < n_pairs; k++) {
    int64_t j = (next - 1 - k + 2 * own->memory) % own->memory;
    own->alpha[j] = own->rho[j] * dot(n, own->s + j * n, d);
    add_scaled(n, -own->alpha[j], own->y + j * n, d);
  }
  if (n_pairs > 0) {
    int64_t newest = (next - 1 + own->memory) % own->memory;
    const double *y = own->y + newest * n;
    double scale = 1 / (own->rho[newest] * dot(n, y, y));
    for (int64_t i = 0; i < n; i++)
      d[i] *= scale;
  }
  for (int64_t k = n_pairs - 1; k >= 0; k--) {
    int64_t j = (next - 1 - k + 2 * own->memory) % own->memory;
    double beta = own->rho[j] * dot(n, own->y + j * n, d);
    add_scaled(n, own->alpha[j] - beta, own->s + j * n, d);
  }
  for (int64_t i = 0; own->l1 > 0 && i < n; i++)
    if (d[i] * own->pseudo[i] >= 0) d[i] = 0;
}

// write the trial point at the current step
static void place_trial(const coh_lbfgs *own, double *x) {
  double step = own->block[STEP];
  for (int64_t i = 0; i < own->n; i++)
    x[i] = own->x[i] + step * own->direction[i];
  if (!(own->l1 > 0)) return;
  for (int64_t i = 0; i < own->n; i++) { // not beyond the orthant where the line begins
    double side = own->x[i] != 0 ? own->x[i] : -own->pseudo[i];
    if (x[i] * side <= 0) x[i] = 0;
  }
}

// begin a line at x, where f and gradient are known; false when there is nothing to gain
static bool begin_line(coh_lbfgs *own, double f, const double *gradient, double tolerance,
                       double *x) {
  double *scalar = own->block, top = 0;
  memcpy(own->x, x, (size_t)own->n * sizeof *x);
  if (gradient != own->gradient)
    memcpy(own->gradient, gradient, (size_t)own->n * sizeof *gradient);
  fill_pseudo_gradient(own, x, own->gradient);
  for (int64_t i = 0; i < own->n; i++)
    top = fmax(top, fabs(own->pseudo[i]));
  scalar[F] = f;
  if (top <= tolerance) return false;
  find_direction(own);
  scalar[SLOPE] = dot(own->n, own->pseudo, own->direction);
  if (!(scalar[SLOPE] < 0)) { // pairs that mislead are forgotten
    scalar[N_PAIRS] = scalar[NEXT_PAIR] = 0;
    find_direction(own);
    scalar[SLOPE] = dot(own->n, own->pseudo, own->direction);
  }
  bool first = scalar[N_PAIRS] == 0;
  scalar[STEP] = first ? fmin(1, 1 / sqrt(-scalar[SLOPE])) : 1;
  scalar[LOW] = scalar[TRIALS] = 0;
  scalar[HIGH] = INFINITY;
  place_trial(own, x);
  return true;
}

static void keep_pair(coh_lbfgs *own, const double *x, const double *gradient) {
  int64_t n = own->n, j = (int64_t)own->block[NEXT_PAIR];
  double *s = own->s + j * n, *y = own->y + j * n;
  for (int64_t i = 0; i < n; i++) {
    s[i] = x[i] - own->x[i];
    y[i] = gradient[i] - own->gradient[i];
  }
  double sy = dot(n, s, y);
  if (!(sy > 1e-14 * dot(n, y, y))) return;
  own->rho[j] = 1 / sy;
  own->block[NEXT_PAIR] = (double)((j + 1) % own->memory);
  own->block[N_PAIRS] = fmin(own->block[N_PAIRS] + 1, (double)own->memory);
}

// whether the trial is taken; otherwise the bracket has been narrowed
static bool judge_trial(coh_lbfgs *own, double f, const double *gradient, const double *x) {
  double *scalar = own->block, step = scalar[STEP];
  double gained = step * scalar[SLOPE];
  if (own->l1 > 0) { // the projected way differs from the line
    gained = 0;
    for (int64_t i = 0; i < own->n; i++)
      gained += own->pseudo[i] * (x[i] - own->x[i]);
  }
  if (!(f <= scalar[F] + sufficient * gained)) {
    scalar[HIGH] = step;
  } else if (!(own->l1 > 0) &&
             dot(own->n, gradient, own->direction) < curvature * scalar[SLOPE]) {
    scalar[LOW] = step;
  } else {
    return true;
  }
  scalar[STEP] = isinf(scalar[HIGH]) ? 2 * scalar[LOW] : (scalar[LOW] + scalar[HIGH]) / 2;
  scalar[TRIALS]++;
  return false;
}

coh_status coh_lbfgs_advance(coh_lbfgs *own, double f, const double *gradient, double tolerance,
                             double *x, coh_lbfgs_event *event) {
  double *scalar = own->block;
  *event = COH_LBFGS_DONE;
  if (scalar[DONE] != 0) return COH_OK;
  f = with_penalty(own, f, x);
  bool goes_on;
  if (scalar[STARTED] == 0) {
    COH_CHECK(isfinite(f) && isfinite(dot(own->n, gradient, gradient)), COH_E_DIVERGED,
              "L-BFGS: the objective or its gradient is not finite at the first point");
    scalar[STARTED] = 1;
    *event = COH_LBFGS_MOVED;
    goes_on = begin_line(own, f, gradient, tolerance, x);
  } else if (judge_trial(own, f, gradient, x)) {
    keep_pair(own, x, gradient);
    *event = COH_LBFGS_MOVED;
    goes_on = begin_line(own, f, gradient, tolerance, x);
  } else if (scalar[TRIALS] < MOST_TRIALS) {
    *event = COH_LBFGS_SEARCHING;
    place_trial(own, x);
    goes_on = true;
  } else { // a dead end: once more down the gradient, then that is all
    memcpy(x, own->x, (size_t)own->n * sizeof *x);
    bool had_pairs = scalar[N_PAIRS] > 0;
    scalar[N_PAIRS] = scalar[NEXT_PAIR] = 0;
    *event = COH_LBFGS_SEARCHING;
    goes_on = had_pairs && begin_line(own, scalar[F], own->gradient, tolerance, x);
  }
  if (!goes_on) {
    memcpy(x, own->x, (size_t)own->n * sizeof *x);
    scalar[DONE] = 1;
    *event = COH_LBFGS_DONE;
  }
  return COH_OK;
}
