/* Acting on action values, and playing whole episodes. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "task/fqi/fqi.h"

enum { BLOCK = 4096 };

int64_t coh_fqi_argmax(const double *values, int64_t n) {
  int64_t best = 0;
  for (int64_t k = 1; k < n; k++)
    if (values[k] > values[best]) best = k;
  return best;
}

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
      actions[begin + i] = (int32_t)coh_fqi_argmax(q + i * n_actions, n_actions);
  }
  coh_free(q);
  return status;
}

// ---- play ---------------------------------------------------------------------------------

typedef struct play {
  coh_fqi *fqi;
  coh_env *env;
  coh_env_spec spec;
  int64_t n;
  uint8_t *rows, *terminated, *truncated, *over;
  float *states, *asked, *rewards; /* asked: the states of episodes that are not over */
  int32_t *actions, *chosen;
  double *returns, *discounted, *lengths;
} play;

static coh_status open_play(coh_fqi *fqi, play *p) {
  int64_t n = fqi->options->evaluation.episodes;
  uint64_t seed = fqi->context->seed ^ (uint64_t)fqi->options->evaluation.seed << 20;
  *p = (play){.fqi = fqi, .n = n};
  COH_TRY(coh_env_create(fqi->play_env, n, 0, seed, &p->env));
  p->spec = *coh_env_spec_of(p->env);
  COH_NEW(p->rows, (size_t)n * p->spec.observation_bytes);
  COH_NEW(p->terminated, n);
  COH_NEW(p->truncated, n);
  COH_NEW(p->over, n);
  COH_NEW(p->states, n * p->spec.n_values);
  COH_NEW(p->asked, n * p->spec.n_values);
  COH_NEW(p->rewards, n);
  COH_NEW(p->actions, n);
  COH_NEW(p->chosen, n);
  COH_NEW(p->returns, n);
  COH_NEW(p->discounted, n);
  COH_NEW(p->lengths, n);
  return COH_OK;
}

static void close_play(play *p) {
  coh_env_destroy(&p->env);
  coh_free(p->rows), coh_free(p->terminated), coh_free(p->truncated), coh_free(p->over);
  coh_free(p->states), coh_free(p->asked), coh_free(p->rewards);
  coh_free(p->actions), coh_free(p->chosen);
  coh_free(p->returns), coh_free(p->discounted), coh_free(p->lengths);
}

// actions of the episodes that go on; the others take any
static coh_status choose(play *p, coh_fqi_policy *policy, void *context, int64_t step,
                         int64_t *n_asked) {
  int64_t d = p->spec.n_values, n = 0;
  coh_env_expand(&p->spec, p->n, p->rows, p->states);
  for (int64_t i = 0; i < p->n; i++)
    if (!p->over[i])
      memcpy(p->asked + d * n++, p->states + d * i, (size_t)d * sizeof *p->asked);
  *n_asked = n;
  if (policy) COH_TRY(policy(context, n, p->asked, p->chosen));
  coh_key key = coh_key_make(p->fqi->context->seed, "evaluate");
  for (int64_t i = 0, k = 0; i < p->n; i++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)i, (uint64_t)step);
    p->actions[i] = 0;
    if (p->over[i]) continue;
    if (!policy) p->chosen[k] = (int32_t)coh_stream_below(&stream, p->spec.n_actions);
    p->actions[i] = p->chosen[k++];
  }
  return COH_OK;
}

// mean and normal 95% interval
static void summarize(const play *p, coh_fqi_score *score) {
  double n = (double)p->n, square = 0;
  *score = (coh_fqi_score){.n_episodes = p->n};
  for (int64_t i = 0; i < p->n; i++) {
    score->mean += p->returns[i] / n;
    score->discounted += p->discounted[i] / n;
    score->length += p->lengths[i] / n;
  }
  for (int64_t i = 0; i < p->n; i++)
    square += (p->returns[i] - score->mean) * (p->returns[i] - score->mean);
  double error = p->n > 1 ? sqrt(square / (n - 1) / n) : 0;
  score->low = score->mean - 1.96 * error;
  score->high = score->mean + 1.96 * error;
}

static coh_status play_all(play *p, coh_fqi_policy *policy, void *policy_context,
                           coh_fqi_visit *visit, void *visit_context) {
  const coh_fqi_options *options = p->fqi->options;
  int64_t left = p->n, n_asked;
  double discount = 1;
  coh_env_reset(p->env, p->rows);
  for (int64_t step = 0; left > 0 && step < options->evaluation.max_steps; step++) {
    COH_TRY(choose(p, policy, policy_context, step, &n_asked));
    if (visit) visit(visit_context, n_asked, p->asked, p->chosen);
    COH_TRY(coh_env_step(p->env, p->actions, p->rows, p->rewards, p->terminated, p->truncated));
    for (int64_t i = 0; i < p->n; i++) {
      if (p->over[i]) continue;
      p->returns[i] += (double)p->rewards[i];
      p->discounted[i] += discount * (double)p->rewards[i];
      p->lengths[i]++;
      p->over[i] = p->terminated[i] | p->truncated[i];
      left -= p->over[i];
    }
    coh_env_reset_ended(p->env, p->rows);
    discount *= options->gamma;
  }
  return COH_OK;
}

coh_status coh_fqi_play(coh_fqi *fqi, coh_fqi_policy *policy, void *policy_context,
                        coh_fqi_visit *visit, void *visit_context, coh_fqi_score *score) {
  play p;
  coh_status status = coh_comm_agree(fqi->context->world, open_play(fqi, &p));
  if (status == COH_OK) status = play_all(&p, policy, policy_context, visit, visit_context);
  if (status == COH_OK) summarize(&p, score);
  close_play(&p);
  return status;
}
