/* How far the data reaches: a clone of the behaviour, by cross-entropy of its choices, says how
 * often it takes the actions that the greedy policy wants. An action has support where it is
 * not much rarer than the state's likeliest (the rule of Fujimoto et al. 2019, "Benchmarking
 * batch deep reinforcement learning algorithms"). */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/fqi/batch_network.h"
#include "task/fqi/fqi.h"

enum { BLOCK = 4096 };

typedef struct clone {
  coh_fqi *fqi;
  coh_batch_network net;
  double *logits; /* (BLOCK, n_actions) */
  int32_t *wanted;
  int64_t n_seen, n_outside; /* of states and greedy actions that were looked at */
  coh_status status;
} clone;

static coh_status open_clone(coh_fqi *fqi, clone *c) {
  const coh_transitions *batch = fqi->batch;
  const coh_fqi_cloning *options = &fqi->options->cloning;
  *c = (clone){.fqi = fqi};
  COH_NEW(c->logits, BLOCK * batch->n_actions);
  COH_NEW(c->wanted, BLOCK);
  coh_batch_network_config config = {.context = fqi->context,
                                     .name = "clone.",
                                     .layers = options->network,
                                     .initializer = options->initializer,
                                     .optimizer = &options->optimizer,
                                     .goal = COH_BATCH_CHOICES,
                                     .n_rows = batch->n_rows,
                                     .n_values = batch->n_values,
                                     .n_outputs = batch->n_actions};
  return coh_batch_network_create(&config, batch->n_rows, batch->states, &c->net);
}

static void fill_rows(const void *context, int64_t first, int64_t n, float *x, float *weight,
                      float *target) {
  const coh_transitions *batch = ((const clone *)context)->fqi->batch;
  (void)target;
  memcpy(x, batch->states + first * batch->n_values, (size_t)(n * batch->n_values) * sizeof *x);
  for (int64_t k = 0; k < n; k++)
    weight[k * batch->n_actions + batch->actions[first + k]] = 1 / (float)batch->n_rows;
}

// log-probability of an action, and whether it has support
static double log_probability(const double *logits, int64_t n, int64_t action) {
  double largest = logits[coh_greedy(logits, n)], sum = 0;
  for (int64_t a = 0; a < n; a++)
    sum += exp(logits[a] - largest);
  return logits[action] - largest - log(sum);
}

static void look(clone *c, int64_t n, const float *states, const int32_t *actions) {
  int64_t n_actions = c->fqi->batch->n_actions, d = c->fqi->batch->n_values;
  double least = log(c->fqi->options->cloning.support);
  for (int64_t begin = 0; begin < n && c->status == COH_OK; begin += BLOCK) {
    int64_t size = n - begin < BLOCK ? n - begin : BLOCK;
    c->status = coh_batch_network_outputs(&c->net, 0, size, states + begin * d, c->logits);
    for (int64_t i = 0; i < size && c->status == COH_OK; i++) {
      const double *row = c->logits + i * n_actions;
      c->n_outside += row[actions[begin + i]] - row[coh_greedy(row, n_actions)] < least;
    }
    c->n_seen += size;
  }
}

static void look_while_playing(void *context, int64_t n, const float *states,
                               const int32_t *actions) {
  look(context, n, states, actions);
}

static coh_status act_like_clone(void *context, int64_t n, const float *states,
                                 int32_t *actions) {
  clone *c = context;
  int64_t n_actions = c->fqi->batch->n_actions, d = c->fqi->batch->n_values;
  for (int64_t begin = 0; begin < n; begin += BLOCK) {
    int64_t size = n - begin < BLOCK ? n - begin : BLOCK;
    COH_TRY(coh_batch_network_outputs(&c->net, 0, size, states + begin * d, c->logits));
    for (int64_t i = 0; i < size; i++)
      actions[begin + i] = (int32_t)coh_greedy(c->logits + i * n_actions, n_actions);
  }
  return COH_OK;
}

static coh_status measure_batch(clone *c, coh_fqi_support *support) {
  coh_fqi *fqi = c->fqi;
  const coh_transitions *batch = fqi->batch;
  int64_t d = batch->n_values, n_actions = batch->n_actions;
  double sum = 0;
  for (int64_t begin = 0; begin < batch->n_rows; begin += BLOCK) {
    int64_t size = batch->n_rows - begin < BLOCK ? batch->n_rows - begin : BLOCK;
    const float *states = batch->states + begin * d;
    COH_TRY(coh_fqi_act(fqi, size, states, c->wanted));
    look(c, size, states, c->wanted);
    COH_TRY(c->status);
    for (int64_t i = 0; i < size; i++)
      sum += log_probability(c->logits + i * n_actions, n_actions, batch->actions[begin + i]);
  }
  support->likelihood = sum / (double)batch->n_rows;
  support->uniform = -log((double)n_actions);
  support->outside = (double)c->n_outside / (double)c->n_seen;
  return COH_OK;
}

static coh_status measure(clone *c, coh_fqi_support *support) {
  coh_fqi *fqi = c->fqi;
  for (int64_t k = 0; k < fqi->options->cloning.epochs; k++)
    COH_TRY(coh_batch_network_epoch(&c->net, fill_rows, c));
  COH_TRY(measure_batch(c, support));
  support->played = NAN;
  if (!fqi->play_env) return COH_OK;
  coh_score unused;
  c->n_seen = c->n_outside = 0;
  COH_TRY(coh_fqi_play(fqi, coh_fqi_act, fqi, look_while_playing, c, &unused));
  COH_TRY(c->status);
  support->played = (double)c->n_outside / (double)c->n_seen;
  return coh_fqi_play(fqi, act_like_clone, c, NULL, NULL, &support->clone);
}

coh_status coh_fqi_measure_support(coh_fqi *fqi, coh_fqi_support *support) {
  clone c;
  coh_status status = coh_comm_agree(fqi->context->world, open_clone(fqi, &c));
  if (status == COH_OK) status = coh_batch_network_connect(&c.net);
  if (status == COH_OK) status = measure(&c, support);
  coh_batch_network_clear(&c.net);
  coh_free(c.logits), coh_free(c.wanted);
  return status;
}
