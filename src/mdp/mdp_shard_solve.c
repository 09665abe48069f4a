/* The optimum over many ranks: sweeps that improve and certify, and between them nothing,
 * products with the greedy policy, or BiCGStab. Sums over ranks are lane sums. */
#include <float.h>
#include <math.h>

#include "base/alloc.h"
#include "la/krylov.h"
#include "mdp/mdp_blocks.h"
#include "mdp/mdp_shard.h"

enum { POLICY_PRODUCTS = 10, MAX_SWEEPS = 1000000, MAX_PRODUCTS = 1000, MAX_STALLS = 1000 };

typedef struct shard_solver {
  coh_mdp_shard *shard;
  coh_mdp_shard_method method;
  bool minimize;
  double tolerance;
  double *values, *next, *product, *reward; /* own + ghost each, the last two for Krylov */
  int32_t *choice;
  coh_lane_sum *sum; /* a lane a rank */
  coh_krylov *krylov;
  int64_t n_improvements, n_products;
} shard_solver;

/* y = x - discount P x */
static coh_status krylov_product(void *context, const double *x, double *y) {
  shard_solver *work = context;
  coh_mdp_shard *shard = work->shard;
  for (int64_t s = 0; s < shard->n_own; s++)
    work->product[s] = x[s];
  COH_TRY(
      coh_mdp_shard_product(shard, work->choice, false, -shard->discount, work->product, y));
  for (int64_t s = 0; s < shard->n_own; s++)
    y[s] += x[s];
  return COH_OK;
}

static coh_status krylov_dots(void *context, int n_pairs, const double *const x[],
                              const double *const y[], double *out) {
  shard_solver *work = context;
  double part[64];
  for (int k = 0; k < n_pairs; k++)
    part[k] = coh_mdp_dot_stretch(x[k], y[k], 0, work->shard->n_own);
  return coh_lane_sum_run(work->sum, (const void *const[]){part}, n_pairs, out);
}

static void krylov_stretches(void *context, void (*stretch)(void *, int64_t, int64_t),
                             void *job) {
  const shard_solver *work = context;
  coh_mdp_blocks_run(work->shard->n_own, work->shard->n_threads, stretch, job);
}

static coh_status approach(shard_solver *work, double spread) {
  coh_mdp_shard *shard = work->shard;
  if (work->method == COH_MDP_SHARD_MODIFIED) {
    for (int k = 0; k < POLICY_PRODUCTS; k++) {
      COH_TRY(coh_mdp_shard_product(shard, work->choice, true, shard->discount, work->values,
                                    work->next));
      double *swap = work->values;
      work->values = work->next;
      work->next = swap;
      work->n_products++;
    }
    return COH_OK;
  }
  for (int64_t s = 0; s < shard->n_own; s++)
    work->reward[s] = shard->reward[shard->first_row[s] + work->choice[s]];
  coh_krylov_outcome outcome;
  double target = 0.02 * 0.5 * spread * sqrt((double)shard->n_states);
  COH_TRY(coh_krylov_bicgstab(work->krylov, work->reward, target, MAX_PRODUCTS, work->values,
                              &outcome));
  work->n_products += outcome.n_products;
  return COH_OK;
}

static coh_status largest_of(const shard_solver *work, double *largest) {
  *largest = 0.0;
  for (int64_t s = 0; s < work->shard->n_own; s++)
    if (!(fabs(work->values[s]) <= *largest)) *largest = fabs(work->values[s]);
  if (!isfinite(*largest)) *largest = DBL_MAX;
  return coh_comm_reduce_real(work->shard->world, COH_REDUCE_MAX, largest, 1);
}

static coh_status iterate(shard_solver *work, double *width) {
  coh_mdp_shard *shard = work->shard;
  double best = INFINITY;
  int n_stalls = 0;
  for (;;) {
    double low, high, lower, upper, largest;
    COH_TRY(largest_of(work, &largest));
    COH_TRY(coh_mdp_shard_sweep(shard, work->minimize, work->values, work->next, work->choice,
                                &low, &high));
    work->n_improvements++;
    double rounding = coh_mdp_rounding(&shard->rows, shard->discount, largest);
    coh_mdp_macqueen(&shard->rows, shard->discount, rounding, low, high, &lower, &upper);
    *width = upper - lower;
    double wanted = work->tolerance > 0.0 ? work->tolerance : 1e-9 * largest;
    COH_CHECK(isfinite(*width) && largest < DBL_MAX, COH_E_DIVERGED,
              "values are not finite after %lld sweeps", (long long)work->n_improvements);
    bool done = *width <= wanted || *width == 0.0;
    // plain sweeps keep their bits: only the answer is shifted
    double shift = done || work->method != COH_MDP_SHARD_SWEEPS ? 0.5 * (lower + upper) : 0.0;
    for (int64_t s = 0; s < shard->n_own; s++)
      work->values[s] = work->next[s] + shift;
    if (done) return COH_OK;
    n_stalls = *width < 0.99 * best ? 0 : n_stalls + 1;
    if (*width < best) best = *width;
    COH_CHECK(n_stalls < MAX_STALLS && work->n_improvements < MAX_SWEEPS, COH_E_DIVERGED,
              "the bound stays %.3g wide, above the tolerance of %.3g: rounding reaches %.3g",
              best, wanted, rounding);
    if (work->method != COH_MDP_SHARD_SWEEPS) COH_TRY(approach(work, high - low));
  }
}

static coh_status allocate(shard_solver *work) {
  const coh_mdp_shard *shard = work->shard;
  int64_t n = shard->n_own + shard->n_ghost;
  COH_NEW(work->values, n);
  COH_NEW(work->next, n);
  COH_NEW(work->choice, shard->n_own);
  if (work->method != COH_MDP_SHARD_KRYLOV) return COH_OK;
  COH_NEW(work->product, n);
  COH_NEW(work->reward, n);
  coh_krylov_system system = {work, shard->n_own, krylov_product, krylov_dots,
                              krylov_stretches};
  return coh_krylov_create(&system, 0, &work->krylov);
}

static coh_status solve(shard_solver *work, coh_mdp_solution *solution) {
  coh_mdp_shard *shard = work->shard;
  COH_TRY(coh_comm_agree(shard->world, allocate(work)));
  coh_lanes lanes = {coh_world_size(shard->world), coh_world_rank(shard->world), 1};
  COH_TRY(coh_lane_sum_create(shard->world, &lanes, COH_SUM_F64, 64, 1, &work->sum));
  COH_TRY(iterate(work, &solution->width));
  solution->values = work->values;
  solution->choice = work->choice;
  solution->n_improvements = work->n_improvements;
  solution->n_products = work->n_products;
  work->values = NULL;
  work->choice = NULL;
  return COH_OK;
}

coh_status coh_mdp_shard_solve(coh_mdp_shard *shard, coh_mdp_shard_method method,
                               const coh_mdp_solve_options *options,
                               coh_mdp_solution *solution) {
  COH_CHECK(shard->discount * shard->rows.greatest_sum < 1.0, COH_E_DATA,
            "this solver is for a discount below 1, not %.17g", shard->discount);
  shard_solver work = {.shard = shard, .method = method};
  if (options) {
    work.minimize = options->minimize;
    work.tolerance = options->tolerance;
  }
  *solution = (coh_mdp_solution){0};
  coh_status status = solve(&work, solution);
  coh_lane_sum_destroy(&work.sum);
  coh_krylov_destroy(&work.krylov);
  coh_free(work.values);
  coh_free(work.next);
  coh_free(work.product);
  coh_free(work.reward);
  coh_free(work.choice);
  return status;
}
