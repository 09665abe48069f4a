/* Making the task: environments, network, programs, experience, and each lane's memory. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "task/dqn/dqn.h"

static void expand_rows(const void *context, int64_t n, const void *rows, float *values) {
  coh_env_expand(context, n, rows, values);
}

static coh_status create_network(coh_dqn *dqn) {
  const coh_env_spec *spec = &dqn->spec;
  coh_network_config config = {
      .layers = dqn->options->network,
      .initializer = dqn->options->initializer,
      .input = {.rank = (int)spec->n_dims},
      .n_outputs = spec->n_actions,
  };
  for (int64_t k = 0; k < spec->n_dims; k++)
    config.input.size[k] = spec->shape[k];
  COH_TRY(coh_network_create(&config, &dqn->network));
  COH_TRY(coh_dqn_programs_create(dqn));
  COH_NEW(dqn->params, dqn->n_floats);
  COH_NEW(dqn->target, dqn->n_floats);
  COH_NEW(dqn->acting, dqn->n_floats);
  COH_TRY(coh_network_initialize(dqn->network, dqn->context->seed, dqn->params));
  coh_block_copy(dqn->target, dqn->params, dqn->n_floats);
  coh_block_copy(dqn->acting, dqn->params, dqn->n_floats);
  if (!dqn->roles.learns) return COH_OK;
  const coh_run_context *learn = &dqn->roles.learn;
  COH_TRY(coh_layer_watch_create(&dqn->watch, learn, dqn->network));
  COH_TRY(
      coh_learner_create(&dqn->learner, learn, "", &dqn->options->optimizer, dqn->n_floats));
  if (dqn->options->gradient_lag) COH_TRY(coh_learner_delay(&dqn->learner));
  COH_TRY(coh_learner_overlap(&dqn->learner, dqn->update.program, dqn->layout,
                              dqn->update.gradient));
  COH_TRY(coh_layer_states_create(&dqn->states, learn, dqn->layout, &dqn->update.refresh));
  return coh_lane_pass_create(&dqn->pass, learn, dqn->update.program, &dqn->learner);
}

static coh_status create_imitation(coh_dqn *dqn) {
  const coh_dqn_options *options = dqn->options;
  if (!*options->imitate.demonstrations || !dqn->roles.learns) return COH_OK;
  const coh_imitation_config config = {.context = &dqn->roles.learn,
                                       .options = &options->imitate,
                                       .n_values = dqn->spec.n_values,
                                       .n_actions = dqn->spec.n_actions,
                                       .batch = options->batch,
                                       .lane_rows = dqn->lane_rows,
                                       .gamma = options->gamma,
                                       .temperature = options->temperature};
  return coh_imitation_create(&config, &dqn->imitation);
}

// whole rewards stay whole under a clip whose bound is
static void bound_rewards(const coh_dqn *dqn, coh_replay_config *config) {
  double clip = dqn->options->reward_clip;
  double low = (double)dqn->spec.reward_low, high = (double)dqn->spec.reward_high;
  if (clip != rint(clip)) return;
  if (clip > 0) low = fmin(fmax(low, -clip), clip), high = fmin(fmax(high, -clip), clip);
  config->reward_low = (int64_t)low;
  config->reward_high = (int64_t)high;
}

static coh_status create_replay(coh_dqn *dqn) {
  const coh_run_context *context = &dqn->roles.learn;
  coh_replay_config config = {
      .options = dqn->options->replay,
      .seed = context->seed,
      .world = context->world,
      .n_lanes = context->lanes.n_lanes,
      .n_envs = dqn->options->envs,
      .batch = dqn->options->batch,
      .in_flight = 1,
      .n_threads = context->n_threads,
      .row_bytes = dqn->spec.observation_bytes,
      .n_values = dqn->spec.n_values,
      .n_channels = dqn->spec.n_dims == 3 ? dqn->spec.shape[2] : dqn->spec.n_values,
      .n_actions = dqn->spec.n_actions,
      .n_step = dqn->options->n_step,
      .stack = 1,
      .gamma = dqn->options->gamma,
      .expand = expand_rows,
      .expand_context = &dqn->spec,
  };
  bound_rewards(dqn, &config);
  return coh_replay_create(&config, &dqn->replay);
}

static coh_status create_sums(coh_dqn *dqn) {
  const coh_run_context *context = &dqn->roles.learn;
  COH_TRY(coh_learner_connect(&dqn->learner));
  if (dqn->imitation) COH_TRY(coh_learner_connect(&dqn->imitation->learner));
  COH_TRY(coh_lane_pass_connect(&dqn->pass));
  COH_TRY(coh_layer_states_connect(&dqn->states));
  COH_TRY(
      coh_lane_sum_create(context->world, &context->lanes, COH_SUM_F64, 16, 1, &dqn->sum_real));
  return coh_lane_sum_create(context->world, &context->lanes, COH_SUM_I64, 16, 1,
                             &dqn->sum_count);
}

static coh_status create_lane_env(coh_dqn *dqn, coh_dqn_lane *lane) {
  return coh_env_create(&dqn->options->env, dqn->lane_envs, lane->index * dqn->lane_envs,
                        dqn->context->seed, &lane->env);
}

// the next n bytes of a block, or with none only their count
static void *take(uint8_t *block, size_t *at, size_t n_bytes) {
  void *taken = block ? block + *at : NULL;
  *at += (n_bytes + 63) / 64 * 64;
  return taken;
}

/* What a lane's actor makes and goes on from, in one block, so that it can travel. Returns its
 * bytes. block: NULL only counts. */
static size_t stage_lane(const coh_dqn *dqn, uint8_t *block, coh_dqn_lane *lane) {
  size_t n_envs = (size_t)dqn->lane_envs, n = (size_t)dqn->options->rollout * n_envs, at = 0;
  size_t row = dqn->spec.observation_bytes;
  lane->frames = take(block, &at, n * row);
  lane->finals = take(block, &at, n * row);
  lane->actions = take(block, &at, n * sizeof *lane->actions);
  lane->rewards = take(block, &at, n * sizeof *lane->rewards);
  lane->terminated = take(block, &at, n);
  lane->truncated = take(block, &at, n);
  lane->current = take(block, &at, n_envs * row);
  lane->running = take(block, &at, n_envs * sizeof *lane->running);
  lane->ages = take(block, &at, n_envs * sizeof *lane->ages);
  lane->episodes = take(block, &at, sizeof *lane->episodes);
  lane->n_steps = take(block, &at, sizeof *lane->n_steps);
  return at;
}

static coh_status create_actor(coh_dqn *dqn, coh_dqn_lane *lane, int64_t local) {
  stage_lane(dqn, dqn->staging + (size_t)local * dqn->staged_bytes, lane);
  coh_env_reset(lane->env, lane->current);
  if (!dqn->roles.acts) return COH_OK;
  return coh_workspace_create(dqn->act.program, &lane->act);
}

// minibatches are gathered straight into the programs' inputs
static coh_status create_learner(coh_dqn *dqn, coh_dqn_lane *lane, int64_t local) {
  float *gradient = coh_learner_gradient(&dqn->learner, local);
  COH_NEW(lane->next_q, dqn->lane_rows * dqn->spec.n_actions);
  if (dqn->imitation && dqn->imitation->shaping) {
    COH_NEW(lane->log_policy, 2 * dqn->lane_rows);
    COH_TRY(coh_workspace_create(dqn->value.program, &lane->judge));
  }
  COH_TRY(coh_workspace_create(dqn->value.program, &lane->value));
  COH_TRY(coh_workspace_create(dqn->update.program, &lane->update));
  COH_TRY(coh_workspace_bind_parameters(lane->update, dqn->params));
  COH_TRY(coh_workspace_bind_flat(lane->update, dqn->update.gradient, dqn->update.n_parameters,
                                  gradient));
  lane->rows.states = coh_workspace_data(lane->update, dqn->update.input);
  lane->rows.next_states = coh_workspace_data(lane->value, dqn->value.input);
  lane->rows.weights = coh_workspace_data(lane->update, dqn->update.weight);
  COH_NEW(lane->rows.actions, dqn->lane_rows);
  COH_NEW(lane->rows.returns, dqn->lane_rows);
  COH_NEW(lane->rows.discounts, dqn->lane_rows);
  COH_NEW(lane->rows.transitions, dqn->lane_rows);
  return COH_OK;
}

static coh_status connect_lane(coh_dqn *dqn, coh_dqn_lane *lane, int64_t local) {
  COH_TRY(create_actor(dqn, lane, local));
  if (!dqn->roles.learns) return COH_OK;
  COH_TRY(create_learner(dqn, lane, local));
  coh_lane_pass_set(&dqn->pass, local, lane->update);
  return coh_layer_states_bind(&dqn->states, local, lane->update);
}

static void destroy_lane(coh_dqn_lane *lane) {
  coh_env_destroy(&lane->env);
  coh_workspace_destroy(&lane->act);
  coh_workspace_destroy(&lane->value);
  coh_workspace_destroy(&lane->update);
  coh_free(lane->next_q);
  coh_workspace_destroy(&lane->judge);
  coh_free(lane->log_policy);
  coh_free(lane->rows.actions), coh_free(lane->rows.returns);
  coh_free(lane->rows.discounts), coh_free(lane->rows.transitions);
}

static coh_status create(coh_dqn *dqn) {
  const coh_run_context *context = dqn->context;
  int64_t n_lanes = context->lanes.n_lanes, n_local = dqn->lanes.n_local;
  dqn->lane_envs = dqn->options->envs / n_lanes;
  dqn->lane_rows = dqn->options->batch / n_lanes;
  dqn->explore_key = coh_key_make(context->seed, "explore");
  COH_NEW(dqn->lane, n_local);
  for (int64_t i = 0; i < n_local; i++) {
    dqn->lane[i].index = dqn->lanes.first + i;
    COH_TRY(create_lane_env(dqn, &dqn->lane[i]));
  }
  dqn->spec = *coh_env_spec_of(dqn->lane[0].env);
  COH_TRY(create_network(dqn));
  COH_TRY(create_imitation(dqn));
  dqn->staged_bytes = stage_lane(dqn, NULL, &dqn->lane[0]);
  COH_NEW(dqn->staging, (size_t)n_local * dqn->staged_bytes);
  for (int64_t i = 0; i < n_local; i++)
    COH_TRY(connect_lane(dqn, &dqn->lane[i], i));
  COH_NEW(dqn->errors, n_local * dqn->lane_rows);
  COH_NEW(dqn->sources, n_local);
  dqn->window_begun = coh_clock_now();
  return dqn->options->schedule == COH_DQN_FREE ? coh_dqn_free_create(dqn) : COH_OK;
}

coh_status coh_dqn_create(const coh_run_context *context, const void *options, void **task) {
  coh_dqn *dqn = coh_alloc_array(1, sizeof *dqn);
  coh_status status = dqn ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for task dqn");
  if (status == COH_OK) {
    dqn->context = context;
    dqn->options = options;
    dqn->scored_at = -1;
    pthread_mutex_init(&dqn->experience, NULL);
    pthread_cond_init(&dqn->actors.changed, NULL);
    status = coh_dqn_options_check(options, context->config_name, context->lanes.n_lanes);
  }
  // between collective parts every rank is to be known to have come so far
  status = coh_comm_agree(context->world, status);
  if (status == COH_OK) status = coh_dqn_roles_create(dqn);
  if (status == COH_OK) status = create(dqn);
  status = coh_comm_agree(context->world, status);
  if (status == COH_OK && dqn->roles.learns) status = create_replay(dqn);
  if (status == COH_OK && dqn->roles.learns) status = create_sums(dqn);
  if (status == COH_OK && dqn->options->schedule == COH_DQN_FREE &&
      coh_world_rank(context->world) == 0)
    coh_log(COH_LOG_WARNING, "schedule free: fast, but this run is not bit-exact");
  *task = dqn;
  if (status != COH_OK && dqn) coh_dqn_destroy(task);
  return status;
}

void coh_dqn_destroy(void **task) {
  coh_dqn *dqn = *task;
  if (!dqn) return;
  coh_dqn_free_stop(dqn);
  coh_learner_destroy(&dqn->learner);
  coh_imitation_destroy(&dqn->imitation);
  coh_lane_pass_destroy(&dqn->pass);
  coh_layer_states_destroy(&dqn->states);
  coh_lane_sum_destroy(&dqn->sum_real);
  coh_lane_sum_destroy(&dqn->sum_count);
  coh_replay_destroy(&dqn->replay);
  for (int64_t i = 0; dqn->lane && i < dqn->lanes.n_local; i++)
    destroy_lane(&dqn->lane[i]);
  coh_free(dqn->lane), coh_free(dqn->staging);
  coh_dqn_programs_destroy(dqn);
  coh_layer_watch_destroy(&dqn->watch);
  coh_network_destroy(&dqn->network);
  coh_free(dqn->params), coh_free(dqn->target), coh_free(dqn->acting);
  coh_free(dqn->errors), coh_free(dqn->sources);
  coh_dqn_roles_destroy(dqn);
  pthread_cond_destroy(&dqn->actors.changed);
  pthread_mutex_destroy(&dqn->experience);
  coh_free(dqn);
  *task = NULL;
}
