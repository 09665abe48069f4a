/* The optimum of a discounted model: inexact policy iteration, certified by MacQueen's bound.
 *
 * With TV - V within [low, high] the optimum lies within TV + beta / (1 - beta) [low, high]
 * (beta: discount times a row's sum). What rounding may have done to TV widens the bound. */
#include <float.h>
#include <math.h>

#include "base/alloc.h"
#include "cohort/mdp.h"
#include "mdp/mdp_bound.h"
#include "mdp/mdp_evaluate.h"
#include "mdp/mdp_policy.h"

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
}

double coh_mdp_rounding(const coh_mdp_rows *rows, double discount, double largest_value) {
  return (double)(rows->longest + 4) * DBL_EPSILON *
         (rows->greatest_reward + discount * rows->greatest_sum * largest_value);
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
  double *values, *next, *reward;
  int32_t *choice;
  coh_mdp_evaluator *evaluator;
  int64_t n_improvements, n_products;
} solver;

/* Approach the value of the greedy policy from `next`, shifted to the middle of its bound. */
static coh_status approach(solver *work, double middle, double ratio, double spread) {
  const coh_mdp *mdp = work->mdp;
  coh_mdp_policy policy = {.choice = work->choice};
  for (int64_t s = 0; s < mdp->n_states; s++)
    work->values[s] = work->next[s] + middle;
  coh_mdp_policy_reward(mdp, policy, work->n_threads, work->reward);
  coh_krylov_outcome outcome;
  double target = ratio * spread * sqrt((double)mdp->n_states);
  COH_TRY(coh_mdp_evaluator_run(work->evaluator, policy, COH_MDP_BICGSTAB, work->reward, target,
                                1000, work->values, &outcome));
  work->n_products += outcome.n_products;
  return COH_OK;
}

static coh_status iterate(solver *work, double *width) {
  const coh_mdp *mdp = work->mdp;
  double best = INFINITY, ratio = 0.05;
  int n_stalls = 0;
  for (;;) {
    double low, high, lower, upper;
    coh_mdp_sweep(mdp, work->minimize, work->n_threads, work->values, work->next, work->choice,
                  &low, &high);
    work->n_improvements++;
    double largest = largest_of(work->values, mdp->n_states);
    coh_mdp_macqueen(&work->rows, mdp->discount,
                     coh_mdp_rounding(&work->rows, mdp->discount, largest), low, high, &lower,
                     &upper);
    double middle = 0.5 * (lower + upper);
    *width = upper - lower;
    double wanted = work->tolerance > 0.0 ? work->tolerance : 1e-9 * largest;
    COH_CHECK(isfinite(*width), COH_E_DIVERGED, "values are not finite after %lld sweeps",
              (long long)work->n_improvements);
    if (*width <= wanted || *width == 0.0) {
      for (int64_t s = 0; s < mdp->n_states; s++)
        work->values[s] = work->next[s] + middle;
      return COH_OK;
    }
    n_stalls = *width < 0.9 * best ? 0 : n_stalls + 1;
    if (*width < best) best = *width;
    if (n_stalls >= 2 && ratio > 1e-6) ratio *= 0.1;
    COH_CHECK(n_stalls < 30, COH_E_DIVERGED,
              "the bound stays %.3g wide, above the tolerance of %.3g: rounding reaches %.3g",
              best, wanted, coh_mdp_rounding(&work->rows, mdp->discount, largest));
    COH_TRY(approach(work, middle, ratio, 0.5 * (high - low)));
  }
}

static coh_status solve(solver *work, coh_mdp_solution *solution) {
  const coh_mdp *mdp = work->mdp;
  COH_NEW(work->values, mdp->n_states);
  COH_NEW(work->next, mdp->n_states);
  COH_NEW(work->reward, mdp->n_states);
  COH_NEW(work->choice, mdp->n_states);
  coh_mdp_rows_measure(mdp, &work->rows);
  COH_CHECK(mdp->discount * work->rows.greatest_sum < 1.0, COH_E_DATA,
            "discount %.17g leaves no room for rounding", mdp->discount);
  COH_TRY(
      coh_mdp_evaluator_create(mdp, NULL, COH_MDP_BICGSTAB, work->n_threads, &work->evaluator));
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
  coh_mdp_evaluator_destroy(&work.evaluator);
  coh_free(work.values);
  coh_free(work.next);
  coh_free(work.reward);
  coh_free(work.choice);
  return status;
}

void coh_mdp_solution_clear(coh_mdp_solution *solution) {
  COH_DELETE(solution->values);
  COH_DELETE(solution->choice);
}
