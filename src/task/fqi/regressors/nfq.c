/* Neural fitted Q: in every iteration a network of all action values is fitted to the whole
 * batch by resilient propagation.
 * Hint to goal: artificial rows that say what the states are worth in which episodes ended best
 * (there nothing more than the last reward is to be had), whatever the action; they hold the
 * values down where a network would extrapolate.
 * Source: Riedmiller, "Neural fitted Q iteration", ECML 2005. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/fqi/batch_network.h"
#include "task/fqi/regressor.h"

typedef struct nfq_options {
  coh_choice_list network;
  coh_choice initializer, optimizer;
  int64_t epochs;
  bool restart;
  double hint;
} nfq_options;

#define FIELD(member) .offset = offsetof(nfq_options, member)
static const coh_option options_table[] = {
    {.name = "network",
     .type = COH_KINDS,
     FIELD(network),
     .initial = "[dense: 20, tanh, dense: 20, tanh]",
     .kinds = &coh_layer_kinds,
     .doc = "Layers; inputs are states, outputs the values of all actions."},
    {.name = "initializer",
     .type = COH_KIND,
     FIELD(initializer),
     .initial = "pytorch",
     .kinds = &coh_initializer_kinds,
     .doc = "How parameters begin."},
    {.name = "optimizer",
     .type = COH_KIND,
     FIELD(optimizer),
     .initial = "rprop",
     .kinds = &coh_optimizer_kinds,
     .doc = "Optimiser of full batches; its state begins again in every iteration."},
    {.name = "epochs",
     .type = COH_INT,
     FIELD(epochs),
     .initial = "100",
     .min = 1,
     .max = 1e6,
     .doc = "Passes over the batch in an iteration."},
    {.name = "restart",
     .type = COH_BOOL,
     FIELD(restart),
     .initial = "false",
     .doc = "Whether parameters begin again in every iteration too."},
    {.name = "hint",
     .type = COH_REAL,
     FIELD(hint),
     .initial = "0.01",
     .max = 1,
     .doc =
         "Hint to goal: artificial rows, as a share of the batch, at most one for every state "
         "in which an episode ended best."},
    {0},
};

typedef struct nfq {
  const coh_fqi_problem *problem;
  const nfq_options *options;
  coh_batch_network net;
  coh_row_parts next_parts;
  int64_t n_hints, *hint; /* rows that ended best */
  float hint_value;
  const double *targets; /* of the fit at hand */
} nfq;

// rows that terminated with the best reward, evenly chosen
static coh_status choose_hints(nfq *q) {
  const coh_transitions *batch = q->problem->batch;
  float best = -INFINITY;
  int64_t n_best = 0, most = (int64_t)(q->options->hint * (double)batch->n_rows);
  for (int64_t i = 0; i < batch->n_rows; i++)
    if (batch->terminated[i] && batch->rewards[i] > best) best = batch->rewards[i];
  for (int64_t i = 0; i < batch->n_rows; i++)
    n_best += batch->terminated[i] && batch->rewards[i] == best;
  q->n_hints = n_best < most ? n_best : most;
  q->hint_value = best;
  COH_NEW(q->hint, q->n_hints);
  int64_t k = 0, seen = 0;
  for (int64_t i = 0; i < batch->n_rows && k < q->n_hints; i++) {
    if (!batch->terminated[i] || batch->rewards[i] != best) continue;
    if (seen++ * q->n_hints / n_best >= k) q->hint[k++] = i;
  }
  q->n_hints = k;
  return COH_OK;
}

static coh_status create(const coh_fqi_problem *problem, const void *options, void **made) {
  nfq *q;
  COH_NEW(q, 1);
  *made = q;
  q->problem = problem;
  q->options = options;
  const coh_transitions *batch = problem->batch;
  COH_TRY(choose_hints(q));
  COH_TRY(
      coh_row_parts_create(problem->context, batch->n_rows, batch->n_actions, &q->next_parts));
  coh_batch_network_config config = {.context = problem->context,
                                     .name = problem->name,
                                     .layers = q->options->network,
                                     .initializer = q->options->initializer,
                                     .optimizer = &q->options->optimizer,
                                     .goal = COH_BATCH_VALUES,
                                     .n_rows = batch->n_rows + q->n_hints,
                                     .n_values = batch->n_values,
                                     .n_outputs = batch->n_actions};
  return coh_batch_network_create(&config, batch->n_rows, batch->states, &q->net);
}

static coh_status connect(void *regressor) {
  return coh_batch_network_connect(&((nfq *)regressor)->net);
}

static void destroy(void **regressor) {
  nfq *q = *regressor;
  coh_batch_network_clear(&q->net);
  coh_row_parts_clear(&q->next_parts);
  coh_free(q->hint);
  COH_DELETE(*regressor);
}

static void fill_rows(const void *context, int64_t first, int64_t n, float *x, float *weight,
                      float *target) {
  const nfq *q = context;
  const coh_transitions *batch = q->problem->batch;
  int64_t d = batch->n_values, n_actions = batch->n_actions;
  size_t bytes = (size_t)d * sizeof *x;
  float share = 1 / (float)(batch->n_rows + q->n_hints);
  for (int64_t k = 0; k < n; k++) {
    int64_t i = first + k;
    if (i < batch->n_rows) {
      memcpy(x + k * d, batch->states + i * d, bytes);
      weight[k * n_actions + batch->actions[i]] = share;
      target[k * n_actions + batch->actions[i]] = (float)q->targets[i];
      continue;
    }
    memcpy(x + k * d, batch->next_states + q->hint[i - batch->n_rows] * d, bytes);
    for (int64_t a = 0; a < n_actions; a++) {
      weight[k * n_actions + a] = share / (float)n_actions;
      target[k * n_actions + a] = q->hint_value;
    }
  }
}

static coh_status next_values(void *context, int64_t local, int64_t first, int64_t last,
                              double *out) {
  nfq *q = context;
  const coh_transitions *batch = q->problem->batch;
  COH_TRY(coh_batch_network_outputs(&q->net, local, last - first,
                                    batch->next_states + first * batch->n_values, out));
  for (int64_t i = first; i < last; i++)
    for (int64_t a = 0; batch->terminated[i] && a < batch->n_actions; a++)
      out[(i - first) * batch->n_actions + a] = 0;
  return COH_OK;
}

static coh_status fit(void *regressor, int64_t iteration, const double *targets, double *next) {
  nfq *q = regressor;
  q->targets = targets;
  COH_TRY(coh_batch_network_restart(&q->net, q->options->restart, (uint64_t)iteration));
  for (int64_t k = 0; k < q->options->epochs; k++)
    COH_TRY(coh_batch_network_epoch(&q->net, fill_rows, q));
  return coh_row_parts_run(&q->next_parts, next_values, q, next);
}

static coh_status values(void *regressor, int64_t n, const float *states, double *out) {
  return coh_batch_network_outputs(&((nfq *)regressor)->net, 0, n, states, out);
}

static coh_status save(void *regressor, coh_saver *saver) {
  return coh_batch_network_save(&((nfq *)regressor)->net, "action values", saver);
}

static coh_status load(void *regressor, coh_loader *loader) {
  return coh_batch_network_load(&((nfq *)regressor)->net, loader);
}

const coh_regressor_type coh_regressor_type_nfq = {
    .kind = {.name = "nfq",
             .doc = "A network fitted to the full batch by Rprop, with hints to the goal "
                    "(Riedmiller 2005).",
             .options = options_table,
             .options_size = sizeof(nfq_options)},
    .create = create,
    .destroy = destroy,
    .connect = connect,
    .fit = fit,
    .values = values,
    .save = save,
    .load = load,
};
