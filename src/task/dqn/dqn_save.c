/* Everything that the rest of the run depends on, as tensors and lanes. */
#include "base/alloc.h"
#include "task/dqn/dqn.h"
#include "task/network_save.h"

enum { N_COUNTERS = 2 };

static coh_array vector_of(coh_dtype dtype, int64_t n, void *data) {
  return (coh_array){.dtype = dtype, .n_dims = 1, .shape = {n}, .data = data};
}

coh_status coh_dqn_save(void *task, coh_saver *saver) {
  coh_dqn *dqn = task;
  coh_dqn_free_rest(dqn);
  COH_TRY(coh_dqn_roles_fetch_envs(dqn));
  if (!dqn->roles.learns) return COH_OK; // rank 0, which learns, writes the tensors
  coh_network_facts facts = {.role = "action values",
                             .class_names = dqn->spec.action_names,
                             .n_classes = dqn->spec.n_actions};
  COH_TRY(coh_network_save(saver, dqn->network, dqn->layout, dqn->params, &facts));
  COH_TRY(coh_learner_save(&dqn->learner, saver));
  if (dqn->imitation) COH_TRY(coh_imitation_save(dqn->imitation, saver));
  // the saver borrows data until the save has ended, so the counters live in the task
  dqn->saved_counters[0] = dqn->n_steps;
  dqn->saved_counters[1] = dqn->env_steps;
  coh_array target = vector_of(COH_DTYPE_F32, dqn->n_floats, dqn->target);
  coh_array counters = vector_of(COH_DTYPE_I64, N_COUNTERS, dqn->saved_counters);
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "target", &target));
  return coh_save_tensor(saver, COH_STORE_STATE, "counters", &counters);
}

coh_status coh_dqn_load(void *task, coh_loader *loader) {
  coh_dqn *dqn = task;
  int64_t counters[N_COUNTERS];
  coh_array target = vector_of(COH_DTYPE_F32, dqn->n_floats, dqn->target);
  coh_array array = vector_of(COH_DTYPE_I64, N_COUNTERS, counters);
  COH_TRY(coh_network_load(loader, dqn->layout, dqn->params));
  if (dqn->roles.learns) COH_TRY(coh_learner_load(&dqn->learner, loader));
  if (dqn->imitation) COH_TRY(coh_imitation_load(dqn->imitation, loader));
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "target", &target));
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "counters", &array));
  for (int k = 0; k < N_COUNTERS; k++)
    COH_CHECK(counters[k] >= 0, COH_E_CHECKPOINT, "state.safetensors: a counter is negative");
  dqn->n_steps = counters[0];
  dqn->env_steps = dqn->steps_at_window = counters[1];
  dqn->updates_at_window = dqn->learner.n_updates;
  coh_block_copy(dqn->acting, dqn->params, dqn->n_floats);
  dqn->roles.has_loaded = true;
  return COH_OK;
}

void coh_dqn_held(const void *task, coh_lanes *lanes) {
  const coh_dqn *dqn = task;
  *lanes = dqn->roles.learn.lanes;
}

// pass every block of a lane's own memory to the saver's or the loader's function
typedef coh_status bytes_function(void *context, void *data, size_t n_bytes);

static coh_status visit_lane(const coh_dqn *dqn, coh_dqn_lane *lane, bytes_function *visit,
                             void *context) {
  size_t n = (size_t)dqn->lane_envs;
  COH_TRY(visit(context, lane->current, n * dqn->spec.observation_bytes));
  COH_TRY(visit(context, lane->running, n * sizeof *lane->running));
  COH_TRY(visit(context, lane->ages, n * sizeof *lane->ages));
  COH_TRY(visit(context, lane->episodes, sizeof *lane->episodes));
  return visit(context, lane->n_steps, sizeof *lane->n_steps);
}

static coh_status write_block(void *saver, void *data, size_t n_bytes) {
  return coh_save_bytes(saver, data, n_bytes);
}

static coh_dqn_lane *lane_of(coh_dqn *dqn, int64_t lane) {
  return &dqn->lane[lane - dqn->lanes.first];
}

coh_status coh_dqn_save_lane(void *task, int64_t index, coh_saver *saver) {
  coh_dqn *dqn = task;
  coh_dqn_lane *lane = lane_of(dqn, index);
  COH_TRY(visit_lane(dqn, lane, write_block, saver));
  size_t n_bytes = coh_env_state_bytes(lane->env);
  uint8_t *state;
  COH_NEW(state, n_bytes);
  coh_status status = COH_OK;
  for (int64_t e = 0; e < dqn->lane_envs && status == COH_OK; e++) {
    coh_env_save(lane->env, e, state);
    status = coh_save_bytes(saver, state, n_bytes);
  }
  coh_free(state);
  if (status != COH_OK) return status;
  return coh_replay_save_lane(dqn->replay, index, coh_save_bytes, saver);
}

coh_status coh_dqn_load_lane(void *task, int64_t index, coh_loader *loader) {
  coh_dqn *dqn = task;
  coh_dqn_lane *lane = lane_of(dqn, index);
  COH_TRY(visit_lane(dqn, lane, coh_load_bytes, loader));
  size_t n_bytes = coh_env_state_bytes(lane->env);
  uint8_t *state;
  COH_NEW(state, n_bytes);
  coh_status status = COH_OK;
  for (int64_t e = 0; e < dqn->lane_envs && status == COH_OK; e++) {
    status = coh_load_bytes(loader, state, n_bytes);
    if (status == COH_OK) status = coh_env_load(lane->env, e, state);
  }
  coh_free(state);
  if (status != COH_OK) return status;
  return coh_replay_load_lane(dqn->replay, index, coh_load_bytes, loader);
}
