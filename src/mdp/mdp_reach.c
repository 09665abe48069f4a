/* Undiscounted answers: what the graph decides, then end components made single states, then
 * bounds on what is left (mdp_climb.c), and a policy that keeps the bound on the near side.
 * Sources: de Alfaro 1997; Baier et al. 2017; Hartmanns and Kaminski 2020. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/mdp.h"
#include "mdp/mdp_climb.h"
#include "mdp/mdp_sets.h"

typedef struct question {
  const coh_mdp *mdp; /* rewards are at least 0 */
  bool minimize, pays;
  double tolerance;
  coh_mdp_incoming *incoming;
  uint8_t *target, *open; /* open: neither the graph nor infinity decides */
  uint8_t *one;           /* closed and worth 1 */
  uint8_t *lost;          /* closed and infinite */
  uint8_t *rows;          /* inside end components */
  uint32_t *of_end;
  int64_t n_ends;
  coh_mdp_quotient quotient;
  coh_mdp_bounds *out;
} question;

static coh_status allocate(question *q) {
  const coh_mdp *mdp = q->mdp;
  COH_NEW(q->target, mdp->n_states);
  COH_NEW(q->open, mdp->n_states);
  COH_NEW(q->one, mdp->n_states);
  COH_NEW(q->lost, mdp->n_states);
  COH_NEW(q->rows, mdp->n_rows);
  COH_NEW(q->of_end, mdp->n_states);
  COH_NEW(q->out->lower, mdp->n_states);
  COH_NEW(q->out->upper, mdp->n_states);
  COH_NEW(q->out->choice, mdp->n_states);
  return coh_mdp_incoming_create(mdp, &q->incoming);
}

static void release(question *q) {
  coh_mdp_incoming_destroy(&q->incoming);
  coh_mdp_quotient_clear(&q->quotient);
  coh_free(q->target);
  coh_free(q->open);
  coh_free(q->one);
  coh_free(q->lost);
  coh_free(q->rows);
  coh_free(q->of_end);
}

/* ---- what the graph decides */

/* a row of s that stays in a set, -1: none */
static int32_t row_inside(const coh_mdp *mdp, int64_t s, const uint8_t *set) {
  for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
    bool inside = true;
    for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1] && inside; e++)
      inside = set[mdp->next[e]];
    if (inside) return (int32_t)(r - mdp->first_row[s]);
  }
  return -1;
}

static coh_status close_reach(question *q) {
  const coh_mdp *mdp = q->mdp;
  uint8_t *never = q->lost; // lent
  if (q->minimize)
    COH_TRY(coh_mdp_find_surely_all(q->incoming, q->target, q->one));
  else
    COH_TRY(coh_mdp_find_surely_some(q->incoming, q->target, q->one, q->out->choice));
  COH_TRY(coh_mdp_find_never(q->incoming, q->target, q->minimize, never));
  for (int64_t s = 0; s < mdp->n_states; s++) {
    q->open[s] = !q->one[s] && !never[s];
    if (never[s]) {
      int32_t stay = row_inside(mdp, s, never);
      q->out->choice[s] = stay >= 0 ? stay : 0;
    }
  }
  memset(q->lost, 0, (size_t)mdp->n_states);
  memset(q->rows, q->minimize ? 0 : 1, (size_t)mdp->n_rows);
  return COH_OK;
}

/* states that can stay for ever among those without paying: end components of free rows, and
 * what may go there by free rows */
static void mark_free_rows(question *q) {
  for (int64_t r = 0; r < q->mdp->n_rows; r++)
    q->rows[r] = q->mdp->reward[r] == 0.0;
}

/* without a target: the least total is settled where staying is free; the greatest where
 * nothing is to be had any more, and it is infinite where a paying component can be reached */
static coh_status close_free(question *q) {
  const coh_mdp *mdp = q->mdp;
  size_t n = (size_t)mdp->n_states;
  memset(q->open, 1, n);
  if (q->minimize) {
    mark_free_rows(q);
    COH_TRY(coh_mdp_end_components(mdp, q->open, q->rows, q->of_end, &q->n_ends));
    for (int64_t s = 0; s < mdp->n_states; s++) {
      if (q->of_end[s] == UINT32_MAX) continue;
      q->target[s] = 1;
      for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
        if (q->rows[r]) q->out->choice[s] = (int32_t)(r - mdp->first_row[s]);
    }
    return COH_OK;
  }
  memset(q->rows, 1, (size_t)mdp->n_rows);
  COH_TRY(coh_mdp_end_components(mdp, q->open, q->rows, q->of_end, &q->n_ends));
  for (int64_t s = 0; s < mdp->n_states; s++)
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
      if (mdp->reward[r] == 0.0) continue;
      q->target[s] = 1; // for now: something is paid here
      if (!q->rows[r]) continue;
      q->lost[s] = 1;
      q->out->choice[s] = (int32_t)(r - mdp->first_row[s]);
    }
  COH_TRY(coh_mdp_grow(q->incoming, &(coh_mdp_growth){0}, q->lost, q->out->choice));
  COH_TRY(coh_mdp_grow(q->incoming, &(coh_mdp_growth){0}, q->target, NULL));
  for (int64_t s = 0; s < mdp->n_states; s++)
    q->target[s] = !q->target[s];
  return COH_OK;
}

static coh_status close_total(question *q, bool has_target) {
  const coh_mdp *mdp = q->mdp;
  uint8_t *sure = q->one; // lent
  if (!has_target) COH_TRY(close_free(q));
  if (has_target || q->minimize) {
    if (q->minimize)
      COH_TRY(coh_mdp_find_surely_some(q->incoming, q->target, sure, NULL));
    else
      COH_TRY(coh_mdp_find_surely_all(q->incoming, q->target, sure));
    for (int64_t s = 0; s < mdp->n_states; s++)
      q->lost[s] = !sure[s];
  }
  memset(sure, 0, (size_t)mdp->n_states);
  for (int64_t s = 0; s < mdp->n_states; s++)
    q->open[s] = !q->lost[s] && !q->target[s];
  if (q->minimize) // going round for free is no way to arrive
    mark_free_rows(q);
  else
    memset(q->rows, has_target ? 0 : 1, (size_t)mdp->n_rows);
  return COH_OK;
}

/* ---- back from the quotient */

static coh_status lift_choices(question *q, const coh_mdp_climb *climb) {
  const coh_mdp *mdp = q->mdp, *small = q->quotient.mdp;
  uint8_t *owners = q->one; // not needed any more
  memset(owners, 0, (size_t)mdp->n_states);
  for (int64_t k = 0; k < q->quotient.n; k++) {
    int64_t row = small->first_row[k] + climb->choice[k];
    int64_t s = q->quotient.owner[row];
    q->out->choice[s] = (int32_t)(q->quotient.row[row] - mdp->first_row[s]);
    owners[s] = 1;
  }
  // the others of a component go to the one that leaves
  return coh_mdp_grow(q->incoming, &(coh_mdp_growth){.rows = q->rows}, owners, q->out->choice);
}

static coh_status lift(question *q, const coh_mdp_climb *climb, const uint8_t *one) {
  for (int64_t s = 0; s < q->mdp->n_states; s++) {
    double closed = q->lost[s] ? INFINITY : one[s] ? 1.0 : 0.0;
    uint32_t k = q->quotient.of[s];
    q->out->lower[s] = q->open[s] ? climb->lower[k] : closed;
    q->out->upper[s] = q->open[s] ? climb->upper[k] : closed;
  }
  q->out->width = climb->width;
  q->out->n_sweeps = climb->n_sweeps;
  return lift_choices(q, climb);
}

static coh_status answer(question *q, coh_mdp_climb *climb) {
  const coh_mdp *small = q->quotient.mdp;
  *climb = (coh_mdp_climb){
      .mdp = small, .minimize = q->minimize, .pays = q->pays, .tolerance = q->tolerance};
  COH_NEW(climb->lower, small->n_states);
  COH_NEW(climb->upper, small->n_states);
  COH_NEW(climb->choice, small->n_states);
  COH_TRY(coh_mdp_climb_run(climb));
  return lift(q, climb, q->one);
}

static coh_status ask(question *q, const uint8_t *target) {
  const coh_mdp *mdp = q->mdp;
  COH_TRY(allocate(q));
  for (int64_t s = 0; target && s < mdp->n_states; s++)
    q->target[s] = target[s] != 0;
  COH_TRY(q->pays ? close_total(q, target != NULL) : close_reach(q));
  COH_TRY(coh_mdp_end_components(mdp, q->open, q->rows, q->of_end, &q->n_ends));
  coh_mdp_collapse how = {.open = q->open,
                          .rows = q->rows,
                          .one = q->pays ? NULL : q->one,
                          .lost = q->pays ? q->lost : NULL,
                          .of_end = q->of_end,
                          .n_ends = q->n_ends};
  COH_TRY(coh_mdp_quotient_make(mdp, &how, &q->quotient));
  coh_mdp_climb climb;
  coh_status status = answer(q, &climb);
  coh_free(climb.lower);
  coh_free(climb.upper);
  coh_free(climb.choice);
  return status;
}

static coh_status solve(question *q, const uint8_t *target,
                        const coh_mdp_solve_options *options) {
  *q->out = (coh_mdp_bounds){0};
  q->tolerance = options && options->tolerance > 0.0 ? options->tolerance : 1e-6;
  coh_status status = ask(q, target);
  release(q);
  if (status != COH_OK) coh_mdp_bounds_clear(q->out);
  return status;
}

coh_status coh_mdp_reach(const coh_mdp *mdp, const uint8_t *target,
                         const coh_mdp_solve_options *options, coh_mdp_bounds *bounds) {
  question q = {.mdp = mdp, .out = bounds, .minimize = options && options->minimize};
  return solve(&q, target, options);
}

/* ---- rewards of one sign */

/* what the rewards before the target are: sign is 1, -1, or 0 where all are 0 */
static coh_status find_sign(const coh_mdp *mdp, const uint8_t *target, int *sign) {
  int64_t example[2] = {-1, -1};
  for (int64_t s = 0; s < mdp->n_states; s++)
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1] && !(target && target[s]);
         r++)
      if (mdp->reward[r] != 0.0) example[mdp->reward[r] < 0.0] = s;
  COH_CHECK(
      example[0] < 0 || example[1] < 0, COH_E_DATA,
      "rewards of both signs (state %lld is paid, state %lld pays): an undiscounted total "
      "has certified bounds here when rewards are of one sign",
      (long long)example[0], (long long)example[1]);
  *sign = example[1] >= 0 ? -1 : 1;
  return COH_OK;
}

static void negate(coh_mdp_bounds *bounds, int64_t n) {
  for (int64_t s = 0; s < n; s++) {
    double low = bounds->lower[s];
    bounds->lower[s] = 0.0 - bounds->upper[s];
    bounds->upper[s] = 0.0 - low;
  }
}

coh_status coh_mdp_total_until(const coh_mdp *mdp, const uint8_t *target,
                               const coh_mdp_solve_options *options, coh_mdp_bounds *bounds) {
  int sign = 0;
  COH_TRY(find_sign(mdp, target, &sign));
  bool minimize = options && options->minimize;
  question q = {.mdp = mdp, .out = bounds, .pays = true, .minimize = minimize};
  if (sign > 0) return solve(&q, target, options);
  // costs: the same with all signs turned
  coh_mdp turned = *mdp;
  COH_NEW(turned.reward, mdp->n_rows);
  for (int64_t r = 0; r < mdp->n_rows; r++)
    turned.reward[r] = fabs(mdp->reward[r]);
  q.mdp = &turned;
  q.minimize = !minimize;
  coh_status status = solve(&q, target, options);
  coh_free(turned.reward);
  if (status == COH_OK) negate(bounds, mdp->n_states);
  return status;
}

void coh_mdp_bounds_clear(coh_mdp_bounds *bounds) {
  COH_DELETE(bounds->lower);
  COH_DELETE(bounds->upper);
  COH_DELETE(bounds->choice);
}
