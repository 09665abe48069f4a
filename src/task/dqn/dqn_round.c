/* How acting and learning meet: in turn, at once with a fixed lag, or free of each other. */
#include "task/dqn/dqn.h"
#include "task/lane_loop.h"

static void count_steps(coh_dqn *dqn) {
  dqn->n_steps += dqn->options->rollout;
  dqn->env_steps = dqn->n_steps * dqn->options->envs;
}

static coh_status round_lockstep(coh_dqn *dqn) {
  int n_threads = dqn->context->n_threads;
  COH_TRY(coh_dqn_act(dqn, dqn->params, n_threads));
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
  return coh_dqn_act(dqn, dqn->acting, n_threads);
}

// one thread: the rollout hides the first update's sum, if there is an update
static coh_status round_in_one_thread(coh_dqn *dqn) {
  dqn->is_to_act = true;
  COH_TRY(coh_dqn_learn(dqn, INT64_MAX, 1));
  if (!dqn->is_to_act) return COH_OK;
  dqn->is_to_act = false;
  return coh_dqn_act(dqn, dqn->acting, 1);
}

static coh_status round_pipelined(coh_dqn *dqn) {
  coh_block_copy(dqn->acting, dqn->params, dqn->n_floats);
  dqn->learner_steps = dqn->n_steps;
  int64_t updates = dqn->learner.n_updates;
  if (dqn->roles.apart)
    COH_TRY(coh_dqn_roles_round(dqn));
  else if (dqn->context->n_threads == 1)
    COH_TRY(round_in_one_thread(dqn));
  else
    COH_TRY(coh_lane_pair(dqn->context->n_threads, learn_half, act_half, dqn));
  dqn->lag = dqn->learner.n_updates - updates;
  if (dqn->roles.learns) COH_TRY(coh_dqn_store(dqn, dqn->context->n_threads));
  count_steps(dqn);
  return COH_OK;
}

coh_status coh_dqn_round(void *task) {
  coh_dqn *dqn = task;
  switch (dqn->options->schedule) {
  case COH_DQN_PIPELINED:
    return round_pipelined(dqn);
  case COH_DQN_FREE:
    return coh_dqn_free_round(dqn);
  default:
    return round_lockstep(dqn);
  }
}
