/* Learning: draw a minibatch, let every lane compute its slice's gradient, sum over lanes, step
 * the optimiser, move the target network. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/clock.h"
#include "base/trace.h"
#include "task/dqn/dqn.h"

int64_t coh_dqn_updates_due(const coh_dqn_options *options, int64_t env_steps) {
  if (env_steps <= options->learning_starts) return 0;
  return (env_steps - options->learning_starts) / options->train_every;
}

static double beta_at(const coh_dqn_beta *beta, int64_t env_steps) {
  double way = (double)env_steps / (double)beta->steps;
  return way >= 1 ? beta->end : beta->start + way * (beta->end - beta->start);
}

// log pi(a|s) under the network's own values of n states
static coh_status log_policy(const coh_dqn *dqn, coh_dqn_lane *lane, const float *states,
                             const int32_t *actions, int64_t local, float *out) {
  int64_t n = dqn->lane_rows, n_actions = dqn->spec.n_actions;
  double temperature = dqn->options->temperature;
  if (states) COH_TRY(coh_workspace_bind_const(lane->judge, dqn->value.input, states));
  COH_TRY(coh_workspace_bind_parameters(lane->judge, dqn->params));
  COH_TRY(coh_program_run(dqn->value.program, lane->judge));
  const float *q = coh_workspace_data(lane->judge, dqn->value.q);
  for (int64_t i = 0; i < n; i++) {
    const float *row = q + i * n_actions;
    int32_t action = actions ? actions[i] : coh_imitation_action(dqn->imitation, local, i);
    double value = coh_dqn_soft_maximum(n_actions, temperature, row);
    out[i] = (float)(((double)row[action] - value) / temperature);
  }
  return COH_OK;
}

// the discriminator's step for these rows; its rewards take the place of the environment's
static coh_status imitate(coh_dqn *dqn, coh_dqn_lane *lane, int64_t local) {
  int64_t n = dqn->lane_rows;
  uint64_t update = (uint64_t)dqn->learner.n_updates;
  float *expert = NULL;
  if (lane->judge) {
    COH_TRY(coh_workspace_bind(lane->judge, dqn->value.input, NULL));
    expert = coh_workspace_data(lane->judge, dqn->value.input);
  }
  coh_imitation_draw(dqn->imitation, update, lane->index, local, expert);
  if (lane->judge) {
    COH_TRY(log_policy(dqn, lane, NULL, NULL, local, lane->log_policy));
    COH_TRY(log_policy(dqn, lane, lane->rows.states, lane->rows.actions, local,
                       lane->log_policy + n));
  }
  const coh_imitation_rows rows = {.states = lane->rows.states,
                                   .next_states = lane->rows.next_states,
                                   .actions = lane->rows.actions,
                                   .discounts = lane->rows.discounts,
                                   .log_policy = lane->log_policy};
  return coh_imitation_run(dqn->imitation, local, &rows, lane->rows.returns);
}

// y from the target network, and with double DQN the network's own choice
static coh_status compute_targets(coh_dqn *dqn, coh_dqn_lane *lane) {
  int64_t n = dqn->lane_rows, n_actions = dqn->spec.n_actions;
  const float *q = coh_workspace_data(lane->value, dqn->value.q), *choice = NULL;
  COH_TRY(coh_workspace_bind_parameters(lane->value, dqn->target));
  COH_TRY(coh_learner_run_beside(&dqn->learner, dqn->value.program, lane->value));
  if (dqn->options->temperature > 0) {
    coh_dqn_soft_targets(n, n_actions, dqn->options->temperature, lane->rows.returns,
                         lane->rows.discounts, q,
                         coh_workspace_data(lane->update, dqn->update.target));
    return COH_OK;
  }
  if (dqn->options->double_q) {
    memcpy(lane->next_q, q, (size_t)(n * n_actions) * sizeof *q);
    COH_TRY(coh_workspace_bind_parameters(lane->value, dqn->params));
    COH_TRY(coh_learner_run_beside(&dqn->learner, dqn->value.program, lane->value));
    choice = q;
    q = lane->next_q;
  }
  coh_dqn_targets(n, n_actions, lane->rows.returns, lane->rows.discounts, q, choice,
                  coh_workspace_data(lane->update, dqn->update.target));
  return COH_OK;
}

// fill the update's inputs: one-hot actions, and weights that make the sum a mean
static void prepare_inputs(const coh_dqn *dqn, const coh_dqn_lane *lane) {
  int64_t n = dqn->lane_rows, n_actions = dqn->spec.n_actions;
  float *one_hot = coh_workspace_data(lane->update, dqn->update.action);
  float share = 1 / (float)dqn->options->batch;
  memset(one_hot, 0, (size_t)(n * n_actions) * sizeof *one_hot);
  for (int64_t i = 0; i < n; i++) {
    one_hot[i * n_actions + lane->rows.actions[i]] = 1;
    lane->rows.weights[i] *= share;
  }
}

// errors for the priorities, and what the metrics want, as the gradient's tail
static void finish_lane(const coh_dqn *dqn, const coh_dqn_lane *lane, float *errors,
                        float *tail) {
  int64_t n = dqn->lane_rows, n_actions = dqn->spec.n_actions;
  const float *q = coh_workspace_data(lane->update, dqn->update.q);
  const float *chosen = coh_workspace_data(lane->update, dqn->update.chosen);
  const float *losses = coh_workspace_data(lane->update, dqn->update.losses);
  const float *target = coh_workspace_data(lane->update, dqn->update.target);
  memset(tail, 0, COH_LEARNER_TAIL * sizeof *tail);
  for (int64_t i = 0; i < n; i++) {
    errors[i] = chosen[i] - target[i];
    tail[COH_DQN_TAIL_LOSS] += losses[i] * lane->rows.weights[i];
    tail[COH_DQN_TAIL_ERROR] += fabsf(errors[i]);
    tail[COH_DQN_TAIL_Q] += chosen[i];
    tail[COH_DQN_TAIL_Q_MAX] += q[i * n_actions + coh_dqn_argmax(q + i * n_actions, n_actions)];
    // schedule free: a lane may be ahead of the mean that the learner counts by
    int32_t age = (int32_t)((uint32_t)dqn->learner_steps - (uint32_t)lane->rows.transitions[i]);
    tail[COH_DQN_TAIL_AGE] += (float)(age > 0 ? age : 0);
  }
}

static coh_status fill_lane(void *pointer, int64_t local) {
  coh_dqn *dqn = pointer;
  coh_dqn_lane *lane = &dqn->lane[local];
  double begun = coh_trace_is_on() ? coh_clock_now() : 0;
  COH_TRY(coh_replay_gather(dqn->replay, (uint64_t)dqn->learner.n_updates, lane->index,
                            &lane->rows));
  if (dqn->imitation) COH_TRY(imitate(dqn, lane, local));
  COH_TRY(compute_targets(dqn, lane));
  prepare_inputs(dqn, lane);
  if (coh_trace_is_on())
    coh_trace_note("gather and targets", omp_get_thread_num(), begun, coh_clock_now());
  return COH_OK;
}

static coh_status close_lane(void *pointer, int64_t local) {
  const coh_dqn *dqn = pointer;
  finish_lane(dqn, &dqn->lane[local], dqn->errors + local * dqn->lane_rows,
              coh_learner_gradient(&dqn->learner, local) + dqn->n_floats);
  return COH_OK;
}

static void move_target(coh_dqn *dqn) {
  const coh_dqn_target_options *target = &dqn->options->target;
  if (target->every == 0)
    coh_block_polyak(dqn->target, dqn->params, target->tau, dqn->n_floats);
  else if (dqn->learner.n_updates % target->every == 0)
    coh_block_copy(dqn->target, dqn->params, dqn->n_floats);
}

// what touches the replay's state is locked: with schedule free the actors' thread stores in
// between, so there every draw publishes anew
static coh_status draw(coh_dqn *dqn, double beta) {
  bool is_free = dqn->options->schedule == COH_DQN_FREE;
  pthread_mutex_lock(&dqn->experience);
  coh_status status = is_free ? coh_replay_refresh(dqn->replay) : COH_OK;
  if (status == COH_OK)
    status = coh_replay_draw(dqn->replay, (uint64_t)dqn->learner.n_updates, beta);
  pthread_mutex_unlock(&dqn->experience);
  return status;
}

static coh_status write_back(coh_dqn *dqn, uint64_t update) {
  bool is_free = dqn->options->schedule == COH_DQN_FREE;
  pthread_mutex_lock(&dqn->experience);
  coh_status status = coh_replay_write_back(dqn->replay, update, dqn->errors);
  if (status == COH_OK && !is_free) status = coh_replay_refresh(dqn->replay);
  pthread_mutex_unlock(&dqn->experience);
  return status;
}

// the gradient's sum travels while this thread acts, which needs nothing of it; delayed, that
// of the update before
static coh_status act_meanwhile(coh_dqn *dqn) {
  double before = dqn->act_seconds;
  if (!dqn->options->gradient_lag) COH_TRY(coh_learner_begin(&dqn->learner));
  dqn->is_to_act = false;
  dqn->sum_travels = true;
  coh_status status = coh_dqn_act(dqn, dqn->acting, 1);
  dqn->sum_travels = false;
  dqn->learn_seconds -= dqn->act_seconds - before;
  return status;
}

static coh_status update_once(coh_dqn *dqn, double beta, int n_threads) {
  COH_TRY(draw(dqn, beta));
  COH_TRY(coh_lane_pass_run(&dqn->pass, n_threads, fill_lane, close_lane, dqn));
  if (dqn->is_to_act) COH_TRY(act_meanwhile(dqn));
  uint64_t update = (uint64_t)dqn->learner.n_updates;
  COH_TRY(coh_layer_states_gather(&dqn->states, dqn->params));
  COH_TRY(coh_learner_step(&dqn->learner, dqn->params, 1));
  if (dqn->imitation)
    COH_TRY(coh_learner_step(&dqn->imitation->learner, dqn->imitation->params, 1));
  coh_layer_states_renew(&dqn->states, dqn->params);
  if (dqn->options->replay.prioritized) COH_TRY(write_back(dqn, update));
  move_target(dqn);
  return COH_OK;
}

// short of a batch there is nothing to stratify; those updates are made up for later
static coh_status has_batch(coh_dqn *dqn, bool *enough) {
  pthread_mutex_lock(&dqn->experience);
  coh_status status = coh_replay_refresh(dqn->replay);
  *enough = coh_replay_sampleable(dqn->replay) >= dqn->options->batch;
  pthread_mutex_unlock(&dqn->experience);
  return status;
}

coh_status coh_dqn_learn(coh_dqn *dqn, int64_t most, int n_threads) {
  int64_t due = coh_dqn_updates_due(dqn->options, dqn->env_steps) - dqn->learner.n_updates;
  dqn->has_learnt = false;
  if (due > most) due = most;
  if (due <= 0) return COH_OK;
  double begun = coh_clock_now();
  bool enough = false;
  COH_TRY(has_batch(dqn, &enough));
  if (!enough) return COH_OK;
  double beta = beta_at(&dqn->options->beta, dqn->env_steps);
  for (int64_t k = 0; k < due; k++) {
    COH_TRY(update_once(dqn, beta, n_threads));
    atomic_store(&dqn->actors.n_updates, dqn->learner.n_updates);
  }
  dqn->has_learnt = true;
  dqn->learn_seconds += coh_clock_now() - begun;
  return COH_OK;
}
