/* Iterations: targets from the values before, a fit, and how much it changed; the same with the
 * greedy policy held fixed (fitted Q evaluation: Le, Voloshin, Yue, ICML 2019). */
#include <math.h>
#include <string.h>

#include "task/fqi/fqi.h"

// y = r + gamma Q(s', choice), the greedy choice where there is none given
static void make_targets(const coh_fqi *fqi, const double *next, const int32_t *choice,
                         double *targets) {
  const coh_transitions *batch = fqi->batch;
  int64_t n_actions = batch->n_actions;
  for (int64_t i = 0; i < batch->n_rows; i++) {
    const double *q = next + i * n_actions;
    int64_t action = choice ? choice[i] : coh_greedy(q, n_actions);
    double value = batch->terminated[i] ? 0 : q[action];
    targets[i] = (double)batch->rewards[i] + fqi->options->gamma * value;
  }
}

static coh_status measure(coh_fqi *fqi) {
  const coh_transitions *batch = fqi->batch;
  int64_t n_actions = batch->n_actions, n_going = 0;
  double square = 0, largest = 0, value = 0;
  for (int64_t i = 0; i < batch->n_rows; i++) {
    if (batch->terminated[i]) continue;
    const double *now = fqi->next + i * n_actions, *before = fqi->before + i * n_actions;
    value += now[coh_greedy(now, n_actions)];
    for (int64_t a = 0; a < n_actions; a++) {
      double change = fabs(now[a] - before[a]);
      square += change * change;
      largest = fmax(largest, change);
      COH_CHECK(isfinite(now[a]), COH_E_DIVERGED,
                "action values are not finite after iteration %lld",
                (long long)fqi->n_iterations);
    }
    n_going++;
  }
  double n = n_going ? (double)n_going : 1;
  fqi->last = (coh_fqi_iteration){.change = sqrt(square / (n * (double)n_actions)),
                                  .largest_change = largest,
                                  .value = value / n};
  return COH_OK;
}

// new rows have the values of the policy that made them; then everything of the batch's size is
// made again
static coh_status grow(coh_fqi *fqi) {
  const coh_transitions *batch = fqi->batch;
  int64_t n_actions = batch->n_actions, n_before = batch->n_rows;
  COH_TRY(coh_fqi_batch_grow(fqi));
  int64_t n = batch->n_rows;
  coh_row_store old = fqi->store;
  const double *next = fqi->next;
  fqi->store = (coh_row_store){0};
  coh_status status = coh_comm_agree(fqi->context->world, coh_fqi_make_values(fqi));
  if (status == COH_OK) {
    memcpy(fqi->next, next, (size_t)(n_before * n_actions) * sizeof *next);
    status = fqi->regressor.type->values(fqi->regressor.state, n - n_before,
                                         batch->next_states + n_before * batch->n_values,
                                         fqi->next + n_before * n_actions);
  }
  coh_row_store_clear(&old);
  COH_TRY(status);
  coh_regressor_close(&fqi->regressor);
  return coh_regressor_open(&fqi->options->regressor, &fqi->problem, &fqi->regressor);
}

coh_status coh_fqi_step(void *task) {
  coh_fqi *fqi = task;
  int64_t every = fqi->options->grow.every;
  if (every > 0 && fqi->n_iterations > 0 && fqi->n_iterations % every == 0) COH_TRY(grow(fqi));
  make_targets(fqi, fqi->next, NULL, fqi->targets);
  double *other = fqi->before;
  fqi->before = fqi->next;
  fqi->next = other;
  COH_TRY(fqi->regressor.type->fit(fqi->regressor.state, fqi->n_iterations, fqi->targets,
                                   fqi->next));
  COH_TRY(measure(fqi));
  fqi->n_iterations++;
  fqi->n_window++;
  fqi->is_done = fqi->last.largest_change <= fqi->options->stop && fqi->options->stop > 0;
  return COH_OK;
}

// ---- fitted Q evaluation ------------------------------------------------------------------

// the states that episodes begin in, one behind the other
static void gather_starts(const coh_transitions *batch, float *starts) {
  int64_t d = batch->n_values, n = 0;
  for (int64_t i = 0; i < batch->n_rows; i++)
    if (i == 0 || batch->episodes[i] != batch->episodes[i - 1])
      memcpy(starts + d * n++, batch->states + i * d, (size_t)d * sizeof *starts);
}

typedef struct judged {
  coh_fqi_problem problem;
  coh_regressor regressor;
  coh_row_store numbers, choices, states; /* of the arrays below */
  double *targets, *next, *q;
  int32_t *choice, *first; /* greedy at next states, and where episodes begin */
  float *starts;
  int64_t n_starts;
} judged;

static coh_status open_judged(coh_fqi *fqi, judged *j) {
  const coh_transitions *batch = fqi->batch;
  int64_t n = batch->n_rows, n_actions = batch->n_actions, n_starts = batch->n_episodes;
  j->n_starts = n_starts;
  COH_TRY(coh_row_store_create(fqi->context, batch,
                               (n + (n + n_starts) * n_actions) * (int64_t)sizeof *j->targets,
                               &j->numbers));
  COH_TRY(coh_row_store_create(fqi->context, batch, (n + n_starts) * (int64_t)sizeof *j->choice,
                               &j->choices));
  COH_TRY(coh_row_store_create(fqi->context, batch,
                               n_starts * batch->n_values * (int64_t)sizeof *j->starts,
                               &j->states));
  j->targets = j->numbers.data;
  j->next = j->targets + n;
  j->q = j->next + n * n_actions;
  j->choice = j->choices.data;
  j->first = j->choice + n;
  j->starts = j->states.data;
  gather_starts(batch, j->starts);
  for (int64_t i = 0; i < batch->n_rows; i++)
    j->choice[i] = (int32_t)coh_greedy(fqi->next + i * n_actions, n_actions);
  return COH_OK;
}

static coh_status run_judged(coh_fqi *fqi, judged *j, int64_t n, double *value) {
  int64_t n_actions = fqi->batch->n_actions;
  j->problem = fqi->problem;
  j->problem.name = "evaluation.";
  COH_TRY(coh_regressor_open(&fqi->options->regressor, &j->problem, &j->regressor));
  const coh_regressor_type *type = j->regressor.type;
  for (int64_t k = 0; k < n; k++) {
    make_targets(fqi, j->next, j->choice, j->targets);
    COH_TRY(type->fit(j->regressor.state, k, j->targets, j->next));
  }
  COH_TRY(coh_fqi_act(fqi, j->n_starts, j->starts, j->first));
  COH_TRY(type->values(j->regressor.state, j->n_starts, j->starts, j->q));
  *value = 0;
  for (int64_t i = 0; i < j->n_starts; i++)
    *value += j->q[i * n_actions + j->first[i]] / (double)j->n_starts;
  return COH_OK;
}

coh_status coh_fqi_evaluate_fitted(coh_fqi *fqi, int64_t n, double *value) {
  judged j = {0};
  coh_status status = coh_comm_agree(fqi->context->world, open_judged(fqi, &j));
  if (status == COH_OK) status = run_judged(fqi, &j, n, value);
  coh_regressor_close(&j.regressor);
  coh_row_store_clear(&j.numbers);
  coh_row_store_clear(&j.choices);
  coh_row_store_clear(&j.states);
  return status;
}
