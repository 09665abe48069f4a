/* The discriminator of imitation as one program: logits and rewards of the expert's and the
 * agent's rows, and the gradient of its loss and penalties. */
#include <string.h>

#include "base/alloc.h"
#include "task/dqn/imitation.h"
#include "task/gan/gan_kinds.h"

/* The end's logit is the log of a ratio of counts; smoothed, it stays within about 3. */
static const double END_SMOOTHING = 0.05;

typedef struct plan {
  coh_imitation *it;
  coh_graph *g;
  int64_t n;
  coh_value logits, rewards; /* of all rows */
} plan;

static const coh_gan_loss_type *loss_type(const coh_imitation *it) {
  return (const coh_gan_loss_type *)(const void *)it->config.options->loss.kind;
}

static const coh_gan_regularizer_type *regularizer_type(const coh_imitation *it, int64_t k) {
  return (const coh_gan_regularizer_type *)(const void *)it->config.options->regularizers
      .item[k]
      .kind;
}

static coh_status value_of(const coh_network *network, coh_graph *g, coh_value x,
                           coh_value *out) {
  COH_TRY(coh_network_build(network, g, x, out));
  *out = coh_op_reshape(g, *out, COH_SHAPE(coh_graph_shape(g, x).size[0]));
  return coh_graph_status(g);
}

// rows (m, state, action, next state), ends and log pi (m) -> logits, and rewards where wanted
static coh_status judge(const plan *p, coh_value rows, coh_value ends, coh_value policy,
                        coh_value *logits, coh_value *rewards) {
  const coh_imitation_config *c = &p->it->config;
  coh_graph *g = p->g;
  int64_t d = c->n_values, seen = c->options->on_actions ? d + c->n_actions : d;
  COH_TRY(value_of(p->it->reward, g, coh_op_slice(g, rows, 1, 0, seen), logits));
  if (c->options->method == COH_IMITATION_AIRL) {
    coh_value now, later;
    int64_t next = d + c->n_actions;
    COH_TRY(value_of(p->it->shaping, g, coh_op_slice(g, rows, 1, 0, d), &now));
    COH_TRY(value_of(p->it->shaping, g, coh_op_slice(g, rows, 1, next, next + d), &later));
    later = coh_op_mul(g, later, coh_op_affine(g, ends, -c->gamma, c->gamma));
    *rewards = coh_op_add(g, *logits, coh_op_sub(g, later, now));
    *logits = coh_op_sub(g, *rewards, policy);
    return coh_graph_status(g);
  }
  *rewards = *logits;
  if (c->options->reward == COH_IMITATION_POSITIVE) *rewards = coh_op_softplus(g, *logits);
  if (c->options->reward == COH_IMITATION_NEGATIVE)
    *rewards = coh_op_neg(g, coh_op_softplus(g, coh_op_neg(g, *logits)));
  return coh_graph_status(g);
}

static coh_value squares_of(const plan *p, coh_value slopes) {
  return coh_op_sum(p->g, coh_op_square(p->g, slopes), (int[]){1}, 1, false);
}

// |d logit / d row|^2 of the rows where a penalty looks
static coh_status squares_at(const plan *p, coh_gan_where where, coh_value *squares) {
  coh_imitation *it = p->it;
  coh_graph *g = p->g;
  coh_value rows = it->rows, logits = p->logits, slopes, unused;
  int64_t n = p->n;
  if (where == COH_GAN_BETWEEN) {
    if (it->mix == COH_NO_VALUE) it->mix = coh_graph_input(g, "mix", COH_SHAPE(n));
    coh_value expert = coh_op_slice(g, rows, 0, 0, n),
              agent = coh_op_slice(g, rows, 0, n, 2 * n);
    coh_value way = coh_op_reshape(g, it->mix, COH_SHAPE(n, 1));
    rows = coh_op_add(g, agent, coh_op_mul(g, way, coh_op_sub(g, expert, agent)));
    coh_value policy =
        it->policy == COH_NO_VALUE ? COH_NO_VALUE : coh_op_slice(g, it->policy, 0, 0, n);
    COH_TRY(judge(p, rows, coh_op_slice(g, it->ends, 0, 0, n), policy, &logits, &unused));
  }
  COH_TRY(coh_gradient(g, coh_op_sum_all(g, logits), &rows, 1, &slopes));
  *squares = squares_of(p, slopes);
  if (where == COH_GAN_AT_REAL) *squares = coh_op_slice(g, *squares, 0, 0, n);
  if (where == COH_GAN_AT_FAKE) *squares = coh_op_slice(g, *squares, 0, n, 2 * n);
  return coh_graph_status(g);
}

// the log loss of the end's logit, one value a pair of rows
static coh_value end_loss(const plan *p, coh_value end) {
  coh_graph *g = p->g;
  coh_value expert = coh_op_slice(g, p->it->ends, 0, 0, p->n);
  coh_value agent = coh_op_slice(g, p->it->ends, 0, p->n, 2 * p->n);
  coh_value yes = coh_op_softplus(g, coh_op_neg(g, end)), no = coh_op_softplus(g, end);
  coh_value blend[2];
  for (int k = 0; k < 2; k++)
    blend[k] = coh_op_add(g, coh_op_scale(g, k ? no : yes, 1 - END_SMOOTHING),
                          coh_op_scale(g, k ? yes : no, END_SMOOTHING));
  return coh_op_add(g, coh_op_mul(g, expert, blend[0]), coh_op_mul(g, agent, blend[1]));
}

static coh_status build_losses(plan *p) {
  coh_imitation *it = p->it;
  coh_graph *g = p->g;
  const coh_choice_list *list = &it->config.options->regularizers;
  coh_value expert = coh_op_slice(g, p->logits, 0, 0, p->n);
  coh_value agent = coh_op_slice(g, p->logits, 0, p->n, 2 * p->n), unused;
  loss_type(it)->build(it->config.options->loss.options, g, expert, agent, &it->losses,
                       &unused);
  for (int64_t k = 0; k < list->n_items; k++) {
    coh_value squares;
    COH_TRY(squares_at(p, regularizer_type(it, k)->where, &squares));
    it->losses = coh_op_add(g, it->losses,
                            regularizer_type(it, k)->build(list->item[k].options, g, squares));
  }
  coh_value end = coh_graph_parameter(g, "end", COH_SHAPE(1));
  it->losses = coh_op_add(g, it->losses, end_loss(p, end));
  it->end = coh_op_affine(g, end, 1, 0);
  return coh_graph_status(g);
}

static coh_status build(plan *p) {
  coh_imitation *it = p->it;
  const coh_imitation_config *c = &it->config;
  coh_graph *g = p->g;
  int64_t width = 2 * c->n_values + c->n_actions;
  it->rows = coh_graph_input(g, "rows", COH_SHAPE(2 * p->n, width));
  it->ends = coh_graph_input(g, "ends", COH_SHAPE(2 * p->n));
  it->policy = it->mix = COH_NO_VALUE;
  if (c->options->method == COH_IMITATION_AIRL)
    it->policy = coh_graph_input(g, "log_policy", COH_SHAPE(2 * p->n));
  COH_TRY(judge(p, it->rows, it->ends, it->policy, &p->logits, &p->rewards));
  it->logits = p->logits;
  it->rewards = coh_op_affine(g, p->rewards, 1, 0);
  COH_TRY(build_losses(p));
  coh_value loss = coh_op_scale(g, coh_op_sum_all(g, it->losses), 1 / (double)c->batch);
  it->n_parameters = coh_graph_n_parameters(g);
  it->n_floats = coh_graph_parameter_floats(g);
  COH_NEW(it->gradient, it->n_parameters + 4);
  return coh_gradient_parameters(g, loss, it->gradient);
}

static coh_status create_network(const coh_imitation *it, const char *name, int64_t n_inputs,
                                 coh_network **network) {
  const coh_network_config config = {.name = name,
                                     .layers = it->config.options->network,
                                     .input = COH_SHAPE(n_inputs),
                                     .n_outputs = 1};
  return coh_network_create(&config, network);
}

coh_status coh_imitation_build(coh_imitation *it) {
  const coh_imitation_config *c = &it->config;
  int64_t seen = c->n_values + (c->options->on_actions ? c->n_actions : 0);
  bool is_airl = c->options->method == COH_IMITATION_AIRL;
  COH_TRY(create_network(it, is_airl ? "reward" : "discriminator", seen, &it->reward));
  if (is_airl) COH_TRY(create_network(it, "shaping", c->n_values, &it->shaping));
  COH_TRY(coh_graph_create(&it->layout));
  coh_value unused;
  COH_TRY(coh_network_build(it->reward, it->layout,
                            coh_graph_input(it->layout, "input", COH_SHAPE(1, seen)), &unused));
  COH_TRY(coh_graph_create(&it->graph));
  plan p = {.it = it, .g = it->graph, .n = c->lane_rows};
  COH_TRY(build(&p));
  coh_value *outputs = it->gradient; // the gradient first, the rest in the room behind it
  const coh_value more[] = {it->logits, it->rewards, it->end, it->losses};
  memcpy(outputs + it->n_parameters, more, sizeof more);
  return coh_program_compile(it->graph, outputs, it->n_parameters + 4, NULL, &it->program);
}
