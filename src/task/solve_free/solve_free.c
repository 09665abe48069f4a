/* Task solve_free: the discounted optimum of a model that no memory holds, inside bounds that
 * hold. Rows are asked for in every sweep; two vectors are all that is kept. A step is a sweep.
 * Ranks divide the sweeps, each with the values of all states. */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cohort/task.h"
#include "io/file.h"
#include "mdp/mdp_free.h"
#include "mdp/model_kind.h"

typedef struct free_options {
  coh_choice model;
  double discount, tolerance;
  int sense;
} free_options;

#define FIELD(member) .offset = offsetof(free_options, member)
static const coh_option table[] = {
    {.name = "model",
     .type = COH_KIND,
     FIELD(model),
     .kinds = &coh_mdp_model_kinds,
     .doc = "The decision process; grid and random make rows as they are asked for, others are "
            "made whole first."},
    {.name = "discount",
     .type = COH_REAL,
     FIELD(discount),
     .initial = "0.99",
     .min = 1e-9,
     .max = 1.0 - 1e-12,
     .doc = "The factor of a step."},
    {.name = "sense",
     .type = COH_CHOICE,
     FIELD(sense),
     .initial = "max",
     .choices = "max|min",
     .doc = "The greatest value, or the least."},
    {.name = "tolerance",
     .type = COH_REAL,
     FIELD(tolerance),
     .initial = "0",
     .max = 1e100,
     .doc = "Width of the bound that ends it; 0: 1e-9 of the largest value."},
    {0},
};

enum { N_NUMBERS = 12 };

typedef struct solve_free {
  const coh_run_context *context;
  const free_options *options;
  coh_mdp_supply supply;
  coh_mdp_free *solver;
  double numbers[N_NUMBERS]; /* that a checkpoint borrows */
  double window_begun;
  int64_t window_sweeps;
} solve_free;

static void destroy(void **task) {
  solve_free *solve = *task;
  if (!solve) return;
  coh_mdp_free_destroy(&solve->solver);
  coh_mdp_supply_clear(&solve->supply);
  COH_DELETE(*task);
}

static coh_status fill(solve_free *solve) {
  const free_options *options = solve->options;
  COH_TRY(coh_mdp_model_supply(&options->model, options->discount, solve->context->seed, false,
                               &solve->supply));
  COH_DELETE(solve->supply.picture.wall); // it is too large to be drawn
  return coh_mdp_free_create(solve->context->world, &solve->supply.source,
                             &(coh_mdp_solve_options){.minimize = options->sense == 1,
                                                      .tolerance = options->tolerance,
                                                      .n_threads = solve->context->n_threads},
                             &solve->solver);
}

static coh_status create(const coh_run_context *context, const void *options, void **task) {
  solve_free *solve;
  COH_NEW(solve, 1);
  solve->context = context;
  solve->options = options;
  solve->window_begun = coh_clock_now();
  coh_status status = fill(solve);
  void *self = solve;
  if (status != COH_OK) destroy(&self);
  *task = self;
  return status;
}

static int64_t position(const void *task) {
  return ((const solve_free *)task)->solver->n_sweeps;
}

static bool finished(const void *task) {
  return ((const solve_free *)task)->solver->is_done;
}

static coh_status step(void *task) {
  solve_free *solve = task;
  solve->window_sweeps++;
  return coh_mdp_free_sweep(solve->solver, false);
}

static coh_status metrics(void *task, coh_metric_row *exact, coh_metric_row *timing) {
  solve_free *solve = task;
  const coh_mdp_free *solver = solve->solver;
  if (isfinite(solver->width)) coh_metric_add(exact, "solve/width", solver->width);
  coh_metric_add(exact, "train/updates", (double)solver->n_sweeps);
  double now = coh_clock_now();
  coh_metric_add(timing, "rate/states",
                 (double)solve->window_sweeps * (double)solver->source->n_states /
                     (now - solve->window_begun));
  solve->window_begun = now;
  solve->window_sweeps = 0;
  return COH_OK;
}

/* where it begins, by start or in state 0 */
static double start_value(const solve_free *solve) {
  const double *start = solve->supply.start, *values = solve->solver->values;
  if (!start) return values[0];
  double sum = 0.0;
  for (int64_t s = 0; s < solve->solver->source->n_states; s++)
    sum += start[s] * values[s];
  return sum;
}

static coh_status evaluate(void *task, coh_metric_row *exact) {
  const solve_free *solve = task;
  if (!solve->solver->is_done) return COH_OK;
  double value = start_value(solve), half = 0.5 * solve->solver->width;
  coh_metric_add(exact, "eval/lower", value - half);
  coh_metric_add(exact, "eval/upper", value + half);
  return COH_OK;
}

/* ---- saving: what the next sweep depends on */

static void take_numbers(const coh_mdp_free *s, double *numbers) {
  const double given[N_NUMBERS] = {(double)s->n_sweeps,
                                   s->middle,
                                   s->width,
                                   s->wanted,
                                   s->is_done,
                                   s->about.least_sum,
                                   s->about.greatest_sum,
                                   s->about.greatest_reward,
                                   (double)s->about.longest,
                                   s->about.error,
                                   s->progress.narrowest,
                                   (double)s->progress.n_wider};
  for (int k = 0; k < N_NUMBERS; k++)
    numbers[k] = given[k];
}

static coh_status save(void *task, coh_saver *saver) {
  solve_free *solve = task;
  coh_mdp_free *s = solve->solver;
  take_numbers(s, solve->numbers);
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "numbers",
                          &(coh_array){COH_DTYPE_F64, 1, {N_NUMBERS}, solve->numbers}));
  return coh_save_tensor(saver, COH_STORE_MODEL, "value",
                         &(coh_array){COH_DTYPE_F64, 1, {s->source->n_states}, s->values});
}

static coh_status load(void *task, coh_loader *loader) {
  solve_free *solve = task;
  coh_mdp_free *s = solve->solver;
  double *numbers = solve->numbers;
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "numbers",
                          &(coh_array){COH_DTYPE_F64, 1, {N_NUMBERS}, numbers}));
  COH_CHECK(numbers[0] >= 0 && numbers[0] < 0x1p53 && numbers[8] >= 0 && numbers[8] < 0x1p53 &&
                numbers[11] >= 0 && numbers[11] < 0x1p53,
            COH_E_CHECKPOINT, "state.safetensors: %g sweeps", numbers[0]);
  s->n_sweeps = (int64_t)numbers[0];
  s->middle = numbers[1];
  s->width = numbers[2];
  s->wanted = numbers[3];
  s->is_done = numbers[4] != 0.0;
  s->about =
      (coh_mdp_rows){numbers[5], numbers[6], numbers[7], (int64_t)numbers[8], numbers[9]};
  s->progress = (coh_mdp_progress){numbers[10], (int64_t)numbers[11]};
  return coh_load_tensor(loader, COH_STORE_MODEL, "value",
                         &(coh_array){COH_DTYPE_F64, 1, {s->source->n_states}, s->values});
}

/* ---- results */

static coh_status write_array(const solve_free *solve, const char *name, coh_dtype dtype,
                              void *data) {
  enum { PATH_BYTES = 4096 };
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results", solve->context->folder);
  COH_TRY(coh_folder_make(path));
  snprintf(path, sizeof path, "%s/results/%s.npy", solve->context->folder, name);
  return coh_npy_write(path, &(coh_array){.dtype = dtype,
                                          .n_dims = 1,
                                          .shape = {solve->solver->source->n_states},
                                          .data = data});
}

static coh_status write_results(solve_free *solve, coh_results *results) {
  coh_mdp_free *s = solve->solver;
  char text[64], note[160];
  double value = start_value(solve);
  COH_TRY(write_array(solve, "value", COH_DTYPE_F64, s->values));
  int32_t *action = (int32_t *)s->next; // which is not needed any more
  coh_mdp_free_policy(s, action);
  COH_TRY(write_array(solve, "policy", COH_DTYPE_I32, action));
  snprintf(text, sizeof text, "%.10g", value);
  snprintf(note, sizeof note, "%s; %lld states, whose rows were never kept",
           solve->supply.start ? "by where it begins" : "state 0",
           (long long)s->source->n_states);
  coh_results_number(results, "value", value, text, "value at the start", note);
  snprintf(text, sizeof text, "%.3g", s->width);
  coh_results_number(results, "width", s->width, text, "width of the bound",
                     "the truth lies within half of it, of every state");
  snprintf(text, sizeof text, "%lld", (long long)s->n_sweeps);
  coh_results_number(results, "sweeps", (double)s->n_sweeps, text, "sweeps",
                     "in place, forward and backward; every fourth says the bound");
  return COH_OK;
}

static coh_status write(void *task, coh_results *results) {
  solve_free *solve = task;
  if (!solve->solver->is_done) {
    coh_results_warning(results, "The run ended before the bound was narrow enough: there is "
                                 "no answer yet. Give it more steps.");
    return COH_OK;
  }
  return coh_world_rank(solve->context->world) == 0 ? write_results(solve, results) : COH_OK;
}

static const coh_task_chart charts[] = {
    {.name = "width",
     .title = "Width of the bound",
     .y_label = "upper - lower",
     .logarithmic = true,
     .caption = "How far apart the two bounds on the optimum are, by sweeps.",
     .curve = {{"solve/width", "width", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "rate",
     .title = "Speed",
     .y_label = "states a second",
     .from_timing = true,
     .caption = "States swept in a second on this machine.",
     .curve = {{"rate/states", "states", NULL, NULL, COH_CURVE_LINE}}},
    {0},
};

static const char *const progress[] = {"solve/width", "rate/states", NULL};

const coh_task_type coh_task_solve_free = {
    .kind = {"solve_free",
             "Planning in a model that no memory holds: discounted optima inside bounds that "
             "hold, by sweeps that make the rows as they go (MacQueen 1966). Ranks divide the "
             "sweeps; each keeps the values of all states.",
             table, sizeof(free_options)},
    .unit = "sweeps",
    .create = create,
    .destroy = destroy,
    .step = step,
    .position = position,
    .finished = finished,
    .metrics = metrics,
    .evaluate = evaluate,
    .save = save,
    .load = load,
    .results = write,
    .charts = charts,
    .progress = progress,
};
