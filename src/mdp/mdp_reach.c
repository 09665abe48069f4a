/* Undiscounted answers with bounds that hold: graph sets first, then monotone sweeps in place.
 *
 * From below, T applied to a lower bound is one. From above, reach probability starts at 1 and
 * T applied to an upper bound is one; for rewards a guess u >= 0 becomes an upper bound once
 * T u <= u is checked everywhere (optimistic value iteration). Each operation is rounded
 * outward. Sources: Baier et al. 2017; Hartmanns and Kaminski 2020. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/mdp.h"
#include "mdp/mdp_kernel.h"

/* ----------------------------------------------------------------------------- by graph -- */

/* Which states a set grows into. */
typedef struct growth {
  const uint8_t *within; /* rows must stay in it; NULL: anywhere */
  const uint8_t *barred; /* states that do not grow; NULL: none */
  bool every;            /* all rows must lead on, not just one */
} growth;

static bool row_leads(const coh_mdp *mdp, int64_t r, const growth *how, const uint8_t *set) {
  bool hits = false;
  for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++) {
    if (how->within && !how->within[mdp->next[e]]) return false;
    hits = hits || set[mdp->next[e]];
  }
  return hits;
}

static bool state_leads(const coh_mdp *mdp, int64_t s, const growth *how, const uint8_t *set) {
  for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
    if (row_leads(mdp, r, how, set) != how->every) return !how->every;
  return how->every;
}

/* The least superset closed under `how`; sweeps go both ways, so that chains take few. */
static void grow(const coh_mdp *mdp, const growth *how, uint8_t *set) {
  int64_t n = mdp->n_states;
  bool grew = true;
  for (bool forward = false; grew; forward = !forward) {
    grew = false;
    for (int64_t k = 0; k < n; k++) {
      int64_t s = forward ? k : n - 1 - k;
      if (set[s] || (how->barred && how->barred[s])) continue;
      if (!state_leads(mdp, s, how, set)) continue;
      set[s] = 1;
      grew = true;
    }
  }
}

/* Where the probability is 0: no policy (minimize: not every policy) finds a way. */
static void find_never(const coh_mdp *mdp, bool minimize, const uint8_t *target,
                       uint8_t *never) {
  memcpy(never, target, (size_t)mdp->n_states);
  grow(mdp, &(growth){.every = minimize}, never);
  for (int64_t s = 0; s < mdp->n_states; s++)
    never[s] = !never[s];
}

/* Where it is 1 under every policy: no way that avoids the target leads to where one of them
 * never arrives. */
static void find_surely_all(const coh_mdp *mdp, const uint8_t *target, uint8_t *sure) {
  find_never(mdp, true, target, sure);
  grow(mdp, &(growth){.barred = target}, sure);
  for (int64_t s = 0; s < mdp->n_states; s++)
    sure[s] = !sure[s];
}

/* Where it is 1 under some policy: the largest set that keeps a way to the target inside. */
static void find_surely_some(const coh_mdp *mdp, const uint8_t *target, uint8_t *scratch,
                             uint8_t *sure) {
  size_t n = (size_t)mdp->n_states;
  memset(sure, 1, n);
  for (;;) {
    memcpy(scratch, target, n);
    grow(mdp, &(growth){.within = sure}, scratch);
    if (memcmp(scratch, sure, n) == 0) return;
    memcpy(sure, scratch, n);
  }
}

/* A state that can stay for ever among `among` without paying; -1: there is none. */
static int64_t find_free_stay(const coh_mdp *mdp, const uint8_t *among, uint8_t *stays) {
  memcpy(stays, among, (size_t)mdp->n_states);
  int64_t found = -1;
  for (bool shrank = true; shrank;) {
    shrank = false;
    found = -1;
    for (int64_t s = 0; s < mdp->n_states; s++) {
      if (!stays[s]) continue;
      bool can = false;
      for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1] && !can; r++) {
        can = mdp->reward[r] == 0.0;
        for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1] && can; e++)
          can = stays[mdp->next[e]];
      }
      if (can) found = s;
      if (!can) shrank = true;
      stays[s] = can;
    }
  }
  return found;
}

/* ---------------------------------------------------------------------------- by numbers -- */

typedef struct climb {
  const coh_mdp *mdp;
  bool minimize, pays; /* pays: rewards count; else probability */
  double tolerance;
  int64_t max_sweeps;
  uint8_t *target, *never, *sure, *open; /* open: states still to find */
  bool upper_holds;
  coh_mdp_bounds *out;
} climb;

/* T of one state, rounded up or down. All terms are at least 0, so an error is relative. */
static double apply(const climb *work, int64_t s, const double *values, bool up) {
  const coh_mdp *mdp = work->mdp;
  double best = work->minimize ? INFINITY : -INFINITY;
  for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
    int64_t e = mdp->first_entry[r], n = mdp->first_entry[r + 1] - e;
    double q = coh_mdp_row_sum(mdp->next + e, mdp->probability + e, n, values);
    if (work->pays) q += mdp->reward[r];
    double slack = (double)(n + 2) * DBL_EPSILON;
    q *= up ? 1.0 + slack : 1.0 - slack;
    if (work->minimize ? q < best : q > best) best = q;
  }
  return best;
}

static bool sweep(climb *work, bool forward) {
  int64_t n = work->mdp->n_states;
  double *lower = work->out->lower, *upper = work->out->upper;
  bool moved = false;
  for (int64_t k = 0; k < n; k++) {
    int64_t s = forward ? k : n - 1 - k;
    if (!work->open[s]) continue;
    double low = apply(work, s, lower, false), high = apply(work, s, upper, true);
    if (low > lower[s]) {
      lower[s] = low;
      moved = true;
    }
    if (high < upper[s] || (!work->upper_holds && high != upper[s])) {
      upper[s] = high;
      moved = true;
    }
  }
  return moved;
}

/* Does T u <= u hold everywhere? Then u is a bound, and stays one. */
static void check_guess(climb *work) {
  for (int64_t s = 0; s < work->mdp->n_states; s++)
    if (work->open[s] && !(apply(work, s, work->out->upper, true) <= work->out->upper[s]))
      return;
  work->upper_holds = true;
}

static void guess(climb *work) {
  for (int64_t s = 0; s < work->mdp->n_states; s++)
    if (work->open[s])
      work->out->upper[s] = work->out->lower[s] * (1.0 + 0.5 * work->tolerance) + DBL_MIN;
}

static double width_of(const climb *work) {
  double width = 0.0;
  for (int64_t s = 0; s < work->mdp->n_states; s++) {
    if (!work->open[s]) continue;
    double scale = work->pays ? fmax(1.0, work->out->lower[s]) : 1.0;
    width = fmax(width, (work->out->upper[s] - work->out->lower[s]) / scale);
  }
  return work->upper_holds ? width : INFINITY;
}

static coh_status iterate(climb *work) {
  int64_t restart = 16, look = 8;
  for (int64_t k = 1;; k++) {
    bool moved = sweep(work, k & 1);
    work->out->n_sweeps = k;
    if (!work->upper_holds && (k == look || !moved)) check_guess(work);
    if (k == look || !moved) {
      work->out->width = width_of(work);
      if (work->out->width <= work->tolerance) return COH_OK;
      look += 1 + look / 8;
    }
    COH_CHECK(moved && k < work->max_sweeps, COH_E_DIVERGED,
              "the bound is %.3g wide after %lld sweeps, above the tolerance of %.3g%s",
              work->out->width, (long long)k, work->tolerance,
              moved ? "" : ": an end component or rounding keeps it there");
    if (!work->upper_holds && k == restart) {
      guess(work);
      restart *= 2;
    }
  }
}

/* greedy for the bound that a policy has to keep: the lower one of a maximum */
static void choose(climb *work) {
  const coh_mdp *mdp = work->mdp;
  const double *values = work->minimize ? work->out->upper : work->out->lower;
  double sign = work->minimize ? -1.0 : 1.0;
  for (int64_t s = 0; s < mdp->n_states; s++) {
    double best = -INFINITY;
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
      int64_t e = mdp->first_entry[r];
      double q = coh_mdp_row_sum(mdp->next + e, mdp->probability + e,
                                 mdp->first_entry[r + 1] - e, values);
      if (work->pays) q += mdp->reward[r];
      if (!(sign * q > best)) continue;
      best = sign * q;
      work->out->choice[s] = (int32_t)(r - mdp->first_row[s]);
    }
  }
}

static void settle(climb *work, int64_t s) {
  double known = work->pays ? (work->sure[s] ? 0.0 : INFINITY) : (work->sure[s] ? 1.0 : 0.0);
  if (work->pays)
    work->open[s] = work->sure[s] && !work->target[s];
  else
    work->open[s] = !work->sure[s] && !work->never[s];
  work->out->lower[s] = work->out->upper[s] = known;
  if (work->open[s] && !work->pays) work->out->upper[s] = 1.0;
}

static coh_status prepare(climb *work, const uint8_t *target) {
  const coh_mdp *mdp = work->mdp;
  COH_NEW(work->target, mdp->n_states);
  COH_NEW(work->never, mdp->n_states);
  COH_NEW(work->sure, mdp->n_states);
  COH_NEW(work->open, mdp->n_states);
  COH_NEW(work->out->lower, mdp->n_states);
  COH_NEW(work->out->upper, mdp->n_states);
  COH_NEW(work->out->choice, mdp->n_states);
  for (int64_t s = 0; s < mdp->n_states; s++)
    work->target[s] = target[s] != 0;
  // rewards count until the target is reached for certain: by every policy, or by the best
  if (work->minimize != work->pays)
    find_surely_all(mdp, work->target, work->sure);
  else
    find_surely_some(mdp, work->target, work->never, work->sure);
  find_never(mdp, work->minimize, work->target, work->never);
  for (int64_t s = 0; s < mdp->n_states; s++)
    settle(work, s);
  if (!work->pays) return COH_OK;
  for (int64_t s = 0; s < mdp->n_states; s++)
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1] && work->open[s]; r++)
      COH_CHECK(mdp->reward[r] >= 0.0, COH_E_DATA,
                "state %lld, action %d: reward %g is negative; the bounds of a total need "
                "rewards of at least 0 (for costs, minimize)",
                (long long)s, mdp->action[r], mdp->reward[r]);
  int64_t free_stay = work->minimize ? find_free_stay(mdp, work->open, work->never) : -1;
  COH_CHECK(free_stay < 0, COH_E_DATA,
            "state %lld can stay away from the target for ever at no cost: the least total has "
            "no certified bound here",
            (long long)free_stay);
  return COH_OK;
}

static coh_status solve(const coh_mdp *mdp, const uint8_t *target, bool pays,
                        const coh_mdp_solve_options *options, coh_mdp_bounds *bounds) {
  *bounds = (coh_mdp_bounds){0};
  climb work = {.mdp = mdp, .pays = pays, .out = bounds, .upper_holds = !pays};
  work.minimize = options && options->minimize;
  work.tolerance = options && options->tolerance > 0.0 ? options->tolerance : 1e-6;
  work.max_sweeps = INT64_C(1) << 32;
  coh_status status = prepare(&work, target);
  if (status == COH_OK) status = iterate(&work);
  if (status == COH_OK) choose(&work);
  coh_free(work.target);
  coh_free(work.never);
  coh_free(work.sure);
  coh_free(work.open);
  if (status != COH_OK) coh_mdp_bounds_clear(bounds);
  return status;
}

coh_status coh_mdp_reach(const coh_mdp *mdp, const uint8_t *target,
                         const coh_mdp_solve_options *options, coh_mdp_bounds *bounds) {
  return solve(mdp, target, false, options, bounds);
}

coh_status coh_mdp_total_until(const coh_mdp *mdp, const uint8_t *target,
                               const coh_mdp_solve_options *options, coh_mdp_bounds *bounds) {
  return solve(mdp, target, true, options, bounds);
}

void coh_mdp_bounds_clear(coh_mdp_bounds *bounds) {
  COH_DELETE(bounds->lower);
  COH_DELETE(bounds->upper);
  COH_DELETE(bounds->choice);
}
