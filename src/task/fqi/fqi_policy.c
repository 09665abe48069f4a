/* Acting on action values, and playing whole episodes. */
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "task/fqi/fqi.h"
#include "task/lane_loop.h"

enum { BLOCK = 4096 };

coh_status coh_fqi_act(void *task, int64_t n, const float *states, int32_t *actions) {
  coh_fqi *fqi = task;
  int64_t n_actions = fqi->batch->n_actions, d = fqi->batch->n_values;
  int64_t most = n < BLOCK ? n : BLOCK;
  double *q;
  COH_NEW(q, most * n_actions);
  coh_status status = COH_OK;
  for (int64_t begin = 0; begin < n && status == COH_OK; begin += most) {
    int64_t size = n - begin < most ? n - begin : most;
    status = fqi->regressor.type->values(fqi->regressor.state, size, states + begin * d, q);
    for (int64_t i = 0; i < size && status == COH_OK; i++)
      actions[begin + i] = (int32_t)coh_greedy(q + i * n_actions, n_actions);
  }
  coh_free(q);
  return status;
}

// ---- play ---------------------------------------------------------------------------------

// Lane i plays episodes [i m, (i + 1) m). The policy is collective, so every step brings the
// states of all episodes to all ranks.
typedef struct play {
  coh_fqi *fqi;
  coh_evaluation evaluation;
  int64_t n, share;         /* episodes; m */
  coh_episodes *lane;       /* (n_local) */
  coh_episode *local, *all; /* (n_local, m) and (n_lanes, m) */
  float *seen, *known;      /* the same x (n_values + 1): whether it goes on, its state */
  float *asked;             /* (n, n_values): of those that go on, one behind the other */
  int32_t *chosen;          /* (n): their actions */
  int64_t *which;           /* (n): and their numbers */
} play;

static int64_t n_of_lane(const play *p, int64_t lane) {
  int64_t left = p->n - lane * p->share;
  return left < 0 ? 0 : left < p->share ? left : p->share;
}

static coh_status open_play(coh_fqi *fqi, play *p) {
  const coh_lanes *lanes = &fqi->context->lanes;
  const coh_fqi_evaluation *options = &fqi->options->evaluation;
  int64_t n = options->episodes, m = (n + lanes->n_lanes - 1) / lanes->n_lanes;
  int64_t d = fqi->batch->n_values;
  *p = (play){.fqi = fqi,
              .evaluation = {fqi->play_env, fqi->context->seed, options->seed,
                             options->max_steps, fqi->options->gamma},
              .n = n,
              .share = m};
  COH_NEW(p->lane, lanes->n_local);
  COH_NEW(p->local, lanes->n_local * m);
  COH_NEW(p->all, lanes->n_lanes * m);
  COH_NEW(p->seen, lanes->n_local * m * (d + 1));
  COH_NEW(p->known, lanes->n_lanes * m * (d + 1));
  COH_NEW(p->asked, n * d);
  COH_NEW(p->chosen, n);
  COH_NEW(p->which, n);
  for (int64_t i = 0; i < lanes->n_local; i++) {
    int64_t lane = lanes->first + i, n_own = n_of_lane(p, lane);
    if (n_own > 0)
      COH_TRY(
          coh_episodes_open(&p->evaluation, lane * m, n_own, p->local + i * m, &p->lane[i]));
  }
  return COH_OK;
}

static void close_play(play *p) {
  for (int64_t i = 0; p->lane && i < p->fqi->context->lanes.n_local; i++)
    coh_episodes_close(&p->lane[i]);
  coh_free(p->lane), coh_free(p->local), coh_free(p->all), coh_free(p->seen);
  coh_free(p->known), coh_free(p->asked), coh_free(p->chosen), coh_free(p->which);
}

static coh_status observe_lane(void *context, int64_t local) {
  const play *p = context;
  const coh_episodes *e = &p->lane[local];
  int64_t d = p->fqi->batch->n_values;
  float *going = p->seen + local * p->share * (d + 1);
  for (int64_t i = 0; i < e->n; i++)
    going[i] = !e->over[i];
  if (e->n > 0) coh_episodes_observe(e, going + p->share);
  return COH_OK;
}

// the episodes that go on and their states, in order
static coh_status gather(play *p, int64_t *n_asked) {
  const coh_run_context *run = p->fqi->context;
  int64_t d = p->fqi->batch->n_values, piece = p->share * (d + 1), n = 0;
  COH_TRY(coh_lane_loop(run->n_threads, run->lanes.n_local, observe_lane, p));
  COH_TRY(coh_lanes_gather(run->world, &run->lanes, p->seen, (size_t)piece * sizeof *p->seen,
                           p->known));
  for (int64_t i = 0; i < p->n; i++) {
    const float *going = p->known + i / p->share * piece;
    int64_t k = i % p->share;
    if (going[k] == 0) continue;
    memcpy(p->asked + d * n, going + p->share + d * k, (size_t)d * sizeof *p->asked);
    p->which[n++] = i;
  }
  *n_asked = n;
  return COH_OK;
}

static void choose_at_random(play *p, int64_t n, int64_t step) {
  coh_key key = coh_key_make(p->fqi->context->seed, "evaluate");
  for (int64_t k = 0; k < n; k++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)p->which[k], (uint64_t)step);
    p->chosen[k] = (int32_t)coh_stream_below(&stream, p->fqi->batch->n_actions);
  }
}

static coh_status step_lane(void *context, int64_t local) {
  const play *p = context;
  return p->lane[local].n_going > 0 ? coh_episodes_step(&p->lane[local]) : COH_OK;
}

// each lane takes what was chosen for its own
static coh_status step_all(play *p, int64_t n) {
  const coh_run_context *run = p->fqi->context;
  for (int64_t k = 0; k < n; k++) {
    int64_t local = p->which[k] / p->share - run->lanes.first;
    if (local >= 0 && local < run->lanes.n_local)
      p->lane[local].actions[p->which[k] % p->share] = p->chosen[k];
  }
  return coh_comm_agree(run->world,
                        coh_lane_loop(run->n_threads, run->lanes.n_local, step_lane, p));
}

static coh_status play_all(play *p, coh_fqi_policy *policy, void *policy_context,
                           coh_fqi_visit *visit, void *visit_context) {
  const coh_run_context *run = p->fqi->context;
  int64_t n;
  COH_TRY(gather(p, &n));
  for (int64_t step = 0; n > 0; step++) {
    if (policy)
      COH_TRY(policy(policy_context, n, p->asked, p->chosen));
    else
      choose_at_random(p, n, step);
    if (visit) visit(visit_context, n, p->asked, p->chosen);
    COH_TRY(step_all(p, n));
    COH_TRY(gather(p, &n));
  }
  size_t piece = (size_t)p->share * sizeof *p->all;
  return coh_lanes_gather(run->world, &run->lanes, p->local, piece, p->all);
}

coh_status coh_fqi_play(coh_fqi *fqi, coh_fqi_policy *policy, void *policy_context,
                        coh_fqi_visit *visit, void *visit_context, coh_score *score) {
  play p;
  coh_status status = coh_comm_agree(fqi->context->world, open_play(fqi, &p));
  if (status == COH_OK) status = play_all(&p, policy, policy_context, visit, visit_context);
  if (status == COH_OK) coh_score_episodes(p.n, p.all, score);
  close_play(&p);
  return status;
}
