/* Task solve: metrics, charts, and the descriptor. */
#include "task/solve/solve.h"

#include <math.h>

#include "base/clock.h"

static int64_t position(const void *task) {
  return ((const coh_solve *)task)->n_rounds;
}

static bool finished(const void *task) {
  return ((const coh_solve *)task)->is_done;
}

coh_status coh_solve_start_value(const coh_solve *solve, const double *values, double *value) {
  coh_mdp_shard *model = solve->model;
  *value = model->first == 0 && model->n_own > 0 ? values[0] : 0.0;
  if (!solve->start)
    return model->world ? coh_comm_bcast(model->world, value, sizeof *value, 0) : COH_OK;
  if (model->world)
    return coh_mdp_shard_dots(model, 1, (const double *const[]){solve->start},
                              (const double *const[]){values}, value);
  *value = 0.0;
  for (int64_t s = 0; s < model->n_own; s++)
    if (solve->start[s] > 0.0)
      *value += solve->start[s] * values[s]; // 0 of infinity is nothing
  return COH_OK;
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
  double low, high;
  COH_TRY(coh_solve_start_value(solve, solve->lower, &low));
  COH_TRY(coh_solve_start_value(solve, solve->upper, &high));
  if (!isfinite(low) || !isfinite(high)) return COH_OK;
  coh_metric_add(exact, "eval/lower", low);
  coh_metric_add(exact, "eval/upper", high);
  return COH_OK;
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
    .save = coh_solve_save,
    .load = coh_solve_load,
    .save_lane = coh_solve_save_lane,
    .load_lane = coh_solve_load_lane,
    .results = coh_solve_results,
    .charts = charts,
    .progress = progress,
};
