/* Acting: every lane steps its environments for one rollout, epsilon-greedily. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/clock.h"
#include "base/trace.h"
#include "task/dqn/dqn.h"
#include "task/lane_loop.h"

enum { EPSILON_BLOCK = 256 };

// what the lanes of one phase share
typedef struct act_context {
  coh_dqn *dqn;
  const float *params;
} act_context;

void coh_dqn_choose(coh_key key, int64_t first, int64_t step, const double *epsilon, int64_t n,
                    int64_t n_actions, const float *q, int32_t *actions) {
  for (int64_t i = 0; i < n; i++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)(first + i), (uint64_t)step);
    if (coh_stream_uniform(&stream) < epsilon[i])
      actions[i] = (int32_t)coh_stream_below(&stream, n_actions);
    else
      actions[i] = (int32_t)coh_dqn_argmax(q + i * n_actions, n_actions);
  }
}

void coh_dqn_choose_softly(coh_key key, int64_t first, int64_t step, const double *epsilon,
                           double temperature, int64_t n, int64_t n_actions, const float *q,
                           int32_t *actions) {
  for (int64_t i = 0; i < n; i++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)(first + i), (uint64_t)step);
    if (coh_stream_uniform(&stream) < epsilon[i]) {
      actions[i] = (int32_t)coh_stream_below(&stream, n_actions);
      continue;
    }
    const float *row = q + i * n_actions;
    double value = coh_dqn_soft_maximum(n_actions, temperature, row);
    double left = coh_stream_uniform(&stream);
    int32_t action = 0;
    while (action < n_actions - 1) {
      left -= exp(((double)row[action] - value) / temperature);
      if (left < 0) break;
      action++;
    }
    actions[i] = action;
  }
}

static void choose_actions(const coh_dqn *dqn, const coh_dqn_lane *lane, int64_t step,
                           const float *q, int32_t *actions) {
  int64_t env_steps = step * dqn->options->envs;
  int64_t first = lane->index * dqn->lane_envs, n_actions = dqn->spec.n_actions;
  double epsilon[EPSILON_BLOCK];
  for (int64_t begin = 0; begin < dqn->lane_envs; begin += EPSILON_BLOCK) {
    int64_t n = dqn->lane_envs - begin < EPSILON_BLOCK ? dqn->lane_envs - begin : EPSILON_BLOCK;
    for (int64_t i = 0; i < n; i++)
      epsilon[i] = coh_dqn_epsilon(&dqn->options->exploration, dqn->options->learning_starts,
                                   env_steps, first + begin + i, dqn->options->envs);
    if (dqn->options->temperature > 0)
      coh_dqn_choose_softly(dqn->explore_key, first + begin, step, epsilon,
                            dqn->options->temperature, n, n_actions, q + begin * n_actions,
                            actions + begin);
    else
      coh_dqn_choose(dqn->explore_key, first + begin, step, epsilon, n, n_actions,
                     q + begin * n_actions, actions + begin);
  }
}

// add the step's rewards to the running returns and close the episodes that ended
static void count_episodes(const coh_dqn *dqn, coh_dqn_lane *lane, int64_t at,
                           coh_dqn_episodes *episodes) {
  for (int64_t e = 0; e < dqn->lane_envs; e++) {
    lane->running[e] += (double)lane->rewards[at + e];
    lane->ages[e]++;
    if (!lane->terminated[at + e] && !lane->truncated[at + e]) continue;
    episodes->returns += lane->running[e];
    episodes->lengths += (double)lane->ages[e];
    episodes->count++;
    lane->running[e] = 0;
    lane->ages[e] = 0;
  }
}

// actions for the frames of step t of the rollout
static coh_status choose_with(coh_dqn *dqn, coh_dqn_lane *lane, const float *params,
                              int64_t t) {
  int64_t at = t * dqn->lane_envs;
  COH_TRY(coh_workspace_bind_parameters(lane->act, params));
  if (dqn->sum_travels) // moved on between operators
    COH_TRY(coh_learner_run_beside(&dqn->learner, dqn->act.program, lane->act));
  else
    COH_TRY(coh_program_run(dqn->act.program, lane->act));
  choose_actions(dqn, lane, *lane->n_steps + t, coh_workspace_data(lane->act, dqn->act.q),
                 lane->actions + at);
  return COH_OK;
}

static coh_status choose_with_newest(coh_dqn *dqn, coh_dqn_lane *lane, int64_t t) {
  int which;
  const float *params = coh_dqn_free_take(dqn, &which);
  coh_status status = choose_with(dqn, lane, params, t);
  coh_dqn_free_give(dqn, which);
  return status;
}

coh_status coh_dqn_act_lane(coh_dqn *dqn, coh_dqn_lane *lane, const float *params) {
  int64_t n = dqn->lane_envs;
  size_t row_bytes = dqn->spec.observation_bytes;
  float *input = coh_workspace_data(lane->act, dqn->act.input);
  for (int64_t t = 0; t < dqn->options->rollout; t++) {
    int64_t at = t * n;
    uint8_t *frames = lane->frames + (size_t)at * row_bytes;
    uint8_t *finals = lane->finals + (size_t)at * row_bytes;
    memcpy(frames, lane->current, (size_t)n * row_bytes);
    coh_env_expand(&dqn->spec, n, frames, input);
    COH_TRY(params ? choose_with(dqn, lane, params, t) : choose_with_newest(dqn, lane, t));
    COH_TRY(coh_env_step(lane->env, lane->actions + at, finals, lane->rewards + at,
                         lane->terminated + at, lane->truncated + at));
    count_episodes(dqn, lane, at, params ? lane->episodes : &lane->rolling);
    memcpy(lane->current, finals, (size_t)n * row_bytes);
    coh_env_reset_ended(lane->env, lane->current);
    if (dqn->sum_travels) COH_TRY(coh_learner_poll(&dqn->learner));
  }
  return COH_OK;
}

static coh_status act_local(void *pointer, int64_t local) {
  const act_context *context = pointer;
  coh_dqn_lane *lane = &context->dqn->lane[local];
  COH_TRY(coh_dqn_act_lane(context->dqn, lane, context->params));
  *lane->n_steps += context->dqn->options->rollout;
  return COH_OK;
}

coh_status coh_dqn_act(coh_dqn *dqn, const float *params, int n_threads) {
  act_context context = {dqn, params};
  double begun = coh_clock_now();
  coh_status status = coh_lane_loop(n_threads, dqn->lanes.n_local, act_local, &context);
  double now = coh_clock_now();
  dqn->act_seconds += now - begun;
  coh_trace_note("act", omp_get_thread_num(), begun, now);
  return status;
}

coh_status coh_dqn_store_lane(const coh_dqn *dqn, const coh_dqn_lane *lane) {
  size_t row_bytes = dqn->spec.observation_bytes;
  float clip = (float)dqn->options->reward_clip;
  for (int64_t t = 0; t < dqn->options->rollout; t++) {
    for (int64_t e = 0; e < dqn->lane_envs; e++) {
      int64_t i = t * dqn->lane_envs + e;
      float reward = lane->rewards[i];
      if (clip > 0) reward = reward > clip ? clip : reward < -clip ? -clip : reward;
      coh_transition transition = {
          .frame = lane->frames + (size_t)i * row_bytes,
          .action = lane->actions[i],
          .reward = reward,
          .terminated = lane->terminated[i],
          .truncated = lane->truncated[i],
          .final_frame = lane->finals + (size_t)i * row_bytes,
      };
      COH_TRY(coh_replay_append(dqn->replay, lane->index, e, &transition));
    }
  }
  return COH_OK;
}

static coh_status store_local(void *pointer, int64_t local) {
  const coh_dqn *dqn = pointer;
  return coh_dqn_store_lane(dqn, &dqn->lane[local]);
}

coh_status coh_dqn_store(coh_dqn *dqn, int n_threads) {
  return coh_lane_loop(n_threads, dqn->lanes.n_local, store_local, dqn);
}
