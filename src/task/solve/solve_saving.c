/* Saving and loading: what a rank keeps by state goes into its lanes, the rest is a tensor. A
 * whole model has one share of it on every rank, whose arrays are tensors too. */
#include <string.h>

#include "base/alloc.h"
#include "task/solve/solve.h"
#include "task/tensor_visit.h"

enum { N_NUMBERS = 8 };

/* ---- arrays by state of a plan or an answer, some of their states */

typedef struct slice {
  int64_t first, n, n_own; /* own states */
  void *stream;
  coh_status (*move)(void *stream, void *data, size_t n_bytes);
} slice;

static coh_status put_bytes(void *saver, void *data, size_t n_bytes) {
  return coh_save_bytes(saver, data, n_bytes);
}

static coh_status move_slice(void *given, const char *name, bool by_state,
                             const coh_array *array) {
  (void)name;
  const slice *part = given;
  if (!by_state || part->n == 0) return COH_OK;
  size_t width = coh_dtype_bytes(array->dtype);
  int64_t n_times = coh_array_count(array) / part->n_own;
  for (int64_t k = 0; k < n_times; k++)
    COH_TRY(part->move(part->stream,
                       (char *)array->data + (size_t)(k * part->n_own + part->first) * width,
                       (size_t)part->n * width));
  return COH_OK;
}

static coh_status visit_answer(coh_solve *solve, coh_mdp_visit *visit, void *context) {
  int64_t n = solve->model->n_own;
  COH_TRY(visit(context, "value", true, &(coh_array){COH_DTYPE_F64, 1, {n}, solve->values}));
  COH_TRY(visit(context, "lower", true, &(coh_array){COH_DTYPE_F64, 1, {n}, solve->lower}));
  COH_TRY(visit(context, "upper", true, &(coh_array){COH_DTYPE_F64, 1, {n}, solve->upper}));
  return visit(context, "choice", true, &(coh_array){COH_DTYPE_I32, 1, {n}, solve->choice});
}

static coh_status move_lane(coh_solve *solve, int64_t lane, slice *part) {
  const coh_mdp_shard *model = solve->model;
  if (!model->world) return COH_OK;
  part->n_own = model->n_own;
  part->first = model->lane_first[lane] - model->first;
  part->n = model->lane_first[lane + 1] - model->lane_first[lane];
  COH_TRY(visit_answer(solve, move_slice, part));
  return solve->plan ? coh_mdp_plan_visit(solve->plan, move_slice, part) : COH_OK;
}

coh_status coh_solve_save_lane(void *task, int64_t lane, coh_saver *saver) {
  return move_lane(task, lane, &(slice){.stream = saver, .move = put_bytes});
}

coh_status coh_solve_load_lane(void *task, int64_t lane, coh_loader *loader) {
  return move_lane(task, lane, &(slice){.stream = loader, .move = coh_load_bytes});
}

/* ---- tensors */

typedef struct tensors {
  const coh_solve *solve;
  coh_store store;
  coh_tensor_visit *move;
  void *file;
} tensors;

static coh_status move_tensor(void *given, const char *name, bool by_state,
                              const coh_array *array) {
  const tensors *to = given;
  if (by_state && to->solve->model->world) return COH_OK; // in lanes
  return to->move(to->file, to->store, name, array);
}

/* the answer of all ranks, for others to read */
static coh_status save_together(coh_solve *solve, coh_saver *saver) {
  static const char *const name[] = {"value", "lower", "upper"};
  const double *own[] = {solve->values, solve->lower, solve->upper};
  coh_mdp_shard *model = solve->model;
  int64_t n = solve->n_states, kept = model->first == 0 ? n : 0;
  for (int k = 0; k < 3; k++) {
    if (!solve->saved_values[k]) COH_NEW(solve->saved_values[k], kept);
    COH_TRY(coh_mdp_shard_collect(model, own[k], sizeof **own, solve->saved_values[k]));
    COH_TRY(coh_save_tensor(saver, COH_STORE_MODEL, name[k],
                            &(coh_array){COH_DTYPE_F64, 1, {n}, solve->saved_values[k]}));
  }
  if (!solve->saved_choice) COH_NEW(solve->saved_choice, kept);
  COH_TRY(
      coh_mdp_shard_collect(model, solve->choice, sizeof *solve->choice, solve->saved_choice));
  return coh_save_tensor(saver, COH_STORE_MODEL, "choice",
                         &(coh_array){COH_DTYPE_I32, 1, {n}, solve->saved_choice});
}

static coh_status move_numbers(coh_solve *solve, double *numbers, const tensors *to) {
  int64_t m = (int64_t)(sizeof(coh_solve_line) / sizeof(double)) * solve->n_contestants;
  COH_TRY(to->move(to->file, COH_STORE_STATE, "lines",
                   &(coh_array){COH_DTYPE_F64, 1, {m}, solve->line}));
  return to->move(to->file, COH_STORE_STATE, "numbers",
                  &(coh_array){COH_DTYPE_F64, 1, {N_NUMBERS}, numbers});
}

static coh_status move_plan(coh_solve *solve, tensors *to) {
  to->store = COH_STORE_STATE;
  return solve->plan ? coh_mdp_plan_visit(solve->plan, move_tensor, to) : COH_OK;
}

coh_status coh_solve_save(void *task, coh_saver *saver) {
  coh_solve *solve = task;
  double numbers[N_NUMBERS] = {
      (double)solve->turn, solve->has_answer,        solve->is_done,          solve->width,
      solve->gain,         (double)solve->n_changed, (double)solve->n_rounds, 0.0};
  memcpy(solve->saved, numbers, sizeof numbers);
  tensors to = {solve, COH_STORE_MODEL, coh_visit_save, saver};
  COH_TRY(solve->model->world ? save_together(solve, saver)
                              : visit_answer(solve, move_tensor, &to));
  COH_TRY(move_numbers(solve, solve->saved, &to));
  return move_plan(solve, &to);
}

/* the plan whose turn it was, or the last one, which stays for its numbers */
static coh_status restore_turn(coh_solve *solve) {
  int64_t turn = solve->turn;
  if (solve->is_done) solve->turn--;
  coh_solve_line kept = solve->line[solve->turn];
  coh_status status = coh_solve_begin_turn(solve);
  solve->line[solve->turn] = kept;
  solve->turn = turn;
  return status;
}

coh_status coh_solve_load(void *task, coh_loader *loader) {
  coh_solve *solve = task;
  double numbers[N_NUMBERS];
  tensors from = {solve, COH_STORE_MODEL, coh_visit_load, loader};
  COH_TRY(visit_answer(solve, move_tensor, &from));
  COH_TRY(move_numbers(solve, numbers, &from));
  solve->turn = (int64_t)numbers[0];
  solve->has_answer = numbers[1] != 0.0;
  solve->is_done = numbers[2] != 0.0;
  solve->width = numbers[3];
  solve->gain = numbers[4];
  solve->n_changed = (int64_t)numbers[5];
  solve->n_rounds = (int64_t)numbers[6];
  COH_CHECK(solve->turn >= 0 && solve->turn <= solve->n_contestants && numbers[6] >= 0,
            COH_E_CHECKPOINT, "state.safetensors: method %g of %lld", numbers[0],
            (long long)solve->n_contestants);
  for (int64_t k = 0; k <= solve->turn && k < solve->n_contestants; k++)
    solve->seconds[k] = -1.0;
  if (!solve->plan) return COH_OK;
  COH_TRY(restore_turn(solve));
  return move_plan(solve, &from);
}
