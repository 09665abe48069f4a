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

/* An array of the checkpoint: what saving and loading go through alike. */
typedef struct part {
  const char *name;
  coh_store store;
  coh_array array;
} part;

static coh_status save_parts(coh_saver *saver, const part *parts, int n) {
  for (int k = 0; k < n; k++)
    COH_TRY(coh_save_tensor(saver, parts[k].store, parts[k].name, &parts[k].array));
  return COH_OK;
}

static coh_status load_parts(coh_loader *loader, const part *parts, int n) {
  for (int k = 0; k < n; k++)
    COH_TRY(coh_load_tensor(loader, parts[k].store, parts[k].name, &parts[k].array));
  return COH_OK;
}

// the values that an iteration found are what others can use of any regressor
enum { N_VALUES = 3, N_BATCH = 6 };

static void list_values(const coh_fqi *fqi, part parts[N_VALUES]) {
  int64_t n = fqi->batch->n_rows, n_actions = fqi->batch->n_actions;
  parts[0] =
      (part){"next_values", COH_STORE_MODEL, array_of(COH_DTYPE_F64, n, n_actions, fqi->next)};
  parts[1] = (part){"values_before", COH_STORE_STATE,
                    array_of(COH_DTYPE_F64, n, n_actions, fqi->before)};
  parts[2] = (part){"targets", COH_STORE_STATE, array_of(COH_DTYPE_F64, n, 0, fqi->targets)};
}

/* The columns of a batch that grows; borrowed from it, or owned while loading. */
typedef struct columns {
  int64_t n_rows;
  const float *states, *next_states, *rewards;
  const int32_t *actions;
  const uint8_t *terminated, *truncated;
} columns;

static void list_batch(const columns *c, int64_t d, part parts[N_BATCH]) {
  int64_t n = c->n_rows;
  const part all[N_BATCH] = {
      {"batch.states", COH_STORE_STATE, array_of(COH_DTYPE_F32, n, d, c->states)},
      {"batch.next_states", COH_STORE_STATE, array_of(COH_DTYPE_F32, n, d, c->next_states)},
      {"batch.actions", COH_STORE_STATE, array_of(COH_DTYPE_I32, n, 0, c->actions)},
      {"batch.rewards", COH_STORE_STATE, array_of(COH_DTYPE_F32, n, 0, c->rewards)},
      {"batch.terminated", COH_STORE_STATE, array_of(COH_DTYPE_U8, n, 0, c->terminated)},
      {"batch.truncated", COH_STORE_STATE, array_of(COH_DTYPE_U8, n, 0, c->truncated)},
  };
  memcpy(parts, all, sizeof all);
}

static coh_status save_batch(const coh_fqi *fqi, coh_saver *saver) {
  const coh_transitions *b = fqi->batch;
  const columns c = {b->n_rows,  b->states,     b->next_states, b->rewards,
                     b->actions, b->terminated, b->truncated};
  part parts[N_BATCH];
  list_batch(&c, b->n_values, parts);
  return save_parts(saver, parts, N_BATCH);
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
  part values[N_VALUES];
  list_values(fqi, values);
  COH_TRY(save_parts(saver, values, N_VALUES));
  if (fqi->options->grow.every > 0) COH_TRY(save_batch(fqi, saver));
  const coh_regressor_type *type = fqi->regressor.type;
  return type->save ? type->save(fqi->regressor.state, saver) : COH_OK;
}

// ---- load ---------------------------------------------------------------------------------

static coh_status load_batch(const coh_fqi *fqi, coh_loader *loader, columns *c) {
  int64_t n = c->n_rows, d = fqi->batch->n_values;
  COH_NEW(c->states, n * d);
  COH_NEW(c->next_states, n * d);
  COH_NEW(c->rewards, n);
  COH_NEW(c->actions, n);
  COH_NEW(c->terminated, n);
  COH_NEW(c->truncated, n);
  part parts[N_BATCH];
  list_batch(c, d, parts);
  return load_parts(loader, parts, N_BATCH);
}

// the batch begins as the config says; what it had grown by is appended again
static coh_status append_saved(coh_fqi *fqi, const columns *b) {
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
  return coh_fqi_make_values(fqi);
}

static coh_status load_grown(coh_fqi *fqi, coh_loader *loader, int64_t n_rows) {
  columns b = {.n_rows = n_rows};
  coh_status status = load_batch(fqi, loader, &b);
  if (status == COH_OK && n_rows > fqi->batch->n_rows) status = append_saved(fqi, &b);
  part parts[N_BATCH];
  list_batch(&b, fqi->batch->n_values, parts);
  for (int k = 0; k < N_BATCH; k++)
    coh_free(parts[k].array.data);
  COH_TRY(coh_comm_agree(fqi->context->world, status));
  coh_regressor_close(&fqi->regressor);
  return coh_regressor_open(&fqi->options->regressor, &fqi->problem, &fqi->regressor);
}

// the same targets and draws make the same regressor; that they do is checked
static coh_status fit_again(coh_fqi *fqi) {
  int64_t n_bytes = fqi->batch->n_rows * fqi->batch->n_actions * (int64_t)sizeof(double);
  coh_row_store found;
  COH_TRY(coh_comm_agree(fqi->context->world,
                         coh_row_store_create(fqi->context, fqi->batch, n_bytes, &found)));
  coh_status status = fqi->regressor.type->fit(fqi->regressor.state, fqi->n_iterations - 1,
                                               fqi->targets, found.data);
  if (status == COH_OK && memcmp(found.data, fqi->next, (size_t)n_bytes) != 0)
    status = coh_fail(COH_E_CHECKPOINT, "state.safetensors: fitting its targets gives other "
                                        "values: it was written by another build, or for "
                                        "another batch");
  coh_row_store_clear(&found);
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
  part values[N_VALUES];
  list_values(fqi, values);
  COH_TRY(load_parts(loader, values, N_VALUES));
  const coh_regressor_type *type = fqi->regressor.type;
  if (type->load) return type->load(fqi->regressor.state, loader);
  return fqi->n_iterations > 0 ? fit_again(fqi) : COH_OK;
}
