/* How acting and learning meet: in turn, at once with a fixed lag, or free of each other. */
#include <omp.h>

#include "base/clock.h"
#include "base/trace.h"
#include "task/dqn/dqn.h"
#include "task/lane_loop.h"

static coh_status act(coh_dqn *dqn, const float *params, int n_threads) {
  double begun = coh_clock_now();
  coh_status status = coh_dqn_act(dqn, params, n_threads);
  double now = coh_clock_now();
  dqn->act_seconds += now - begun;
  coh_trace_note("act", omp_get_thread_num(), begun, now);
  return status;
}

static void count_steps(coh_dqn *dqn) {
  dqn->n_steps += dqn->options->rollout;
  dqn->env_steps = dqn->n_steps * dqn->options->envs;
}

static coh_status round_lockstep(coh_dqn *dqn) {
  int n_threads = dqn->context->n_threads;
  COH_TRY(act(dqn, dqn->params, n_threads));
  COH_TRY(coh_dqn_store(dqn, n_threads));
  count_steps(dqn);
  dqn->learner_steps = dqn->n_steps;
  return coh_dqn_learn(dqn, INT64_MAX, n_threads);
}

// the halves of a pipelined round touch nothing of each other: the actors have the weights of
// the round's start, the learner the experience of the rounds before
static coh_status learn_half(void *task, int n_threads) {
  return coh_dqn_learn(task, INT64_MAX, n_threads);
}

static coh_status act_half(void *task, int n_threads) {
  coh_dqn *dqn = task;
  return act(dqn, dqn->acting, n_threads);
}

static coh_status round_pipelined(coh_dqn *dqn) {
  coh_block_copy(dqn->acting, dqn->params, dqn->n_floats);
  dqn->learner_steps = dqn->n_steps;
  int64_t updates = dqn->learner.n_updates;
  COH_TRY(coh_lane_pair(dqn->context->n_threads, learn_half, act_half, dqn));
  dqn->lag = dqn->learner.n_updates - updates;
  COH_TRY(coh_dqn_store(dqn, dqn->context->n_threads));
  count_steps(dqn);
  return COH_OK;
}

static coh_status learn_freely(void *task, int n_threads) {
  coh_dqn *dqn = task;
  coh_status status = coh_dqn_learn(dqn, dqn->options->free_lag, n_threads);
  atomic_store(&dqn->learner_done, true);
  return status;
}

// environment steps that actors may take in a round: to the run's end, and no farther ahead of
// the learner than its slack allows once it has done this round's updates
static int64_t steps_allowed(const coh_dqn *dqn) {
  const coh_dqn_options *options = dqn->options;
  int64_t left = dqn->context->steps - dqn->env_steps;
  if (options->free_slack == 0) return left;
  double updates = (double)(dqn->learner.n_updates + options->free_lag);
  double lead = (double)options->learning_starts +
                updates * options->free_slack * (double)options->train_every -
                (double)dqn->env_steps;
  return lead < (double)left ? (int64_t)lead : left;
}

// act and store until the learner has done its updates or the steps are used up; at least once
static coh_status act_freely(void *task, int n_threads) {
  coh_dqn *dqn = task;
  int64_t left = dqn->free_steps, begun = dqn->n_steps;
  do {
    COH_TRY(act(dqn, dqn->acting, n_threads));
    pthread_mutex_lock(&dqn->experience);
    coh_status status = coh_dqn_store(dqn, n_threads);
    pthread_mutex_unlock(&dqn->experience);
    COH_TRY(status);
    dqn->n_steps += dqn->options->rollout;
  } while (dqn->context->n_threads > 1 && !atomic_load(&dqn->learner_done) &&
           (dqn->n_steps - begun) * dqn->options->envs < left);
  return COH_OK;
}

static coh_status round_free(coh_dqn *dqn) {
  int64_t before = dqn->n_steps, updates = dqn->learner.n_updates;
  coh_block_copy(dqn->acting, dqn->params, dqn->n_floats);
  dqn->learner_steps = dqn->n_steps;
  dqn->free_steps = steps_allowed(dqn);
  atomic_store(&dqn->learner_done, false);
  COH_TRY(coh_lane_pair(dqn->context->n_threads, learn_freely, act_freely, dqn));
  dqn->lag = dqn->learner.n_updates - updates;
  // ranks have acted at their own pace: agree on how far all of them are
  int64_t steps = (dqn->n_steps - before) * dqn->lane_envs * dqn->context->lanes.n_local;
  dqn->window_acted += steps;
  COH_TRY(coh_comm_reduce_int(dqn->context->world, COH_REDUCE_SUM, &steps, 1));
  dqn->env_steps += steps;
  return COH_OK;
}

coh_status coh_dqn_round(void *task) {
  coh_dqn *dqn = task;
  switch (dqn->options->schedule) {
  case COH_DQN_PIPELINED:
    return round_pipelined(dqn);
  case COH_DQN_FREE:
    return round_free(dqn);
  default:
    return round_lockstep(dqn);
  }
}
