/* Evaluation: whole episodes on environments and seeds of their own, divided among lanes. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/dqn/dqn.h"
#include "task/lane_loop.h"
#include "task/mean_interval.h"

typedef struct play_context {
  const coh_dqn *dqn;
  double epsilon;
  double *returns, *lengths; /* (n_local, episodes a lane) */
} play_context;

// the evaluation's memory of one lane
typedef struct play_lane {
  coh_env *env;
  coh_workspace *workspace;
  uint8_t *rows, *terminated, *truncated, *over;
  int32_t *actions;
  float *rewards;
  double *epsilon;
} play_lane;

static coh_status open_lane(const coh_dqn *dqn, int64_t lane, double epsilon, play_lane *play) {
  int64_t n = dqn->evaluate.n_rows;
  uint64_t seed = dqn->context->seed ^ (uint64_t)dqn->options->evaluation.seed << 20;
  COH_TRY(coh_env_create(&dqn->options->env, n, lane * n, seed, &play->env));
  COH_TRY(coh_workspace_create(dqn->evaluate.program, &play->workspace));
  COH_TRY(coh_workspace_bind_parameters(play->workspace, dqn->params));
  COH_NEW(play->rows, (size_t)n * dqn->spec.observation_bytes);
  COH_NEW(play->terminated, n);
  COH_NEW(play->truncated, n);
  COH_NEW(play->over, n);
  COH_NEW(play->actions, n);
  COH_NEW(play->rewards, n);
  COH_NEW(play->epsilon, n);
  for (int64_t i = 0; i < n; i++)
    play->epsilon[i] = epsilon;
  return COH_OK;
}

static void close_lane(play_lane *play) {
  coh_env_destroy(&play->env);
  coh_workspace_destroy(&play->workspace);
  coh_free(play->rows), coh_free(play->terminated), coh_free(play->truncated);
  coh_free(play->over), coh_free(play->actions), coh_free(play->rewards);
  coh_free(play->epsilon);
}

// step until every environment has ended its first episode; later ones are not counted
static coh_status play_episodes(const coh_dqn *dqn, int64_t lane, double epsilon,
                                play_lane *play, double *returns, double *lengths) {
  int64_t n = dqn->evaluate.n_rows, left = n;
  coh_key key = coh_key_make(dqn->context->seed, "evaluate");
  float *input = coh_workspace_data(play->workspace, dqn->evaluate.input);
  const float *q = coh_workspace_data(play->workspace, dqn->evaluate.q);
  coh_env_reset(play->env, play->rows);
  for (int64_t step = 0; left > 0 && step < dqn->options->evaluation.max_steps; step++) {
    if (epsilon < 1) {
      coh_env_expand(&dqn->spec, n, play->rows, input);
      COH_TRY(coh_program_run(dqn->evaluate.program, play->workspace));
    }
    coh_dqn_choose(key, lane * n, step, play->epsilon, n, dqn->spec.n_actions, q,
                   play->actions);
    COH_TRY(coh_env_step(play->env, play->actions, play->rows, play->rewards, play->terminated,
                         play->truncated));
    for (int64_t i = 0; i < n; i++) {
      if (play->over[i]) continue;
      returns[i] += (double)play->rewards[i];
      lengths[i] += 1;
      play->over[i] = play->terminated[i] | play->truncated[i];
      left -= play->over[i];
    }
    coh_env_reset_ended(play->env, play->rows);
  }
  return COH_OK;
}

static coh_status play_local(void *pointer, int64_t local) {
  const play_context *context = pointer;
  const coh_dqn *dqn = context->dqn;
  int64_t lane = dqn->context->lanes.first + local, at = local * dqn->evaluate.n_rows;
  play_lane play = {0};
  coh_status status = open_lane(dqn, lane, context->epsilon, &play);
  if (status == COH_OK)
    status = play_episodes(dqn, lane, context->epsilon, &play, context->returns + at,
                           context->lengths + at);
  close_lane(&play);
  return status;
}

static void summarize(int64_t n, const double *returns, const double *lengths,
                      coh_dqn_score *score) {
  double length = 0;
  *score = (coh_dqn_score){.best = -INFINITY, .worst = INFINITY, .n_episodes = n};
  for (int64_t i = 0; i < n; i++) {
    length += lengths[i];
    score->best = fmax(score->best, returns[i]);
    score->worst = fmin(score->worst, returns[i]);
  }
  score->length = length / (double)n;
  coh_mean_interval(n, returns, &score->mean, &score->low, &score->high);
}

coh_status coh_dqn_play(coh_dqn *dqn, double epsilon, coh_dqn_score *score) {
  int64_t n = dqn->evaluate.n_rows, n_local = dqn->context->lanes.n_local;
  int64_t n_all = n * dqn->context->lanes.n_lanes;
  double *memory = coh_alloc_array((size_t)(2 * (n * n_local + n_all)), sizeof *memory);
  coh_status status = memory ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to evaluate");
  if (status == COH_OK) {
    play_context context = {dqn, epsilon, memory, memory + n * n_local};
    status = coh_lane_loop(dqn->context->n_threads, n_local, play_local, &context);
  }
  status = coh_comm_agree(dqn->context->world, status);
  if (status == COH_OK) {
    double *returns = memory + 2 * n * n_local, *lengths = returns + n_all;
    const coh_run_context *run = dqn->context;
    size_t piece = (size_t)n * sizeof *memory;
    status = coh_lanes_gather(run->world, &run->lanes, memory, piece, returns);
    if (status == COH_OK)
      status = coh_lanes_gather(run->world, &run->lanes, memory + n * n_local, piece, lengths);
    if (status == COH_OK) summarize(n_all, returns, lengths, score);
  }
  coh_free(memory);
  return status;
}

coh_status coh_dqn_evaluate(void *task, coh_metric_row *exact) {
  coh_dqn *dqn = task;
  coh_dqn_score score;
  COH_TRY(coh_dqn_roles_share(dqn));
  COH_TRY(coh_dqn_play(dqn, dqn->options->evaluation.epsilon, &score));
  dqn->score = score;
  dqn->scored_at = dqn->learner.n_updates;
  coh_metric_add(exact, "eval/return", score.mean);
  coh_metric_add(exact, "eval/return_low", score.low);
  coh_metric_add(exact, "eval/return_high", score.high);
  coh_metric_add(exact, "eval/length", score.length);
  coh_metric_add(exact, "eval/best", score.best);
  coh_metric_add(exact, "eval/worst", score.worst);
  coh_metric_add(exact, "eval/episodes", (double)score.n_episodes);
  return COH_OK;
}

const coh_choice *coh_dqn_environment(const void *task) {
  return &((const coh_dqn *)task)->options->env;
}

static coh_status act_rows(coh_dqn *dqn, coh_workspace *workspace, int64_t n,
                           const float *states, int32_t *actions) {
  int64_t most = dqn->evaluate.n_rows, n_values = dqn->spec.n_values;
  int64_t n_actions = dqn->spec.n_actions;
  COH_TRY(coh_workspace_bind_parameters(workspace, dqn->params));
  float *input = coh_workspace_data(workspace, dqn->evaluate.input);
  const float *q = coh_workspace_data(workspace, dqn->evaluate.q);
  for (int64_t begin = 0; begin < n; begin += most) {
    int64_t n_rows = n - begin < most ? n - begin : most;
    memcpy(input, states + begin * n_values, (size_t)(n_rows * n_values) * sizeof *input);
    COH_TRY(coh_program_run(dqn->evaluate.program, workspace));
    for (int64_t i = 0; i < n_rows; i++)
      actions[begin + i] = (int32_t)coh_dqn_argmax(q + i * n_actions, n_actions);
  }
  return COH_OK;
}

coh_status coh_dqn_act_greedily(void *task, int64_t n, const float *states, int32_t *actions) {
  coh_dqn *dqn = task;
  coh_workspace *workspace = NULL;
  COH_TRY(coh_workspace_create(dqn->evaluate.program, &workspace));
  coh_status status = act_rows(dqn, workspace, n, states, actions);
  coh_workspace_destroy(&workspace);
  return status;
}
