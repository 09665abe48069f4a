/* Ridge regression on features of the state, one weight vector an action:
 *   w_a = (Phi_a^T Phi_a + ridge I)^-1 Phi_a^T y_a
 * The products of features do not change between iterations: they are summed and factorised
 * once; an iteration sums Phi^T y and solves. Lanes take stretches of rows. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "la/blas.h"
#include "la/lapack.h"
#include "task/fqi/basis.h"
#include "task/fqi/regressor.h"
#include "task/fqi/row_parts.h"
#include "task/lane_loop.h"

enum { BLOCK = 256 };

typedef struct ridge_options {
  coh_choice basis;
  double ridge;
} ridge_options;

static const coh_option options_table[] = {
    {.name = "basis",
     .type = COH_KIND,
     .offset = offsetof(ridge_options, basis),
     .initial = "radial",
     .kinds = &coh_basis_kinds,
     .doc = "Features of a state."},
    {.name = "ridge",
     .type = COH_REAL,
     .offset = offsetof(ridge_options, ridge),
     .initial = "1e-3",
     .max = 1e12,
     .doc = "Penalty ridge |w|^2 beside the summed squared errors."},
    {0},
};

typedef struct ridge_lane {
  double *x, *phi, *packed; /* BLOCK states, their features, those of one action */
  double *sum;              /* (n_actions, p, p), then (n_actions, p) */
} ridge_lane;

typedef struct ridge {
  const coh_fqi_problem *problem;
  const ridge_options *options;
  const coh_basis_type *basis;
  int64_t p;           /* features */
  double *low, *scale; /* (n_values): x = (state - low) scale */
  double *factor;      /* (n_actions, p, p): Cholesky factors */
  double *weight;      /* (n_actions, p) */
  coh_row_parts rows;  /* of the batch; its numbers are next values */
  ridge_lane *lane;
  const void **sources;
  coh_lane_sum *sum;
  const double *targets;
} ridge;

// ---- create -------------------------------------------------------------------------------

static coh_status find_box(ridge *r) {
  const coh_transitions *batch = r->problem->batch;
  int64_t d = batch->n_values;
  COH_NEW(r->low, d);
  COH_NEW(r->scale, d);
  double *high = r->scale;
  for (int64_t k = 0; k < d; k++)
    r->low[k] = INFINITY, high[k] = -INFINITY;
  for (int64_t i = 0; i < batch->n_rows; i++) // once through the rows, which may lie on disk
    for (int64_t k = 0; k < d; k++) {
      r->low[k] = fmin(r->low[k], (double)batch->states[i * d + k]);
      high[k] = fmax(high[k], (double)batch->states[i * d + k]);
    }
  for (int64_t k = 0; k < d; k++) {
    r->scale[k] = high[k] > r->low[k] ? 1 / (high[k] - r->low[k]) : 0;
    // a value that never varies, such as a state that was never seen: as it is
    if (r->scale[k] == 0) r->low[k] = 0, r->scale[k] = 1;
  }
  return COH_OK;
}

static coh_status create_lane(ridge *r, ridge_lane *lane) {
  const coh_transitions *batch = r->problem->batch;
  COH_NEW(lane->x, BLOCK * batch->n_values);
  COH_NEW(lane->phi, BLOCK * r->p);
  COH_NEW(lane->packed, BLOCK * r->p);
  COH_NEW(lane->sum, batch->n_actions * r->p * r->p);
  return COH_OK;
}

static coh_status create(const coh_fqi_problem *problem, const void *options, void **made) {
  ridge *r;
  COH_NEW(r, 1);
  *made = r;
  r->problem = problem;
  r->options = options;
  r->basis = (const coh_basis_type *)r->options->basis.kind;
  const coh_transitions *batch = problem->batch;
  r->p = r->basis->count(r->options->basis.options, batch->n_values);
  COH_CHECK(r->p <= COH_MOST_FEATURES, COH_E_CONFIG,
            "regressor: ridge: basis %s: makes more than %d features of states of %lld values",
            r->basis->kind.name, COH_MOST_FEATURES, (long long)batch->n_values);
  COH_TRY(find_box(r));
  COH_TRY(coh_row_parts_create(problem->context, batch->n_rows, batch->n_actions, &r->rows));
  COH_NEW(r->factor, batch->n_actions * r->p * r->p);
  COH_NEW(r->weight, batch->n_actions * r->p);
  COH_NEW(r->lane, problem->context->lanes.n_local);
  COH_NEW(r->sources, problem->context->lanes.n_local);
  for (int64_t i = 0; i < problem->context->lanes.n_local; i++)
    COH_TRY(create_lane(r, &r->lane[i]));
  return COH_OK;
}

static void destroy(void **regressor) {
  ridge *r = *regressor;
  for (int64_t i = 0; r->lane && i < r->problem->context->lanes.n_local; i++) {
    coh_free(r->lane[i].x), coh_free(r->lane[i].phi);
    coh_free(r->lane[i].packed), coh_free(r->lane[i].sum);
  }
  coh_row_parts_clear(&r->rows);
  coh_lane_sum_destroy(&r->sum);
  coh_free(r->lane), coh_free(r->sources), coh_free(r->low), coh_free(r->scale);
  coh_free(r->factor), coh_free(r->weight);
  COH_DELETE(*regressor);
}

// ---- sums over rows -----------------------------------------------------------------------

static void fill_features(const ridge *r, ridge_lane *lane, int64_t n, const float *states) {
  int64_t d = r->problem->batch->n_values;
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < d; k++)
      lane->x[i * d + k] = ((double)states[i * d + k] - r->low[k]) * r->scale[k];
  r->basis->fill(r->options->basis.options, d, n, lane->x, lane->phi);
}

// the features of a block's rows of an action, one behind the other, and their targets
static int64_t pack_rows(const ridge *r, ridge_lane *lane, int64_t first, int64_t n,
                         int32_t action, double *y) {
  const coh_transitions *batch = r->problem->batch;
  int64_t n_packed = 0;
  for (int64_t i = 0; i < n; i++) {
    if (batch->actions[first + i] != action) continue;
    if (y) y[n_packed] = r->targets[first + i];
    memcpy(lane->packed + r->p * n_packed++, lane->phi + r->p * i,
           (size_t)r->p * sizeof *lane->phi);
  }
  return n_packed;
}

static coh_status sum_products(void *pointer, int64_t local) {
  ridge *r = pointer;
  ridge_lane *lane = &r->lane[local];
  const coh_transitions *batch = r->problem->batch;
  int64_t first, last, p = r->p;
  coh_row_parts_range(&r->rows, local, &first, &last);
  memset(lane->sum, 0, (size_t)(batch->n_actions * p * p) * sizeof *lane->sum);
  for (int64_t at = first; at < last; at += BLOCK) {
    int64_t n = last - at < BLOCK ? last - at : BLOCK;
    fill_features(r, lane, n, batch->states + at * batch->n_values);
    for (int64_t a = 0; a < batch->n_actions; a++) {
      int64_t n_packed = pack_rows(r, lane, at, n, (int32_t)a, NULL);
      if (n_packed > 0)
        coh_la_dgemm(true, false, p, p, n_packed, 1, lane->packed, p, lane->packed, p, 1,
                     lane->sum + a * p * p, p);
    }
  }
  return COH_OK;
}

static coh_status sum_targets(void *pointer, int64_t local) {
  ridge *r = pointer;
  ridge_lane *lane = &r->lane[local];
  const coh_transitions *batch = r->problem->batch;
  int64_t first, last, p = r->p;
  double y[BLOCK];
  coh_row_parts_range(&r->rows, local, &first, &last);
  memset(lane->sum, 0, (size_t)(batch->n_actions * p) * sizeof *lane->sum);
  for (int64_t at = first; at < last; at += BLOCK) {
    int64_t n = last - at < BLOCK ? last - at : BLOCK;
    fill_features(r, lane, n, batch->states + at * batch->n_values);
    for (int64_t a = 0; a < batch->n_actions; a++) {
      int64_t n_packed = pack_rows(r, lane, at, n, (int32_t)a, y);
      if (n_packed > 0)
        coh_la_dgemv(true, n_packed, p, 1, lane->packed, p, y, 1, lane->sum + a * p);
    }
  }
  return COH_OK;
}

static coh_status sum_lanes(ridge *r, coh_lane_function *function, int64_t count, double *out) {
  const coh_run_context *context = r->problem->context;
  COH_TRY(coh_comm_agree(
      context->world, coh_lane_loop(context->n_threads, context->lanes.n_local, function, r)));
  for (int64_t i = 0; i < context->lanes.n_local; i++)
    r->sources[i] = r->lane[i].sum;
  return coh_lane_sum_run(r->sum, r->sources, count, out);
}

static coh_status factorize(ridge *r) {
  int64_t p = r->p;
  for (int64_t a = 0; a < r->problem->batch->n_actions; a++) {
    double *factor = r->factor + a * p * p;
    for (int64_t k = 0; k < p; k++)
      factor[k * p + k] += r->options->ridge;
    if (coh_la_cholesky(p, factor) != COH_OK)
      return coh_fail(COH_E_DATA,
                      "regressor: ridge: the features of action %lld depend on each other in "
                      "this batch: give a ridge above %g",
                      (long long)a, r->options->ridge);
  }
  return COH_OK;
}

static coh_status connect(void *regressor) {
  ridge *r = regressor;
  const coh_run_context *context = r->problem->context;
  int64_t count = r->problem->batch->n_actions * r->p * r->p;
  COH_TRY(coh_lane_sum_create(context->world, &context->lanes, COH_SUM_F64, count,
                              context->n_threads, &r->sum));
  COH_TRY(sum_lanes(r, sum_products, count, r->factor));
  return coh_comm_agree(context->world, factorize(r));
}

// ---- fit, values --------------------------------------------------------------------------

static void block_values(const ridge *r, ridge_lane *lane, int64_t n, const float *states,
                         double *q) {
  fill_features(r, lane, n, states);
  int64_t n_actions = r->problem->batch->n_actions;
  coh_la_dgemm(false, true, n, n_actions, r->p, 1, lane->phi, r->p, r->weight, r->p, 0, q,
               n_actions);
}

static coh_status next_values(void *context, int64_t local, int64_t first, int64_t last,
                              double *out) {
  const ridge *r = context;
  const coh_transitions *batch = r->problem->batch;
  int64_t n_actions = batch->n_actions;
  for (int64_t at = first; at < last; at += BLOCK)
    block_values(r, &r->lane[local], last - at < BLOCK ? last - at : BLOCK,
                 batch->next_states + at * batch->n_values, out + (at - first) * n_actions);
  for (int64_t i = first; i < last; i++)
    for (int64_t a = 0; batch->terminated[i] && a < n_actions; a++)
      out[(i - first) * n_actions + a] = 0;
  return COH_OK;
}

static coh_status fit(void *regressor, int64_t iteration, const double *targets, double *next) {
  ridge *r = regressor;
  (void)iteration;
  int64_t n_actions = r->problem->batch->n_actions, p = r->p;
  r->targets = targets;
  COH_TRY(sum_lanes(r, sum_targets, n_actions * p, r->weight));
  for (int64_t a = 0; a < n_actions; a++)
    coh_la_cholesky_solve(p, 1, r->factor + a * p * p, r->weight + a * p);
  return coh_row_parts_run(&r->rows, next_values, r, next);
}

static coh_status values(void *regressor, int64_t n, const float *states, double *q) {
  const ridge *r = regressor;
  const coh_transitions *batch = r->problem->batch;
  for (int64_t at = 0; at < n; at += BLOCK)
    block_values(r, &r->lane[0], n - at < BLOCK ? n - at : BLOCK, states + at * batch->n_values,
                 q + at * batch->n_actions);
  return COH_OK;
}

const coh_regressor_type coh_regressor_type_ridge = {
    .kind = {.name = "ridge",
             .doc = "Ridge regression on polynomials, radial functions or tiles.",
             .options = options_table,
             .options_size = sizeof(ridge_options)},
    .create = create,
    .destroy = destroy,
    .connect = connect,
    .fit = fit,
    .values = values,
};
