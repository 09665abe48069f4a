/* A step: a round of the method whose turn it is, or an undiscounted answer as a whole. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "task/solve/solve.h"

/* every stride-th round is a point; a full curve keeps every other one */
static void add_point(coh_solve_line *line, double sweeps, double width) {
  int64_t stride = (int64_t)line->stride, n = (int64_t)line->n_points;
  if ((int64_t)line->n_rounds % stride != 0) return;
  if (n == COH_SOLVE_POINTS) {
    for (int64_t k = 0; k < n / 2; k++)
      memcpy(line->point[k], line->point[2 * k + 1], sizeof line->point[k]);
    n /= 2;
    line->stride *= 2;
    line->n_points = (double)n;
    if ((int64_t)line->n_rounds % (2 * stride) != 0) return;
  }
  line->point[n][0] = sweeps;
  line->point[n][1] = width;
  line->n_points = (double)(n + 1);
}

static void note_round(coh_solve *solve) {
  const coh_mdp_plan *plan = solve->plan;
  coh_solve_line *line = &solve->line[solve->turn];
  line->n_rounds = (double)plan->n_rounds;
  line->n_transitions = (double)plan->n_transitions;
  line->width = plan->width;
  add_point(line, line->n_transitions / (double)solve->subject->n_entries, plan->width);
}

/* the policy that is greedy for the given one's value, and how much better the best may be */
static coh_status improve(coh_solve *solve) {
  coh_mdp_shard *model = solve->model;
  double *next = solve->scratch;
  bool minimize = solve->options->sense == 1;
  int32_t *greedy = solve->plan->choice; // not needed any more
  coh_mdp_change change;
  COH_TRY(coh_mdp_shard_bellman(model, (coh_mdp_bellman){.minimize = minimize}, solve->values,
                                next, greedy, &change));
  coh_mdp_certificate said = coh_mdp_certify(&model->rows, model->mdp->discount, change.low,
                                             change.high, change.largest, 0.0);
  solve->gain = 0.0;
  for (int64_t s = 0; s < model->n_own; s++) {
    solve->n_changed += greedy[s] != solve->choice[s];
    double best = minimize ? solve->values[s] - (next[s] + said.lower)
                           : next[s] + said.upper - solve->values[s];
    solve->gain = fmax(solve->gain, best);
  }
  memcpy(solve->choice, greedy, (size_t)model->n_own * sizeof *greedy);
  COH_TRY(coh_mdp_shard_sum_int(model, &solve->n_changed));
  return coh_mdp_shard_largest(model, &solve->gain);
}

static coh_status keep_answer(coh_solve *solve) {
  const coh_mdp_plan *plan = solve->plan;
  int64_t n = solve->model->n_own;
  memcpy(solve->values, plan->values, (size_t)n * sizeof *solve->values);
  for (int64_t s = 0; s < n; s++) {
    solve->lower[s] = plan->values[s] - 0.5 * plan->width;
    solve->upper[s] = plan->values[s] + 0.5 * plan->width;
  }
  solve->width = plan->width;
  if (!solve->chain) memcpy(solve->choice, plan->choice, (size_t)n * sizeof *solve->choice);
  if (solve->options->find == COH_SOLVE_IMPROVE) COH_TRY(improve(solve));
  solve->has_answer = true;
  return COH_OK;
}

static coh_status measure_distance(coh_solve *solve) {
  double *distance = &solve->line[solve->turn].distance;
  *distance = 0.0;
  for (int64_t s = 0; s < solve->model->n_own; s++)
    *distance = fmax(*distance, fabs(solve->plan->values[s] - solve->values[s]));
  return coh_mdp_shard_largest(solve->model, distance);
}

static coh_status end_turn(coh_solve *solve) {
  if (solve->turn == 0)
    COH_TRY(keep_answer(solve));
  else if (solve->line[solve->turn].has_failed == 0)
    COH_TRY(measure_distance(solve));
  solve->turn++;
  solve->is_done = solve->turn == solve->n_contestants;
  return solve->is_done ? COH_OK : coh_solve_begin_turn(solve);
}

static coh_status round_of_plan(coh_solve *solve) {
  double begun = coh_clock_now();
  int64_t before = solve->plan->n_transitions;
  coh_status status = coh_mdp_plan_step(solve->plan);
  solve->window_transitions += solve->plan->n_transitions - before;
  if (solve->seconds[solve->turn] >= 0) solve->seconds[solve->turn] += coh_clock_now() - begun;
  solve->n_rounds++;
  note_round(solve);
  if (status == COH_E_DIVERGED && solve->turn > 0) {
    coh_log(COH_LOG_WARNING, "compare: method %lld: %s", (long long)solve->turn,
            coh_error_message());
    solve->line[solve->turn].has_failed = 1.0;
    return end_turn(solve);
  }
  COH_TRY(status);
  return solve->plan->is_done ? end_turn(solve) : COH_OK;
}

static coh_status solve_undiscounted(coh_solve *solve) {
  const coh_solve_options *options = solve->options;
  coh_mdp_solve_options how = {.minimize = options->sense == 1,
                               .tolerance = options->tolerance,
                               .n_threads = solve->context->n_threads};
  coh_mdp_bounds bounds;
  COH_TRY(options->objective == COH_SOLVE_REACH
              ? coh_mdp_reach(solve->subject->mdp, solve->target, &how, &bounds)
              : coh_mdp_total_until(solve->subject->mdp, solve->target, &how, &bounds));
  for (int64_t s = 0; s < solve->n_states; s++) {
    solve->lower[s] = bounds.lower[s];
    solve->upper[s] = bounds.upper[s];
    solve->values[s] = bounds.lower[s] == bounds.upper[s]
                           ? bounds.lower[s]
                           : 0.5 * (bounds.lower[s] + bounds.upper[s]);
    if (!solve->chain) solve->choice[s] = bounds.choice[s];
  }
  solve->width = bounds.width;
  solve->line[0].n_rounds = (double)bounds.n_sweeps;
  solve->line[0].width = bounds.width;
  solve->n_rounds = 1;
  solve->has_answer = solve->is_done = true;
  coh_mdp_bounds_clear(&bounds);
  return COH_OK;
}

coh_status coh_solve_step(void *task) {
  coh_solve *solve = task;
  return solve->plan ? round_of_plan(solve) : solve_undiscounted(solve);
}
