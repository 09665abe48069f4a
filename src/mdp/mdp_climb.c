/* Strongly connected components in the order in which they depend; inside one, monotone sweeps
 * in place from both sides, and in small ones leaps: a policy's equations are solved as they
 * are, and what comes out counts only when one sweep shows that it is a bound.
 *
 * L is a lower bound when T L >= L, U an upper one when U >= 0 and T U <= U. Every operation is
 * rounded outward; all terms are at least 0. A row that may lead back to its own state is
 * solved for it. Sources: Baier et al. 2017; Hartmanns and Kaminski 2020. */
#include "mdp/mdp_climb.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "la/lapack.h"
#include "mdp/mdp_components.h"

enum { MOST_LEAP = 300, LEAPS = 40, FIRST_SWEEPS = 16, PATIENCE = 400, PASSES = 60 };

typedef struct climber {
  coh_mdp_climb *climb;
  coh_mdp_components parts;
  int64_t n_updates;
  double target;         /* width that a component is brought to in this pass */
  uint8_t *holds;        /* by component: upper is a bound */
  uint32_t *place;       /* n_states: its number within the component */
  double *matrix, *side; /* of a leap: n x n, n x 3 */
  double *trial;         /* n_states */
} climber;

/* what a row is worth, and the rounding it may have suffered */
static double row_value(const climber *work, int64_t s, int64_t r, const double *values,
                        double *slack) {
  const coh_mdp *mdp = work->climb->mdp;
  double sum = work->climb->pays ? mdp->reward[r] : 0.0, back = 0.0;
  for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++) {
    if (mdp->next[e] == (uint64_t)s)
      back = mdp->probability[e];
    else
      sum += mdp->probability[e] * values[mdp->next[e]];
  }
  *slack = (double)(mdp->first_entry[r + 1] - mdp->first_entry[r] + 6) * DBL_EPSILON;
  if (back == 0.0) return sum;
  return back < 1.0 ? sum / (1.0 - back) : sum > 0.0 ? INFINITY : 0.0;
}

static double apply(climber *work, int64_t s, const double *values, bool up, int32_t *choice) {
  const coh_mdp *mdp = work->climb->mdp;
  bool minimize = work->climb->minimize;
  double best = minimize ? INFINITY : -INFINITY, slack;
  for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
    double q = row_value(work, s, r, values, &slack);
    q *= up ? 1.0 + slack : 1.0 - slack;
    if (minimize ? q >= best : q <= best) continue;
    best = q;
    if (choice) *choice = (int32_t)(r - mdp->first_row[s]);
  }
  work->n_updates++;
  return best;
}

typedef struct part {
  const uint32_t *state;
  int64_t n, number;
} part;

static double width_of(const climber *work, int64_t s) {
  const coh_mdp_climb *climb = work->climb;
  double scale = climb->pays ? fmax(1.0, climb->lower[s]) : 1.0;
  return (climb->upper[s] - climb->lower[s]) / scale;
}

static double part_width(const climber *work, const part *here) {
  if (!work->holds[here->number]) return INFINITY;
  double width = 0.0;
  for (int64_t k = 0; k < here->n; k++)
    width = fmax(width, width_of(work, here->state[k]));
  return width;
}

static bool sweep(climber *work, const part *here, bool backward) {
  double *lower = work->climb->lower, *upper = work->climb->upper;
  bool moved = false;
  for (int64_t k = 0; k < here->n; k++) {
    int64_t s = here->state[backward ? here->n - 1 - k : k];
    double low = apply(work, s, lower, false, NULL), high = apply(work, s, upper, true, NULL);
    if (low > lower[s]) lower[s] = low, moved = true;
    if (high < upper[s] || (!work->holds[here->number] && high != upper[s]))
      upper[s] = high, moved = true;
  }
  return moved;
}

/* does T u <= u (T l >= l) hold in this component? */
static bool is_bound(climber *work, const part *here, const double *values, bool up) {
  for (int64_t k = 0; k < here->n; k++) {
    int64_t s = here->state[k];
    double q = apply(work, s, values, up, NULL);
    if (!(up ? q <= values[s] : q >= values[s])) return false;
  }
  return true;
}

/* ---- optimistic guesses: an upper bound from the lower one */

static void guess(climber *work, const part *here) {
  coh_mdp_climb *climb = work->climb;
  for (int64_t k = 0; k < here->n; k++) {
    int64_t s = here->state[k];
    climb->upper[s] = climb->lower[s] * (1.0 + 0.25 * work->target) + DBL_MIN;
  }
}

/* ---- leaps: solve for the greedy policy */

/* rows of (I - P) and what lies outside, for lower, upper and the number of steps */
static void set_equations(climber *work, const part *here, const int32_t *choice) {
  const coh_mdp_climb *climb = work->climb;
  const coh_mdp *mdp = climb->mdp;
  int64_t n = here->n;
  memset(work->matrix, 0, (size_t)(n * n) * sizeof(double));
  for (int64_t i = 0; i < n; i++) {
    int64_t s = here->state[i], r = mdp->first_row[s] + choice[s];
    double *row = work->matrix + i * n, *side = work->side + 3 * i;
    row[i] = 1.0;
    side[0] = side[1] = climb->pays ? mdp->reward[r] : 0.0;
    side[2] = 1.0;
    for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++) {
      uint32_t to = mdp->next[e];
      double p = mdp->probability[e];
      if (work->parts.of[to] == here->number && to < (uint64_t)mdp->n_states - 2) {
        row[work->place[to]] -= p;
      } else {
        side[0] += p * climb->lower[to];
        side[1] += p * climb->upper[to];
      }
    }
  }
}

/* trial = values, of this component and of all that it leads to */
static void mirror(climber *work, const part *here, const double *values) {
  const coh_mdp *mdp = work->climb->mdp;
  for (int64_t k = 0; k < here->n; k++) {
    int64_t s = here->state[k];
    work->trial[s] = values[s];
    for (int64_t e = mdp->first_entry[mdp->first_row[s]];
         e < mdp->first_entry[mdp->first_row[s + 1]]; e++)
      work->trial[mdp->next[e]] = values[mdp->next[e]];
  }
}

/* try bounds a little beside a solution: value -+ share * steps */
static bool try_bound(climber *work, const part *here, int column, double share) {
  coh_mdp_climb *climb = work->climb;
  bool up = column == 1;
  double *bound = up ? climb->upper : climb->lower, *trial = work->trial;
  mirror(work, here, bound);
  for (int64_t i = 0; i < here->n; i++) {
    double value = work->side[3 * i + column], steps = work->side[3 * i + 2];
    trial[here->state[i]] = fmax(0.0, up ? value + share * steps : value - share * steps);
  }
  if (!is_bound(work, here, trial, up)) return false;
  for (int64_t i = 0; i < here->n; i++) {
    int64_t s = here->state[i];
    bool is_better =
        up ? !work->holds[here->number] || trial[s] < bound[s] : trial[s] > bound[s];
    if (is_better) bound[s] = trial[s];
  }
  if (up) work->holds[here->number] = 1;
  return true;
}

/* the solution's size and longest way; false: the policy does not leave */
static bool measure(const climber *work, const part *here, double *most, double *steps) {
  *most = *steps = 0.0;
  for (int64_t i = 0; i < here->n; i++) {
    const double *side = work->side + 3 * i;
    if (!isfinite(side[1]) || !(side[2] > 0.0)) return false;
    *most = fmax(*most, fabs(side[1]));
    *steps = fmax(*steps, side[2]);
  }
  return true;
}

/* bounds as close to the solution as rounding lets a sweep confirm */
static bool try_bounds(climber *work, const part *here, double most, double steps) {
  bool low = false, high = false;
  double furthest = 0.2 * work->target * fmax(1.0, most) / steps;
  for (double share = 64.0 * DBL_EPSILON * most; share <= furthest && !(low && high);
       share = 16.0 * share + DBL_MIN) {
    low = low || try_bound(work, here, 0, share);
    high = high || try_bound(work, here, 1, share);
  }
  return low && high;
}

/* a better policy from the solution's own values; whether there is one */
static bool improve(climber *work, const part *here, int32_t *choice) {
  bool changed = false;
  mirror(work, here, work->climb->lower);
  for (int64_t i = 0; i < here->n; i++)
    work->trial[here->state[i]] = work->side[3 * i];
  for (int64_t k = 0; k < here->n; k++) {
    int64_t s = here->state[k], r = work->climb->mdp->first_row[s] + choice[s];
    int32_t better = choice[s];
    double slack, now = row_value(work, s, r, work->trial, &slack);
    double best = apply(work, s, work->trial, false, &better);
    double gain = work->climb->minimize ? now - best : best - now;
    if (better == choice[s] || !(gain > 8.0 * slack * fabs(now))) continue;
    choice[s] = better;
    changed = true;
  }
  return changed;
}

/* policy iteration, begun greedily from the lower bound; ends with verified bounds or not */
static void leap(climber *work, const part *here, int32_t *choice) {
  for (int64_t k = 0; k < here->n; k++)
    apply(work, here->state[k], work->climb->lower, false, &choice[here->state[k]]);
  for (int turn = 0; turn < LEAPS; turn++) {
    double most, steps;
    set_equations(work, here, choice);
    if (coh_la_solve(here->n, 3, work->matrix, work->side) != COH_OK) return;
    if (!measure(work, here, &most, &steps)) return;
    if (try_bounds(work, here, most, steps) || !improve(work, here, choice)) return;
  }
}

/* the widest bound that a component leads to */
static double exit_width(const climber *work, const part *here) {
  const coh_mdp *mdp = work->climb->mdp;
  double width = 0.0;
  for (int64_t k = 0; k < here->n; k++) {
    int64_t s = here->state[k];
    for (int64_t e = mdp->first_entry[mdp->first_row[s]];
         e < mdp->first_entry[mdp->first_row[s + 1]]; e++)
      if (work->parts.of[mdp->next[e]] != here->number)
        width = fmax(width, width_of(work, mdp->next[e]));
  }
  return width;
}

/* ---- one component */

static void climb_part(climber *work, const part *here) {
  coh_mdp_climb *climb = work->climb;
  if (here->n == 1) { // its own row is solved for it: one update is all
    int64_t s = here->state[0];
    climb->lower[s] = fmax(climb->lower[s], apply(work, s, climb->lower, false, NULL));
    double high = apply(work, s, climb->upper, true, NULL);
    if (!work->holds[here->number] || high < climb->upper[s]) climb->upper[s] = high;
    work->holds[here->number] = 1;
    return;
  }
  double best = INFINITY;
  int64_t n_stalls = 0, restart = FIRST_SWEEPS;
  for (int64_t k = 1;; k++) {
    uint8_t *holds = &work->holds[here->number];
    bool moved = sweep(work, here, k & 1);
    if (!*holds && (k % 8 == 0 || !moved)) *holds = is_bound(work, here, climb->upper, true);
    if (k == FIRST_SWEEPS && here->n <= MOST_LEAP) leap(work, here, climb->choice);
    double width = part_width(work, here);
    if (width <= work->target || (!moved && *holds)) return;
    n_stalls = width < 0.99 * best || !*holds ? 0 : n_stalls + 1;
    if (n_stalls == 0) best = width;
    // what it leads to is as wide: another pass has to narrow that first
    if (n_stalls >= PATIENCE && exit_width(work, here) > 0.5 * width) return;
    if (!*holds && (k == restart || !moved)) {
      guess(work, here);
      restart *= 2;
    }
  }
}

static void pass(climber *work) {
  for (int64_t c = 0; c < work->parts.n; c++) {
    part here = {work->parts.state + work->parts.first[c],
                 work->parts.first[c + 1] - work->parts.first[c], c};
    climb_part(work, &here);
  }
}

static coh_status prepare(climber *work) {
  coh_mdp_climb *climb = work->climb;
  int64_t n = climb->mdp->n_states, largest = 0;
  uint8_t *within;
  COH_NEW(within, n);
  memset(within, 1, (size_t)(n - 2));
  coh_status status = coh_mdp_components_find(climb->mdp, within, NULL, &work->parts);
  coh_free(within);
  COH_TRY(status);
  COH_NEW(work->holds, work->parts.n);
  COH_NEW(work->place, n);
  COH_NEW(work->trial, n);
  for (int64_t c = 0; c < work->parts.n; c++) {
    int64_t first = work->parts.first[c], size = work->parts.first[c + 1] - first;
    for (int64_t k = 0; k < size; k++)
      work->place[work->parts.state[first + k]] = (uint32_t)k;
    if (size <= MOST_LEAP && size > largest) largest = size;
    work->holds[c] = !climb->pays;
  }
  COH_NEW(work->matrix, largest * largest);
  COH_NEW(work->side, 3 * largest);
  for (int64_t s = 0; s < n; s++) {
    climb->lower[s] = s == n - 1 && !climb->pays ? 1.0 : 0.0;
    climb->upper[s] = s == n - 2 || climb->pays ? 0.0 : 1.0;
  }
  return COH_OK;
}

static coh_status run(climber *work) {
  coh_mdp_climb *climb = work->climb;
  int64_t n = climb->mdp->n_states - 2;
  COH_TRY(prepare(work));
  work->target = 0.5 * climb->tolerance;
  double before = INFINITY;
  for (int k = 0; k < PASSES; k++, work->target *= 0.5) {
    pass(work);
    climb->width = 0.0;
    for (int64_t s = 0; s < n; s++)
      climb->width = fmax(climb->width, width_of(work, s));
    if (climb->width <= climb->tolerance || climb->width > 0.999 * before) break;
    before = climb->width;
  }
  COH_CHECK(climb->width <= climb->tolerance, COH_E_DIVERGED,
            "the bound stays %.3g wide, above the tolerance of %.3g: rounding keeps it there",
            climb->width, climb->tolerance);
  for (int64_t s = 0; s < n; s++)
    apply(work, s, climb->minimize ? climb->upper : climb->lower, climb->minimize,
          &climb->choice[s]);
  climb->n_sweeps = 1 + work->n_updates / (2 * (n > 0 ? n : 1));
  return COH_OK;
}

coh_status coh_mdp_climb_run(coh_mdp_climb *climb) {
  climber work = {.climb = climb};
  coh_status status = run(&work);
  coh_mdp_components_clear(&work.parts);
  coh_free(work.holds);
  coh_free(work.place);
  coh_free(work.matrix);
  coh_free(work.side);
  coh_free(work.trial);
  return status;
}
