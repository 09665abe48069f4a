/* Everything that the rest of the run depends on: targets and values, the batch where it grows,
 * and of the regressor what fitting the targets once more does not make again. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/fqi/fqi.h"

enum { N_COUNTERS = 4, N_NUMBERS = 4 };

static coh_array array_of(coh_dtype dtype, int64_t n, int64_t width, const void *data) {
  return (coh_array){
      .dtype = dtype, .n_dims = width ? 2 : 1, .shape = {n, width}, .data = (void *)data};
}

// the values that an iteration found are what others can use of any regressor
static coh_status save_values(coh_fqi *fqi, coh_saver *saver) {
  const coh_transitions *batch = fqi->batch;
  coh_array next = array_of(COH_DTYPE_F64, batch->n_rows, batch->n_actions, fqi->next);
  coh_array before = array_of(COH_DTYPE_F64, batch->n_rows, batch->n_actions, fqi->before);
  coh_array targets = array_of(COH_DTYPE_F64, batch->n_rows, 0, fqi->targets);
  COH_TRY(coh_save_tensor(saver, COH_STORE_MODEL, "next_values", &next));
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "values_before", &before));
  return coh_save_tensor(saver, COH_STORE_STATE, "targets", &targets);
}

static coh_status save_batch(const coh_fqi *fqi, coh_saver *saver) {
  const coh_transitions *b = fqi->batch;
  coh_array states = array_of(COH_DTYPE_F32, b->n_rows, b->n_values, b->states);
  coh_array next = array_of(COH_DTYPE_F32, b->n_rows, b->n_values, b->next_states);
  coh_array actions = array_of(COH_DTYPE_I32, b->n_rows, 0, b->actions);
  coh_array rewards = array_of(COH_DTYPE_F32, b->n_rows, 0, b->rewards);
  coh_array terminated = array_of(COH_DTYPE_U8, b->n_rows, 0, b->terminated);
  coh_array truncated = array_of(COH_DTYPE_U8, b->n_rows, 0, b->truncated);
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "batch.states", &states));
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "batch.next_states", &next));
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "batch.actions", &actions));
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "batch.rewards", &rewards));
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "batch.terminated", &terminated));
  return coh_save_tensor(saver, COH_STORE_STATE, "batch.truncated", &truncated);
}

coh_status coh_fqi_save(void *task, coh_saver *saver) {
  coh_fqi *fqi = task;
  int64_t counters[N_COUNTERS] = {fqi->n_iterations, fqi->batch->n_rows, fqi->n_additions,
                                  fqi->is_done};
  double numbers[N_NUMBERS] = {fqi->last.change, fqi->last.largest_change, fqi->last.value};
  memcpy(fqi->saved_counters, counters, sizeof counters);
  memcpy(fqi->saved_numbers, numbers, sizeof numbers);
  coh_array array = array_of(COH_DTYPE_I64, N_COUNTERS, 0, fqi->saved_counters);
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "counters", &array));
  array = array_of(COH_DTYPE_F64, N_NUMBERS, 0, fqi->saved_numbers);
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "numbers", &array));
  COH_TRY(save_values(fqi, saver));
  if (fqi->options->grow.every > 0) COH_TRY(save_batch(fqi, saver));
  const coh_regressor_type *type = fqi->regressor.type;
  return type->save ? type->save(fqi->regressor.state, saver) : COH_OK;
}

// ---- load ---------------------------------------------------------------------------------

typedef struct saved_batch {
  int64_t n_rows;
  float *states, *next_states, *rewards;
  int32_t *actions;
  uint8_t *terminated, *truncated;
} saved_batch;

static coh_status load_batch(coh_fqi *fqi, coh_loader *loader, saved_batch *b) {
  int64_t n = b->n_rows, d = fqi->batch->n_values;
  COH_NEW(b->states, n * d);
  COH_NEW(b->next_states, n * d);
  COH_NEW(b->rewards, n);
  COH_NEW(b->actions, n);
  COH_NEW(b->terminated, n);
  COH_NEW(b->truncated, n);
  coh_array states = array_of(COH_DTYPE_F32, n, d, b->states);
  coh_array next = array_of(COH_DTYPE_F32, n, d, b->next_states);
  coh_array actions = array_of(COH_DTYPE_I32, n, 0, b->actions);
  coh_array rewards = array_of(COH_DTYPE_F32, n, 0, b->rewards);
  coh_array terminated = array_of(COH_DTYPE_U8, n, 0, b->terminated);
  coh_array truncated = array_of(COH_DTYPE_U8, n, 0, b->truncated);
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "batch.states", &states));
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "batch.next_states", &next));
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "batch.actions", &actions));
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "batch.rewards", &rewards));
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "batch.terminated", &terminated));
  return coh_load_tensor(loader, COH_STORE_STATE, "batch.truncated", &truncated);
}

// the batch begins as the config says; what it had grown by is appended again
static coh_status append_saved(coh_fqi *fqi, const saved_batch *b) {
  coh_transitions *batch = fqi->batch;
  int64_t d = batch->n_values;
  for (int64_t i = batch->n_rows; i < b->n_rows; i++) {
    coh_transition_row row = {.state = b->states + i * d,
                              .next_state = b->next_states + i * d,
                              .action = b->actions[i],
                              .reward = b->rewards[i],
                              .terminated = b->terminated[i],
                              .truncated = b->truncated[i]};
    COH_CHECK(row.action >= 0 && row.action < batch->n_actions, COH_E_CHECKPOINT,
              "state.safetensors: row %lld of the batch has action %d", (long long)i,
              row.action);
    COH_TRY(coh_transitions_append(batch, &row));
  }
  COH_DELETE(fqi->targets);
  COH_DELETE(fqi->next);
  COH_DELETE(fqi->before);
  COH_NEW(fqi->targets, batch->n_rows);
  COH_NEW(fqi->next, batch->n_rows * batch->n_actions);
  COH_NEW(fqi->before, batch->n_rows * batch->n_actions);
  return COH_OK;
}

static coh_status load_grown(coh_fqi *fqi, coh_loader *loader, int64_t n_rows) {
  saved_batch b = {.n_rows = n_rows};
  coh_status status = load_batch(fqi, loader, &b);
  if (status == COH_OK && n_rows > fqi->batch->n_rows) status = append_saved(fqi, &b);
  coh_free(b.states), coh_free(b.next_states), coh_free(b.rewards), coh_free(b.actions);
  coh_free(b.terminated), coh_free(b.truncated);
  COH_TRY(coh_comm_agree(fqi->context->world, status));
  coh_regressor_close(&fqi->regressor);
  return coh_regressor_open(&fqi->options->regressor, &fqi->problem, &fqi->regressor);
}

static coh_status load_values(coh_fqi *fqi, coh_loader *loader) {
  const coh_transitions *batch = fqi->batch;
  coh_array next = array_of(COH_DTYPE_F64, batch->n_rows, batch->n_actions, fqi->next);
  coh_array before = array_of(COH_DTYPE_F64, batch->n_rows, batch->n_actions, fqi->before);
  coh_array targets = array_of(COH_DTYPE_F64, batch->n_rows, 0, fqi->targets);
  COH_TRY(coh_load_tensor(loader, COH_STORE_MODEL, "next_values", &next));
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "values_before", &before));
  return coh_load_tensor(loader, COH_STORE_STATE, "targets", &targets);
}

// the same targets and draws make the same regressor; that they do is checked
static coh_status fit_again(coh_fqi *fqi) {
  int64_t n = fqi->batch->n_rows * fqi->batch->n_actions;
  double *found;
  COH_NEW(found, n);
  coh_status status = fqi->regressor.type->fit(fqi->regressor.state, fqi->n_iterations - 1,
                                               fqi->targets, found);
  if (status == COH_OK && memcmp(found, fqi->next, (size_t)n * sizeof *found) != 0)
    status = coh_fail(COH_E_CHECKPOINT, "state.safetensors: fitting its targets gives other "
                                        "values: it was written by another build, or for "
                                        "another batch");
  coh_free(found);
  return status;
}

coh_status coh_fqi_load(void *task, coh_loader *loader) {
  coh_fqi *fqi = task;
  int64_t counters[N_COUNTERS];
  double numbers[N_NUMBERS];
  coh_array array = array_of(COH_DTYPE_I64, N_COUNTERS, 0, counters);
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "counters", &array));
  array = array_of(COH_DTYPE_F64, N_NUMBERS, 0, numbers);
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "numbers", &array));
  COH_CHECK(counters[0] >= 0 && counters[1] >= fqi->batch->n_rows &&
                counters[1] < (int64_t)1 << 40 && counters[2] >= 0,
            COH_E_CHECKPOINT, "state.safetensors: a counter is out of range");
  fqi->n_iterations = counters[0];
  fqi->n_additions = counters[2];
  fqi->is_done = counters[3] != 0;
  fqi->last = (coh_fqi_iteration){numbers[0], numbers[1], numbers[2]};
  if (fqi->options->grow.every > 0) COH_TRY(load_grown(fqi, loader, counters[1]));
  COH_TRY(load_values(fqi, loader));
  const coh_regressor_type *type = fqi->regressor.type;
  if (type->load) return type->load(fqi->regressor.state, loader);
  return fqi->n_iterations > 0 ? fit_again(fqi) : COH_OK;
}
