/* Soft value iteration: the sweep, and Newton's method around it. A block's rows are backed up
 * into a stretch of scratch that stays in cache, where exponentials and logarithms are taken by
 * vector loops. */
#include "mdp/soft.h"

#include <math.h>

#include "base/alloc.h"
#include "la/elementary_double.h"
#include "la/vectorise.h"
#include "mdp/soft_plan.h"

static inline int64_t min_int(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// sum P V over a row's successors
static inline double mean_backup(const coh_soft_model *model, int64_t row,
                                 const double *value) {
  double sum = 0;
  for (int64_t t = model->row_begin[row]; t < model->row_begin[row + 1]; t++)
    sum += model->probability[t] * value[model->successor[t]];
  return sum;
}

// log sum P e^V, the largest V taken out
static inline double log_mean_backup(const coh_soft_model *model, int64_t row,
                                     const double *value) {
  int64_t begin = model->row_begin[row], end = model->row_begin[row + 1];
  double top = -INFINITY, sum = 0;
  for (int64_t t = begin; t < end; t++)
    top = fmax(top, value[model->successor[t]]);
  if (end - begin == 1) return top;
  for (int64_t t = begin; t < end; t++)
    sum += model->probability[t] * coh_exp(value[model->successor[t]] - top);
  return top + coh_log(sum);
}

double coh_soft_row(const coh_soft *soft, int64_t row, double reward, double gamma,
                    const double *value) {
  return reward + gamma * (soft->config.backup == COH_SOFT_CAUSAL
                               ? mean_backup(&soft->model, row, value)
                               : log_mean_backup(&soft->model, row, value));
}

// what one sweep reads and writes
typedef struct sweep {
  const coh_soft *soft;
  const double *reward, *value;
  double scale, gamma;
  double *next, *policy; /* policy: (n_rows), scratch or output */
} sweep;

static void back_up_rows(const sweep *work, int64_t first, int64_t last, double *q) {
  const coh_soft_model *model = &work->soft->model;
  if (work->soft->config.backup == COH_SOFT_CAUSAL)
    for (int64_t row = first; row < last; row++)
      q[row] =
          work->scale * work->reward[row] + work->gamma * mean_backup(model, row, work->value);
  else
    for (int64_t row = first; row < last; row++)
      q[row] = work->scale * work->reward[row] +
               work->gamma * log_mean_backup(model, row, work->value);
}

// next = T value in one block; returns max |next - value| there
static double sweep_block(const sweep *work, int64_t block) {
  const coh_soft_model *model = &work->soft->model;
  int64_t first = block * COH_SOFT_BLOCK;
  int64_t n = min_int(COH_SOFT_BLOCK, model->n_states - first);
  const int64_t *state_row = model->state_row + first;
  double top[COH_SOFT_BLOCK], sum[COH_SOFT_BLOCK], *q = work->policy, change = 0;
  back_up_rows(work, state_row[0], state_row[n], q);
  for (int64_t s = 0; s < n; s++) {
    double best = -INFINITY;
    for (int64_t row = state_row[s]; row < state_row[s + 1]; row++)
      best = q[row] > best ? q[row] : best;
    for (int64_t row = state_row[s]; row < state_row[s + 1]; row++)
      q[row] -= best;
    top[s] = best;
  }
  COH_VECTOR_LOOP
  for (int64_t row = state_row[0]; row < state_row[n]; row++)
    q[row] = coh_exp(q[row]);
  for (int64_t s = 0; s < n; s++) {
    double total = 0;
    for (int64_t row = state_row[s]; row < state_row[s + 1]; row++)
      total += q[row];
    bool has_rows = state_row[s] < state_row[s + 1];
    sum[s] = has_rows ? total : 1;
    if (!has_rows) top[s] = 0;
    double share = 1 / sum[s];
    for (int64_t row = state_row[s]; row < state_row[s + 1]; row++)
      q[row] *= share;
  }
  double *next = work->next + first;
  COH_VECTOR_LOOP
  for (int64_t s = 0; s < n; s++)
    next[s] = top[s] + coh_log(sum[s]);
  for (int64_t s = 0; s < n; s++) {
    double gap = fabs(next[s] - work->value[first + s]);
    change = gap <= change ? change : gap; // a NaN stays
  }
  return change;
}

double coh_soft_sweep(coh_soft *soft, const double *reward, double scale, double gamma,
                      const double *value, double *next, double *policy) {
  sweep work = {soft, reward, value, scale, gamma, next, policy ? policy : soft->row_scratch};
  const sweep *shared_work = &work;
  int64_t n_blocks = soft->n_blocks;
  double *partial = soft->partial;
#pragma omp parallel for num_threads(soft->config.n_threads) schedule(static) default(none) \
    shared(shared_work, n_blocks, partial)
  for (int64_t block = 0; block < n_blocks; block++)
    partial[block] = sweep_block(shared_work, block);
  double change = 0;
  for (int64_t block = 0; block < n_blocks; block++)
    change = partial[block] <= change ? change : partial[block];
  return change;
}

enum { MOST_NEWTON = 500, MOST_PRODUCTS = 20000, SETTLING_SWEEPS = 3 };

coh_status coh_soft_solve(coh_soft *soft, const double *reward, double tolerance, double *value,
                          coh_soft_report *report) {
  int64_t n = soft->model.n_states;
  double gamma = soft->config.gamma, residual = INFINITY, *next = soft->state_scratch;
  double *defect = soft->defect, *delta = soft->delta;
  coh_soft_report own = {0};
  for (int64_t turn = 0; turn < MOST_NEWTON; turn++) {
    // a few sweeps settle what the last step's inexact solve left, and make the policy
    int64_t n_sweeps = turn == 0 ? 1 : SETTLING_SWEEPS;
    for (int64_t k = 0; k < n_sweeps; k++) {
      residual = coh_soft_sweep(soft, reward, 1, gamma, value, next, NULL);
      own.n_sweeps++;
      for (int64_t s = 0; s < n; s++) {
        defect[s] = next[s] - value[s];
        if (k + 1 < n_sweeps || residual <= tolerance) value[s] = next[s];
      }
      if (!(residual > tolerance)) break;
    }
    if (!(residual > tolerance)) break;
    if (!isfinite(residual)) break;
    coh_soft_take_policy(soft, soft->row_scratch, value);
    // Newton's step to a few digits: what it lacks, the next one does
    coh_krylov_outcome outcome;
    COH_TRY(coh_soft_correct(soft, gamma, defect, fmax(0.02, 0.3 * tolerance / residual),
                             MOST_PRODUCTS, delta, &outcome));
    own.n_products += outcome.n_products;
    bool is_nearer = outcome.residual < outcome.start;
    for (int64_t s = 0; s < n; s++)
      value[s] += is_nearer ? delta[s] : defect[s];
  }
  own.residual = residual;
  if (report) *report = own;
  COH_CHECK(residual <= tolerance, COH_E_DIVERGED,
            "soft value iteration did not converge: after %lld sweeps V still changes by %g "
            "(gamma %g; rewards that are not negative on a loop have no value at gamma 1)",
            (long long)own.n_sweeps, residual, gamma);
  return COH_OK;
}
