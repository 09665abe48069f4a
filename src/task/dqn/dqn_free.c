/* Schedule free: actors are threads of their own that outlive rounds. Each takes the lane that
 * has acted least and that nobody is at, acts a rollout, and stores it. Nothing waits for a
 * rollout to end but a checkpoint: an environment that takes long holds up its own lane and the
 * one actor that is at it. */
#define _GNU_SOURCE // clock_gettime
#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/trace.h"
#include "task/dqn/dqn.h"

/* ---- weights -------------------------------------------------------------------------- */

const float *coh_dqn_free_take(coh_dqn *dqn, int *which) {
  coh_dqn_actors *actors = &dqn->actors;
  for (;;) {
    int at = *which = atomic_load(&actors->current);
    atomic_fetch_add(&actors->n_readers[at], 1);
    if (atomic_load(&actors->current) == at) break;
    atomic_fetch_sub(&actors->n_readers[at], 1); // it may be about to be written
  }
  int64_t lag = atomic_load(&actors->n_updates) - actors->version[*which];
  for (int64_t most = atomic_load(&actors->lag); lag > most;)
    if (atomic_compare_exchange_weak(&actors->lag, &most, lag)) break;
  return actors->weights[*which];
}

void coh_dqn_free_give(coh_dqn *dqn, int which) {
  atomic_fetch_sub(&dqn->actors.n_readers[which], 1);
}

// a reader has a block for one choice of actions, never for a step of an environment
static void publish(coh_dqn *dqn) {
  coh_dqn_actors *actors = &dqn->actors;
  int at = 1 - atomic_load(&actors->current);
  while (atomic_load(&actors->n_readers[at]) > 0)
    sched_yield();
  coh_block_copy(actors->weights[at], dqn->params, dqn->n_floats);
  actors->version[at] = dqn->learner.n_updates;
  atomic_store(&actors->n_updates, dqn->learner.n_updates);
  atomic_store(&actors->current, at);
}

/* ---- actors --------------------------------------------------------------------------- */

static int64_t rollout_steps(const coh_dqn *dqn) {
  return dqn->options->rollout * dqn->lane_envs;
}

// the lane that comes next, NULL: none may begin
static coh_dqn_lane *next_lane(coh_dqn *dqn) {
  const coh_dqn_actors *actors = &dqn->actors;
  coh_dqn_lane *next = NULL;
  if (!actors->is_open || actors->budget <= 0) return NULL;
  for (int64_t i = 0; i < dqn->lanes.n_local; i++) {
    coh_dqn_lane *lane = &dqn->lane[i];
    if (!lane->is_busy && (!next || *lane->n_steps < *next->n_steps)) next = lane;
  }
  return next;
}

// the experience is locked
static coh_status close_rollout(coh_dqn *dqn, coh_dqn_lane *lane) {
  COH_TRY(coh_dqn_store_lane(dqn, lane));
  *lane->n_steps += dqn->options->rollout;
  dqn->actors.stored += rollout_steps(dqn);
  lane->episodes->returns += lane->rolling.returns;
  lane->episodes->lengths += lane->rolling.lengths;
  lane->episodes->count += lane->rolling.count;
  lane->rolling = (coh_dqn_episodes){0};
  return COH_OK;
}

// locked when it is called and when it returns
static void act_once(coh_dqn *dqn, coh_dqn_lane *lane) {
  coh_dqn_actors *actors = &dqn->actors;
  actors->budget -= (double)rollout_steps(dqn);
  lane->is_busy = true;
  actors->n_busy++;
  pthread_mutex_unlock(actors->lock);
  double begun = coh_clock_now();
  coh_status status = coh_dqn_act_lane(dqn, lane, NULL);
  double now = coh_clock_now();
  coh_trace_note("act", dqn->context->n_threads + (int)(lane - dqn->lane), begun, now);
  pthread_mutex_lock(actors->lock);
  dqn->act_seconds += now - begun;
  if (status == COH_OK) status = close_rollout(dqn, lane);
  if (status != COH_OK && actors->status == COH_OK) {
    actors->status = status;
    snprintf(actors->message, sizeof actors->message, "%s", coh_error_message());
    actors->stops = true;
  }
  lane->is_busy = false;
  actors->n_busy--;
  pthread_cond_broadcast(&actors->changed);
}

static void *act_for_long(void *pointer) {
  coh_dqn *dqn = pointer;
  coh_dqn_actors *actors = &dqn->actors;
  omp_set_num_threads(1); // one thread a lane, as where OpenMP shares lanes out
  pthread_mutex_lock(actors->lock);
  while (!actors->stops) {
    coh_dqn_lane *lane = next_lane(dqn);
    if (lane)
      act_once(dqn, lane);
    else
      pthread_cond_wait(&actors->changed, actors->lock);
  }
  pthread_mutex_unlock(actors->lock);
  return NULL;
}

// half of the rank's threads act, at least one
static int actor_threads(const coh_dqn *dqn) {
  int n = dqn->context->n_threads / 2;
  if (n > dqn->lanes.n_local) n = (int)dqn->lanes.n_local;
  return n < 1 ? 1 : n;
}

static int learner_threads(const coh_dqn *dqn) {
  int n = dqn->context->n_threads - actor_threads(dqn);
  return n < 1 ? 1 : n;
}

coh_status coh_dqn_free_create(coh_dqn *dqn) {
  coh_dqn_actors *actors = &dqn->actors;
  for (int k = 0; k < 2; k++)
    COH_NEW(actors->weights[k], dqn->n_floats);
  COH_NEW(actors->thread, actor_threads(dqn));
  actors->lock = &dqn->experience;
  return COH_OK;
}

static coh_status start(coh_dqn *dqn) {
  coh_dqn_actors *actors = &dqn->actors;
  int n = actor_threads(dqn);
  for (int64_t i = 0; i < dqn->lanes.n_local; i++)
    dqn->lane[i].steps_at_window = *dqn->lane[i].n_steps;
  publish(dqn);
  for (; actors->n_threads < n; actors->n_threads++)
    COH_CHECK(pthread_create(&actors->thread[actors->n_threads], NULL, act_for_long, dqn) == 0,
              COH_E_MEMORY, "the system gives no thread to act in");
  return COH_OK;
}

void coh_dqn_free_stop(coh_dqn *dqn) {
  coh_dqn_actors *actors = &dqn->actors;
  if (actors->n_threads > 0) {
    pthread_mutex_lock(actors->lock);
    actors->stops = true;
    pthread_cond_broadcast(&actors->changed);
    pthread_mutex_unlock(actors->lock);
  }
  for (int k = 0; k < actors->n_threads; k++)
    pthread_join(actors->thread[k], NULL);
  actors->n_threads = 0;
  coh_free(actors->thread), coh_free(actors->weights[0]), coh_free(actors->weights[1]);
}

/* ---- rounds --------------------------------------------------------------------------- */

// environment steps that this rank's actors may begin in a round: its lanes' share of what is
// left to the run's end, and of how far ahead of the learner's next updates all may be
static double share_allowed(const coh_dqn *dqn) {
  const coh_dqn_options *options = dqn->options;
  double left = (double)(dqn->context->steps - dqn->env_steps);
  if (options->free_slack > 0) {
    double updates = (double)(dqn->learner.n_updates + options->free_lag);
    double lead = (double)options->learning_starts +
                  updates * options->free_slack * (double)options->train_every -
                  (double)dqn->env_steps;
    if (lead < left) left = lead;
  }
  return left * (double)dqn->lanes.n_local / (double)dqn->lanes.n_lanes;
}

static void open_round(coh_dqn *dqn) {
  coh_dqn_actors *actors = &dqn->actors;
  publish(dqn);
  pthread_mutex_lock(actors->lock);
  // rollouts under way are not in it: one that takes long must not keep the others waiting, so
  // all may come to be ahead by one rollout an actor
  actors->budget = share_allowed(dqn) - (double)actors->stored;
  actors->is_open = true;
  pthread_cond_broadcast(&actors->changed);
  pthread_mutex_unlock(actors->lock);
}

// with nothing to learn: until an actor here has stored, but not long, for others may have
static void wait_for_experience(coh_dqn *dqn) {
  coh_dqn_actors *actors = &dqn->actors;
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 2000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  pthread_mutex_lock(actors->lock);
  while (actors->stored == 0 && !actors->stops)
    if (pthread_cond_timedwait(&actors->changed, actors->lock, &until) != 0) break;
  pthread_mutex_unlock(actors->lock);
}

// ranks have acted at their own pace: agree on how far all of them are, and on the greatest lag
static coh_status close_round(coh_dqn *dqn) {
  coh_dqn_actors *actors = &dqn->actors;
  pthread_mutex_lock(actors->lock);
  actors->is_open = false;
  int64_t steps = actors->stored;
  actors->stored = 0;
  coh_status status = actors->status;
  pthread_mutex_unlock(actors->lock);
  COH_CHECK(status == COH_OK, status, "%s", actors->message);
  int64_t lag = atomic_exchange(&actors->lag, 0);
  COH_TRY(coh_comm_reduce_int(dqn->context->world, COH_REDUCE_SUM, &steps, 1));
  COH_TRY(coh_comm_reduce_int(dqn->context->world, COH_REDUCE_MAX, &lag, 1));
  if (lag > dqn->lag) dqn->lag = lag;
  dqn->env_steps += steps;
  dqn->n_steps = dqn->env_steps / dqn->options->envs;
  return COH_OK;
}

coh_status coh_dqn_free_round(coh_dqn *dqn) {
  if (dqn->actors.n_threads == 0) COH_TRY(start(dqn));
  dqn->learner_steps = dqn->n_steps;
  open_round(dqn);
  COH_TRY(coh_dqn_learn(dqn, dqn->options->free_lag, learner_threads(dqn)));
  if (!dqn->has_learnt) wait_for_experience(dqn);
  return close_round(dqn);
}

void coh_dqn_free_rest(coh_dqn *dqn) {
  coh_dqn_actors *actors = &dqn->actors;
  if (actors->n_threads == 0) return;
  pthread_mutex_lock(actors->lock);
  while (actors->n_busy > 0)
    pthread_cond_wait(&actors->changed, actors->lock);
  pthread_mutex_unlock(actors->lock);
}
