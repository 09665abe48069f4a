/* Evaluation: whole episodes on environments and seeds of their own, divided among lanes. */
#include <string.h>

#include "base/alloc.h"
#include "task/dqn/dqn.h"
#include "task/greedy.h"
#include "task/lane_loop.h"

typedef struct play {
  const coh_dqn *dqn;
  coh_evaluation evaluation;
  double epsilon;
  coh_episode *local; // (n_local, episodes a lane)
} play;

// the evaluation's memory of one lane
typedef struct play_lane {
  coh_episodes episodes;
  coh_workspace *workspace;
  double *epsilon;
} play_lane;

static coh_status open_lane(const play *p, int64_t lane, coh_episode *episode, play_lane *l) {
  const coh_dqn *dqn = p->dqn;
  int64_t n = dqn->evaluate.n_rows;
  COH_TRY(coh_episodes_open(&p->evaluation, lane * n, n, episode, &l->episodes));
  COH_TRY(coh_workspace_create(dqn->evaluate.program, &l->workspace));
  COH_TRY(coh_workspace_bind_parameters(l->workspace, dqn->params));
  COH_NEW(l->epsilon, n);
  for (int64_t i = 0; i < n; i++)
    l->epsilon[i] = p->epsilon;
  return COH_OK;
}

static void close_lane(play_lane *l) {
  coh_episodes_close(&l->episodes);
  coh_workspace_destroy(&l->workspace);
  coh_free(l->epsilon);
}

static coh_status play_episodes(const play *p, int64_t lane, play_lane *l) {
  const coh_dqn *dqn = p->dqn;
  coh_episodes *e = &l->episodes;
  coh_key key = coh_key_make(dqn->context->seed, "evaluate");
  float *input = coh_workspace_data(l->workspace, dqn->evaluate.input);
  const float *q = coh_workspace_data(l->workspace, dqn->evaluate.q);
  while (e->n_going > 0) {
    if (p->epsilon < 1) {
      coh_episodes_observe(e, input);
      COH_TRY(coh_program_run(dqn->evaluate.program, l->workspace));
    }
    coh_dqn_choose(key, lane * e->n, e->n_steps, l->epsilon, e->n, dqn->spec.n_actions, q,
                   e->actions);
    COH_TRY(coh_episodes_step(e));
  }
  return COH_OK;
}

static coh_status play_local(void *pointer, int64_t local) {
  const play *p = pointer;
  int64_t lane = p->dqn->context->lanes.first + local;
  play_lane l = {0};
  coh_status status = open_lane(p, lane, p->local + local * p->dqn->evaluate.n_rows, &l);
  if (status == COH_OK) status = play_episodes(p, lane, &l);
  close_lane(&l);
  return status;
}

coh_status coh_dqn_play(coh_dqn *dqn, double epsilon, coh_score *score) {
  const coh_run_context *run = dqn->context;
  const coh_dqn_evaluation *options = &dqn->options->evaluation;
  int64_t n = dqn->evaluate.n_rows, n_local = run->lanes.n_local;
  int64_t n_all = n * run->lanes.n_lanes;
  play p = {.dqn = dqn,
            .evaluation = {&dqn->options->env, run->seed, options->seed, options->max_steps,
                           dqn->options->gamma},
            .epsilon = epsilon,
            .local = coh_alloc_array((size_t)(n * n_local + n_all), sizeof *p.local)};
  coh_status status = p.local ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to evaluate");
  if (status == COH_OK) status = coh_lane_loop(run->n_threads, n_local, play_local, &p);
  status = coh_comm_agree(run->world, status);
  if (status == COH_OK) {
    coh_episode *all = p.local + n * n_local;
    status = coh_lanes_gather(run->world, &run->lanes, p.local, (size_t)n * sizeof *all, all);
    if (status == COH_OK) coh_score_episodes(n_all, all, score);
  }
  coh_free(p.local);
  return status;
}

coh_status coh_dqn_evaluate(void *task, coh_metric_row *exact) {
  coh_dqn *dqn = task;
  COH_TRY(coh_dqn_roles_share(dqn));
  COH_TRY(coh_dqn_play(dqn, dqn->options->evaluation.epsilon, &dqn->score));
  dqn->scored_at = dqn->learner.n_updates;
  coh_score_metrics(&dqn->score, exact);
  return COH_OK;
}

const coh_choice *coh_dqn_environment(const void *task) {
  return &((const coh_dqn *)task)->options->env;
}

static coh_status values(const coh_dqn *dqn, coh_workspace *workspace, int64_t n,
                         const float *states, double *q) {
  int64_t most = dqn->evaluate.n_rows, d = dqn->spec.n_values, n_actions = dqn->spec.n_actions;
  COH_TRY(coh_workspace_bind_parameters(workspace, dqn->params));
  float *input = coh_workspace_data(workspace, dqn->evaluate.input);
  const float *out = coh_workspace_data(workspace, dqn->evaluate.q);
  for (int64_t first = 0; first < n; first += most) {
    int64_t size = first + most < n ? most : n - first;
    memset(input, 0, (size_t)(most * d) * sizeof *input);
    memcpy(input, states + first * d, (size_t)(size * d) * sizeof *input);
    COH_TRY(coh_program_run(dqn->evaluate.program, workspace));
    for (int64_t k = 0; k < size * n_actions; k++)
      q[first * n_actions + k] = (double)out[k];
  }
  return COH_OK;
}

coh_status coh_dqn_values_of(void *task, int64_t n, const float *states, double *q) {
  const coh_dqn *dqn = task;
  coh_workspace *workspace = NULL;
  COH_TRY(coh_workspace_create(dqn->evaluate.program, &workspace));
  coh_status status = values(dqn, workspace, n, states, q);
  coh_workspace_destroy(&workspace);
  return status;
}

coh_status coh_dqn_act_greedily(void *task, int64_t n, const float *states, int32_t *actions) {
  const coh_dqn *dqn = task;
  int64_t n_actions = dqn->spec.n_actions;
  double *q;
  COH_NEW(q, n * n_actions);
  coh_status status = coh_dqn_values_of(task, n, states, q);
  for (int64_t i = 0; i < n && status == COH_OK; i++)
    actions[i] = (int32_t)coh_greedy(q + i * n_actions, n_actions);
  coh_free(q);
  return status;
}
