/* Everything that the rest of the run depends on, as tensors and lanes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "task/dqn/dqn.h"

enum { N_COUNTERS = 5, N_SUMS = COH_DQN_TAIL_FLOATS + 1 };

static coh_array vector_of(coh_dtype dtype, int64_t n, void *data) {
  return (coh_array){.dtype = dtype, .n_dims = 1, .shape = {n}, .data = data};
}

// visit every replicated tensor, to save or to load it
typedef coh_status visit_function(void *context, coh_store store, const char *name,
                                  const coh_array *array);

static coh_status visit_tensors(coh_dqn *dqn, int64_t counters[N_COUNTERS], double sums[N_SUMS],
                                visit_function *visit, void *context) {
  for (int64_t k = 0; k < coh_graph_n_parameters(dqn->layout); k++) {
    coh_parameter_view view = coh_graph_parameter_at(dqn->layout, k);
    coh_array array = {
        .dtype = COH_DTYPE_F32, .n_dims = view.shape.rank, .data = dqn->params + view.offset};
    memcpy(array.shape, view.shape.size, (size_t)view.shape.rank * sizeof *array.shape);
    COH_TRY(visit(context, COH_STORE_MODEL, view.name, &array));
  }
  coh_array target = vector_of(COH_DTYPE_F32, dqn->n_floats, dqn->target);
  COH_TRY(visit(context, COH_STORE_STATE, "target", &target));
  for (int64_t k = 0; k < coh_optimizer_n_moments(dqn->optimizer); k++) {
    coh_moment moment = coh_optimizer_moment_at(dqn->optimizer, k);
    char name[128];
    snprintf(name, sizeof name, "optimizer.%s", moment.name);
    coh_array array = vector_of(COH_DTYPE_F32, dqn->n_floats, moment.data);
    COH_TRY(visit(context, COH_STORE_STATE, name, &array));
  }
  coh_array array = vector_of(COH_DTYPE_I64, N_COUNTERS, counters);
  COH_TRY(visit(context, COH_STORE_STATE, "counters", &array));
  array = vector_of(COH_DTYPE_F64, N_SUMS, sums);
  return visit(context, COH_STORE_STATE, "window", &array);
}

static coh_status save_one(void *saver, coh_store store, const char *name,
                           const coh_array *array) {
  return coh_save_tensor(saver, store, name, array);
}

static coh_status load_one(void *loader, coh_store store, const char *name,
                           const coh_array *array) {
  return coh_load_tensor(loader, store, name, array);
}

// a step may have overflowed after a loss that was still finite: such weights are not kept
static coh_status check_params(const coh_dqn *dqn) {
  for (int64_t i = 0; i < dqn->n_floats; i++)
    COH_CHECK(isfinite(dqn->params[i]), COH_E_DIVERGED,
              "the weights are not finite after update %lld", (long long)dqn->n_updates);
  return COH_OK;
}

coh_status coh_dqn_save(void *task, coh_saver *saver) {
  coh_dqn *dqn = task;
  COH_TRY(check_params(dqn));
  // the saver borrows data until the save has ended, so the counters live in the task
  dqn->saved_counters[0] = dqn->n_steps;
  dqn->saved_counters[1] = dqn->n_updates;
  dqn->saved_counters[2] = dqn->n_window;
  dqn->saved_counters[3] = dqn->n_norms;
  dqn->saved_counters[4] = dqn->env_steps;
  memcpy(dqn->saved_sums, dqn->tail, sizeof dqn->tail);
  dqn->saved_sums[COH_DQN_TAIL_FLOATS] = dqn->norm_sum;
  return visit_tensors(dqn, dqn->saved_counters, dqn->saved_sums, save_one, saver);
}

coh_status coh_dqn_load(void *task, coh_loader *loader) {
  coh_dqn *dqn = task;
  int64_t counters[N_COUNTERS];
  double sums[N_SUMS];
  COH_TRY(visit_tensors(dqn, counters, sums, load_one, loader));
  for (int k = 0; k < N_COUNTERS; k++)
    COH_CHECK(counters[k] >= 0, COH_E_CHECKPOINT, "state.safetensors: a counter is negative");
  dqn->n_steps = counters[0];
  dqn->env_steps = dqn->steps_at_window = counters[4];
  dqn->n_updates = dqn->updates_at_window = counters[1];
  dqn->n_window = counters[2];
  dqn->n_norms = counters[3];
  memcpy(dqn->tail, sums, sizeof dqn->tail);
  dqn->norm_sum = sums[COH_DQN_TAIL_FLOATS];
  coh_optimizer_set_steps(dqn->optimizer, dqn->n_updates);
  coh_block_copy(dqn->acting, dqn->params, dqn->n_floats);
  return COH_OK;
}

// pass every block of a lane's own memory to the saver's or the loader's function
typedef coh_status bytes_function(void *context, void *data, size_t n_bytes);

static coh_status visit_lane(const coh_dqn *dqn, coh_dqn_lane *lane, bytes_function *visit,
                             void *context) {
  size_t n = (size_t)dqn->lane_envs;
  COH_TRY(visit(context, lane->current, n * dqn->spec.observation_bytes));
  COH_TRY(visit(context, lane->running, n * sizeof *lane->running));
  COH_TRY(visit(context, lane->ages, n * sizeof *lane->ages));
  return visit(context, &lane->episodes, sizeof lane->episodes);
}

static coh_status write_block(void *saver, void *data, size_t n_bytes) {
  return coh_save_bytes(saver, data, n_bytes);
}

static coh_dqn_lane *lane_of(coh_dqn *dqn, int64_t lane) {
  return &dqn->lane[lane - dqn->context->lanes.first];
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
