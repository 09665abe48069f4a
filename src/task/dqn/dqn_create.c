/* Making the task: environments, network, programs, experience, and each lane's memory. */
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
  COH_TRY(coh_learner_create(&dqn->learner, dqn->context, "", &dqn->options->optimizer,
                             dqn->n_floats));
  COH_TRY(coh_learner_overlap(&dqn->learner, dqn->update.program, dqn->layout,
                              dqn->update.gradient));
  COH_TRY(
      coh_layer_states_create(&dqn->states, dqn->context, dqn->layout, &dqn->update.refresh));
  return coh_lane_pass_create(&dqn->pass, dqn->context, dqn->update.program, &dqn->learner);
}

static coh_status create_replay(coh_dqn *dqn) {
  const coh_run_context *context = dqn->context;
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
  return coh_replay_create(&config, &dqn->replay);
}

static coh_status create_sums(coh_dqn *dqn) {
  const coh_run_context *context = dqn->context;
  COH_TRY(coh_learner_connect(&dqn->learner));
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

// memory and workspaces of one lane; minibatches are gathered straight into the programs'
// inputs
static coh_status create_lane_memory(coh_dqn *dqn, coh_dqn_lane *lane, float *gradient) {
  int64_t n_staged = dqn->options->rollout * dqn->lane_envs;
  size_t row = dqn->spec.observation_bytes;
  COH_NEW(lane->frames, (size_t)n_staged * row);
  COH_NEW(lane->finals, (size_t)n_staged * row);
  COH_NEW(lane->current, (size_t)dqn->lane_envs * row);
  COH_NEW(lane->actions, n_staged);
  COH_NEW(lane->rewards, n_staged);
  COH_NEW(lane->terminated, n_staged);
  COH_NEW(lane->truncated, n_staged);
  COH_NEW(lane->running, dqn->lane_envs);
  COH_NEW(lane->ages, dqn->lane_envs);
  COH_NEW(lane->next_q, dqn->lane_rows * dqn->spec.n_actions);
  COH_TRY(coh_workspace_create(dqn->act.program, &lane->act));
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
  coh_env_reset(lane->env, lane->current);
  return COH_OK;
}

static coh_status connect_lane(coh_dqn *dqn, coh_dqn_lane *lane, int64_t local) {
  COH_TRY(create_lane_memory(dqn, lane, coh_learner_gradient(&dqn->learner, local)));
  coh_lane_pass_set(&dqn->pass, local, lane->update);
  return coh_layer_states_bind(&dqn->states, local, lane->update);
}

static void destroy_lane(coh_dqn_lane *lane) {
  coh_env_destroy(&lane->env);
  coh_workspace_destroy(&lane->act);
  coh_workspace_destroy(&lane->value);
  coh_workspace_destroy(&lane->update);
  coh_free(lane->frames), coh_free(lane->finals), coh_free(lane->current);
  coh_free(lane->actions), coh_free(lane->rewards);
  coh_free(lane->terminated), coh_free(lane->truncated);
  coh_free(lane->running), coh_free(lane->ages);
  coh_free(lane->next_q);
  coh_free(lane->rows.actions), coh_free(lane->rows.returns);
  coh_free(lane->rows.discounts), coh_free(lane->rows.transitions);
}

static coh_status create(coh_dqn *dqn) {
  const coh_run_context *context = dqn->context;
  int64_t n_lanes = context->lanes.n_lanes, n_local = context->lanes.n_local;
  COH_TRY(coh_dqn_options_check(dqn->options, context->config_name, n_lanes));
  dqn->lane_envs = dqn->options->envs / n_lanes;
  dqn->lane_rows = dqn->options->batch / n_lanes;
  dqn->explore_key = coh_key_make(context->seed, "explore");
  COH_NEW(dqn->lane, n_local);
  for (int64_t i = 0; i < n_local; i++) {
    dqn->lane[i].index = context->lanes.first + i;
    COH_TRY(create_lane_env(dqn, &dqn->lane[i]));
  }
  dqn->spec = *coh_env_spec_of(dqn->lane[0].env);
  COH_TRY(create_network(dqn));
  for (int64_t i = 0; i < n_local; i++)
    COH_TRY(connect_lane(dqn, &dqn->lane[i], i));
  COH_NEW(dqn->errors, n_local * dqn->lane_rows);
  COH_NEW(dqn->sources, n_local);
  dqn->window_begun = coh_clock_now();
  return COH_OK;
}

coh_status coh_dqn_create(const coh_run_context *context, const void *options, void **task) {
  coh_dqn *dqn = coh_alloc_array(1, sizeof *dqn);
  coh_status status = dqn ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for task dqn");
  if (status == COH_OK) {
    dqn->context = context;
    dqn->options = options;
    dqn->scored_at = -1;
    pthread_mutex_init(&dqn->experience, NULL);
    status = create(dqn);
  }
  // the collective parts come last, when every rank is known to have come so far
  status = coh_comm_agree(context->world, status);
  if (status == COH_OK) status = create_replay(dqn);
  if (status == COH_OK) status = create_sums(dqn);
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
  coh_learner_destroy(&dqn->learner);
  coh_lane_pass_destroy(&dqn->pass);
  coh_layer_states_destroy(&dqn->states);
  coh_lane_sum_destroy(&dqn->sum_real);
  coh_lane_sum_destroy(&dqn->sum_count);
  coh_replay_destroy(&dqn->replay);
  for (int64_t i = 0; dqn->lane && i < dqn->context->lanes.n_local; i++)
    destroy_lane(&dqn->lane[i]);
  coh_free(dqn->lane);
  coh_dqn_programs_destroy(dqn);
  coh_network_destroy(&dqn->network);
  coh_free(dqn->params), coh_free(dqn->target), coh_free(dqn->acting);
  coh_free(dqn->errors), coh_free(dqn->sources);
  pthread_mutex_destroy(&dqn->experience);
  coh_free(dqn);
  *task = NULL;
}
