/* The optimum of a discounted model: inexact policy iteration, certified by MacQueen's bound.
 *
 * Plain sweeps go first, and on, while each narrows the bound well. Where they do not, the
 * greedy policy is taken and its equations are solved to a few hundredths of the residual
 * (policy_chain.h).
 * Where rewards are rare, a start from them outward (mdp_wave.h) spares the sweeps that news
 * would need to cross the model.
 *
 * With TV - V within [low, high] the optimum lies within TV + beta / (1 - beta) [low, high]
 * (beta: discount times a row's sum). What rounding may have done to TV widens the bound. */
#include <float.h>
#include <math.h>

#include "base/alloc.h"
#include "cohort/mdp.h"
#include "mdp/mdp_blocks.h"
#include "mdp/mdp_bound.h"
#include "mdp/mdp_compact.h"
#include "mdp/mdp_wave.h"
#include "mdp/policy_chain.h"

void coh_mdp_rows_measure(const coh_mdp *mdp, coh_mdp_rows *rows) {
  *rows = (coh_mdp_rows){.least_sum = INFINITY};
  for (int64_t r = 0; r < mdp->n_rows; r++) {
    double sum = 0.0;
    for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++)
      sum += mdp->probability[e];
    int64_t n = mdp->first_entry[r + 1] - mdp->first_entry[r];
    if (n > rows->longest) rows->longest = n;
    if (sum < rows->least_sum) rows->least_sum = sum;
    if (sum > rows->greatest_sum) rows->greatest_sum = sum;
    if (fabs(mdp->reward[r]) > rows->greatest_reward)
      rows->greatest_reward = fabs(mdp->reward[r]);
  }
  double slack = (double)(rows->longest + 1) * DBL_EPSILON;
  rows->least_sum -= slack;
  rows->greatest_sum += slack;
  rows->error = mdp->compact ? mdp->compact->error : 0.0;
}

double coh_mdp_rounding(const coh_mdp_rows *rows, double discount, double largest_value) {
  return (double)(rows->longest + 4) * DBL_EPSILON *
             (rows->greatest_reward +
              discount * (rows->greatest_sum + rows->error) * largest_value) +
         discount * rows->error * (1.0 + 4.0 * DBL_EPSILON) * largest_value;
}

void coh_mdp_macqueen(const coh_mdp_rows *rows, double discount, double rounding, double low,
                      double high, double *lower, double *upper) {
  double least = discount * rows->least_sum, greatest = discount * rows->greatest_sum;
  double short_run = least / (1.0 - least), long_run = greatest / (1.0 - greatest);
  low -= rounding;
  high += rounding;
  *lower = low * (low >= 0.0 ? short_run : long_run) - rounding;
  *upper = high * (high >= 0.0 ? long_run : short_run) + rounding;
  // the few operations above round as well
  *lower -= fabs(*lower) * 8.0 * DBL_EPSILON;
  *upper += fabs(*upper) * 8.0 * DBL_EPSILON;
}

static double largest_of(const double *values, int64_t n) {
  double largest = 0.0;
  for (int64_t s = 0; s < n; s++)
    if (!(fabs(values[s]) <= largest)) largest = fabs(values[s]);
  return largest;
}

/* What a solve works on. */
typedef struct solver {
  const coh_mdp *mdp;
  bool minimize;
  double tolerance;
  int n_threads;
  coh_mdp_rows rows;
  double *values, *next;
  int32_t *choice;
  coh_mdp_dots *dots;
  coh_policy_chain *chain; /* made when first needed */
  int64_t n_improvements, n_products;
} solver;

/* One sweep and what it says. */
typedef struct verdict {
  double low, high;     /* of next - values */
  double lower, upper;  /* next + lower <= V* <= next + upper */
  double width, wanted; /* of the bound */
  double rounding;
} verdict;

enum { MAX_PRODUCTS = 400, MAX_STALLS = 60 };
static const double GOOD_RATE = 0.6;       /* of plain sweeps that are worth going on with */
static const double RESIDUAL_RATIO = 0.02; /* of a correction */

typedef struct vector_job {
  const double *from;
  double *to;
  double shift;
  coh_mdp_dots *dots;
} vector_job;

static void shift_block(void *given, int64_t first, int64_t end) {
  const vector_job *job = given;
  for (int64_t s = first; s < end; s++)
    job->to[s] = job->from[s] + job->shift;
}

static void mean_block(void *given, int64_t first, int64_t end) {
  const vector_job *job = given;
  double sum[4] = {0.0};
  for (int64_t s = first; s < end; s++)
    sum[s & 3] += job->to[s] - job->from[s];
  coh_mdp_dots_put(job->dots, first, 0, (sum[0] + sum[2]) + (sum[1] + sum[3]));
}

static void shift_next(solver *work, double shift) {
  vector_job job = {.from = work->next, .to = work->values, .shift = shift};
  coh_mdp_blocks_run(work->mdp->n_states, work->n_threads, shift_block, &job);
}

/* Approach the value of the greedy policy. */
static coh_status correct(solver *work, const verdict *found) {
  const coh_mdp *mdp = work->mdp;
  double spread = found->high - found->low;
  if (!work->chain) COH_TRY(coh_policy_chain_create(mdp, work->n_threads, &work->chain));
  vector_job job = {.from = work->values, .to = work->next, .dots = work->dots};
  double sum;
  coh_mdp_blocks_run(mdp->n_states, work->n_threads, mean_block, &job);
  coh_mdp_dots_total(work->dots, 1, &sum);
  coh_policy_residual residual = {sum / (double)mdp->n_states, spread};
  coh_policy_chain_set(work->chain, work->choice);
  work->n_products += coh_policy_chain_correct(work->chain, residual, RESIDUAL_RATIO,
                                               MAX_PRODUCTS, work->next, work->values);
  return COH_OK;
}

static coh_status sweep(solver *work, verdict *found) {
  const coh_mdp *mdp = work->mdp;
  coh_mdp_sweep(mdp, work->minimize, work->n_threads, work->values, work->next, work->choice,
                &found->low, &found->high);
  work->n_improvements++;
  double largest = largest_of(work->values, mdp->n_states);
  found->rounding = coh_mdp_rounding(&work->rows, mdp->discount, largest);
  coh_mdp_macqueen(&work->rows, mdp->discount, found->rounding, found->low, found->high,
                   &found->lower, &found->upper);
  found->width = found->upper - found->lower;
  found->wanted = work->tolerance > 0.0 ? work->tolerance : 1e-9 * largest;
  COH_CHECK(isfinite(found->width), COH_E_DIVERGED, "values are not finite after %lld sweeps",
            (long long)work->n_improvements);
  return COH_OK;
}

static coh_status iterate(solver *work, double *width) {
  double best = INFINITY, before = INFINITY;
  int n_stalls = 0;
  int64_t n_plain = 0, patience = 0; /* plain sweeps to do before the next correction */
  for (;;) {
    verdict found;
    COH_TRY(sweep(work, &found));
    *width = found.width;
    if (found.width <= found.wanted || found.width == 0.0) {
      shift_next(work, 0.5 * (found.lower + found.upper));
      return COH_OK;
    }
    n_stalls = found.width < 0.9 * best ? 0 : n_stalls + 1;
    if (found.width < best) best = found.width;
    COH_CHECK(n_stalls < MAX_STALLS, COH_E_DIVERGED,
              "the bound stays %.3g wide, above the tolerance of %.3g: rounding reaches %.3g",
              best, found.wanted, found.rounding);
    double spread = found.high - found.low;
    // a correction that made things worse is followed by a few sweeps
    if (n_plain == 0 && spread > before) patience = 4;
    if (n_plain == 0 && spread < 0.5 * before) patience = 0;
    bool plain = spread < GOOD_RATE * before ? n_plain > 0 || work->n_improvements < 3
                                             : n_plain < patience || work->n_improvements < 3;
    before = spread;
    if (plain) {
      double *swap = work->values;
      work->values = work->next;
      work->next = swap;
      n_plain++;
    } else {
      COH_TRY(correct(work, &found));
      n_plain = 0;
    }
  }
}

static coh_status solve(solver *work, coh_mdp_solution *solution) {
  const coh_mdp *mdp = work->mdp;
  COH_NEW(work->values, mdp->n_states);
  COH_NEW(work->next, mdp->n_states);
  COH_NEW(work->choice, mdp->n_states);
  COH_TRY(coh_mdp_dots_create(mdp->n_states, work->n_threads, &work->dots));
  coh_mdp_rows_measure(mdp, &work->rows);
  COH_CHECK(mdp->discount * work->rows.greatest_sum < 1.0, COH_E_DATA,
            "discount %.17g leaves no room for rounding", mdp->discount);
  COH_TRY(coh_mdp_wave(mdp, work->minimize, work->values, &work->n_improvements));
  COH_TRY(iterate(work, &solution->width));
  solution->values = work->values;
  solution->choice = work->choice;
  solution->n_improvements = work->n_improvements;
  solution->n_products = work->n_products;
  work->values = NULL;
  work->choice = NULL;
  return COH_OK;
}

coh_status coh_mdp_solve(const coh_mdp *mdp, const coh_mdp_solve_options *options,
                         coh_mdp_solution *solution) {
  COH_CHECK(mdp->discount < 1.0, COH_E_DATA, "this solver is for a discount below 1");
  solver work = {.mdp = mdp, .n_threads = 1};
  if (options) {
    work.minimize = options->minimize;
    work.tolerance = options->tolerance;
    if (options->n_threads > 0) work.n_threads = options->n_threads;
  }
  coh_status status = solve(&work, solution);
  coh_policy_chain_destroy(&work.chain);
  coh_mdp_dots_destroy(&work.dots);
  coh_free(work.values);
  coh_free(work.next);
  coh_free(work.choice);
  return status;
}

void coh_mdp_solution_clear(coh_mdp_solution *solution) {
  COH_DELETE(solution->values);
  COH_DELETE(solution->choice);
}
