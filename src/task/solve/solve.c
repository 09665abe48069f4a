/* Task solve: metrics, saving, charts, and the descriptor. */
#include "task/solve/solve.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

static int64_t position(const void *task) {
  return ((const coh_solve *)task)->n_rounds;
}

static bool finished(const void *task) {
  return ((const coh_solve *)task)->is_done;
}

double coh_solve_start_value(const coh_solve *solve, const double *values) {
  const double *start = solve->mdp->start;
  if (!start) return values[0];
  double sum = 0.0;
  for (int64_t s = 0; s < solve->mdp->n_states; s++)
    if (start[s] > 0.0) sum += start[s] * values[s]; // 0 times infinity is nothing
  return sum;
}

static coh_status metrics(void *task, coh_metric_row *exact, coh_metric_row *timing) {
  coh_solve *solve = task;
  int64_t turn = solve->turn < solve->n_contestants ? solve->turn : solve->n_contestants - 1;
  const coh_solve_line *line = &solve->line[turn];
  if (isfinite(line->width)) coh_metric_add(exact, "solve/width", line->width);
  if (solve->plan) {
    coh_metric_add(exact, "solve/low", solve->plan->low);
    coh_metric_add(exact, "solve/high", solve->plan->high);
    coh_metric_add(exact, "solve/sweeps",
                   line->n_transitions / (double)solve->subject->n_entries);
  }
  if (solve->n_contestants > 1) coh_metric_add(exact, "solve/method", (double)turn);
  coh_metric_add(exact, "train/updates", (double)solve->n_rounds);
  double now = coh_clock_now();
  coh_metric_add(timing, "rate/transitions",
                 (double)solve->window_transitions / (now - solve->window_begun));
  solve->window_begun = now;
  solve->window_transitions = 0;
  return COH_OK;
}

static coh_status evaluate(void *task, coh_metric_row *exact) {
  const coh_solve *solve = task;
  if (!solve->has_answer) return COH_OK;
  double low = coh_solve_start_value(solve, solve->lower),
         high = coh_solve_start_value(solve, solve->upper);
  if (!isfinite(low) || !isfinite(high)) return COH_OK;
  coh_metric_add(exact, "eval/lower", low);
  coh_metric_add(exact, "eval/upper", high);
  return COH_OK;
}

/* ---- saving */

typedef coh_status visit_store(void *context, coh_store store, const char *name,
                               const coh_array *array);

typedef struct state_visitor {
  visit_store *visit;
  void *context;
} state_visitor;

static coh_status visit_state(void *given, const char *name, bool by_state,
                              const coh_array *array) {
  (void)by_state;
  const state_visitor *to = given;
  return to->visit(to->context, COH_STORE_STATE, name, array);
}

enum { N_NUMBERS = 8 };

static coh_status visit_answer(coh_solve *solve, double *numbers, visit_store *visit,
                               void *context) {
  int64_t n = solve->mdp->n_states,
          m = (int64_t)(sizeof(coh_solve_line) / sizeof(double)) * solve->n_contestants;
  const struct {
    coh_store store;
    const char *name;
    coh_array array;
  } rows[] = {
      {COH_STORE_MODEL, "value", {COH_DTYPE_F64, 1, {n}, solve->values}},
      {COH_STORE_MODEL, "lower", {COH_DTYPE_F64, 1, {n}, solve->lower}},
      {COH_STORE_MODEL, "upper", {COH_DTYPE_F64, 1, {n}, solve->upper}},
      {COH_STORE_MODEL, "choice", {COH_DTYPE_I32, 1, {n}, solve->choice}},
      {COH_STORE_STATE, "lines", {COH_DTYPE_F64, 1, {m}, solve->line}},
      {COH_STORE_STATE, "numbers", {COH_DTYPE_F64, 1, {N_NUMBERS}, numbers}},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
    COH_TRY(visit(context, rows[k].store, rows[k].name, &rows[k].array));
  return COH_OK;
}

static coh_status save_one(void *saver, coh_store store, const char *name,
                           const coh_array *array) {
  return coh_save_tensor(saver, store, name, array);
}

static coh_status load_one(void *loader, coh_store store, const char *name,
                           const coh_array *array) {
  return coh_load_tensor(loader, store, name, array);
}

static coh_status save(void *task, coh_saver *saver) {
  coh_solve *solve = task;
  double numbers[N_NUMBERS] = {
      (double)solve->turn, solve->has_answer,        solve->is_done,          solve->width,
      solve->gain,         (double)solve->n_changed, (double)solve->n_rounds, 0.0};
  memcpy(solve->saved, numbers, sizeof numbers);
  COH_TRY(visit_answer(solve, solve->saved, save_one, saver));
  if (!solve->plan) return COH_OK;
  return coh_mdp_plan_visit(solve->plan, visit_state, &(state_visitor){save_one, saver});
}

static coh_status load(void *task, coh_loader *loader) {
  coh_solve *solve = task;
  double numbers[N_NUMBERS];
  COH_TRY(visit_answer(solve, numbers, load_one, loader));
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
  int64_t turn = solve->turn;
  if (solve->is_done) solve->turn--; // the last plan stays for its numbers
  coh_solve_line kept = solve->line[solve->turn];
  coh_status status = coh_solve_begin_turn(solve);
  solve->line[solve->turn] = kept;
  solve->turn = turn;
  COH_TRY(status);
  return coh_mdp_plan_visit(solve->plan, visit_state, &(state_visitor){load_one, loader});
}

static const coh_task_chart charts[] = {
    {.name = "width",
     .title = "Width of the bound",
     .y_label = "upper - lower",
     .logarithmic = true,
     .caption = "How far apart the two bounds on the optimum are, by rounds.",
     .curve = {{"solve/width", "width", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "work",
     .title = "Work",
     .y_label = "sweeps' worth of transitions",
     .caption = "Transitions read so far, as multiples of the model's.",
     .curve = {{"solve/sweeps", "sweeps", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "rate",
     .title = "Speed",
     .y_label = "transitions a second",
     .from_timing = true,
     .caption = "Transitions read in a second on this machine.",
     .curve = {{"rate/transitions", "transitions", NULL, NULL, COH_CURVE_LINE}}},
    {0},
};

static const char *const progress[] = {"solve/width", "rate/transitions", NULL};

const coh_task_type coh_task_solve = {
    .kind =
        {"solve",
         "Planning in a known model: optimal values and policies, or the value of a given "
         "policy, inside bounds that hold (MacQueen 1966; Porteus 1971; Baier et al. 2017).",
         coh_solve_option_table, sizeof(coh_solve_options)},
    .unit = "rounds",
    .create = coh_solve_create,
    .destroy = coh_solve_destroy,
    .step = coh_solve_step,
    .position = position,
    .finished = finished,
    .metrics = metrics,
    .evaluate = evaluate,
    .save = save,
    .load = load,
    .results = coh_solve_results,
    .charts = charts,
    .progress = progress,
};
