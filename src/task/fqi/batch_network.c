/* Full-batch networks: blocks of a lane's rows one after the other, one sum over lanes. */
#include "task/fqi/batch_network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "task/lane_loop.h"
#include "task/network_save.h"

enum { MOST_ROWS = 1024 };

// ---- create -------------------------------------------------------------------------------

static coh_compile_options compile_options(const coh_batch_network *net) {
  return (coh_compile_options){.precision = (coh_precision)net->config.context->precision};
}

static coh_status compile_forward(coh_batch_network *net) {
  coh_graph *graph = NULL;
  COH_TRY(coh_graph_create(&graph));
  net->forward_input =
      coh_graph_input(graph, "state", COH_SHAPE(net->n_block, net->config.n_values));
  coh_status status =
      coh_network_build(net->network, graph, net->forward_input, &net->forward_output);
  coh_compile_options options = compile_options(net);
  if (status == COH_OK)
    status = coh_program_compile(graph, &net->forward_output, 1, &options, &net->forward);
  coh_graph_destroy(&graph);
  return status;
}

static coh_value build_loss(const coh_batch_network *net, coh_graph *graph, coh_value output) {
  if (net->config.goal == COH_BATCH_CHOICES)
    return coh_op_neg(graph,
                      coh_op_sum_all(graph, coh_op_mul(graph, net->weight,
                                                       coh_op_log_softmax(graph, output))));
  coh_value error = coh_op_square(graph, coh_op_sub(graph, output, net->target));
  return coh_op_sum_all(graph, coh_op_mul(graph, net->weight, error));
}

static coh_status compile_backward(coh_batch_network *net) {
  COH_TRY(coh_graph_create(&net->layout));
  coh_graph *graph = net->layout;
  int64_t n = net->n_block, n_outputs = net->config.n_outputs;
  net->input = coh_graph_input(graph, "state", COH_SHAPE(n, net->config.n_values));
  net->weight = coh_graph_input(graph, "weight", COH_SHAPE(n, n_outputs));
  if (net->config.goal == COH_BATCH_VALUES)
    net->target = coh_graph_input(graph, "target", COH_SHAPE(n, n_outputs));
  coh_value output;
  COH_TRY(coh_network_build(net->network, graph, net->input, &output));
  net->loss = build_loss(net, graph, output);
  net->n_parameters = coh_graph_n_parameters(graph);
  COH_NEW(net->gradient, net->n_parameters + 1);
  COH_TRY(coh_gradient_parameters(graph, net->loss, net->gradient));
  net->gradient[net->n_parameters] = net->loss;
  coh_compile_options options = compile_options(net);
  return coh_program_compile(graph, net->gradient, net->n_parameters + 1, &options,
                             &net->backward);
}

static coh_status create_lane(coh_batch_network *net, coh_batch_lane *lane) {
  COH_NEW(lane->gradient, net->n_floats);
  COH_TRY(coh_workspace_create(net->forward, &lane->forward));
  COH_TRY(coh_workspace_create(net->backward, &lane->backward));
  COH_TRY(coh_workspace_bind_parameters(lane->forward, net->params));
  COH_TRY(coh_workspace_bind_parameters(lane->backward, net->params));
  return coh_workspace_bind_flat(lane->backward, net->gradient, net->n_parameters,
                                 lane->gradient);
}

static coh_status standardize(coh_batch_network *net, int64_t n, const float *states) {
  int64_t d = net->config.n_values;
  double *sum, *square;
  COH_NEW(net->mean, d);
  COH_NEW(net->scale, d);
  COH_NEW(sum, 2 * d);
  square = sum + d;
  for (int64_t i = 0; i < n; i++) // row by row: rows may lie on disk
    for (int64_t k = 0; k < d; k++)
      sum[k] += (double)states[i * d + k];
  for (int64_t k = 0; k < d; k++)
    sum[k] /= (double)n;
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < d; k++)
      square[k] += ((double)states[i * d + k] - sum[k]) * ((double)states[i * d + k] - sum[k]);
  for (int64_t k = 0; k < d; k++) {
    double mean = sum[k], deviation = sqrt(square[k] / (double)n);
    net->mean[k] = (float)mean;
    net->scale[k] = deviation > 1e-6 * fabs(mean) && deviation > 0 ? (float)(1 / deviation) : 0;
  }
  coh_free(sum);
  return COH_OK;
}

static coh_status fill_network(coh_batch_network *net, int64_t n_states, const float *states) {
  const coh_batch_network_config *config = &net->config;
  const coh_run_context *context = config->context;
  snprintf(net->plain_name, sizeof net->plain_name, "%s", config->name);
  size_t length = strlen(net->plain_name);
  if (length > 0) net->plain_name[length - 1] = 0;
  coh_network_config shape = {.name = length > 0 ? net->plain_name : NULL,
                              .layers = config->layers,
                              .initializer = config->initializer,
                              .input = {.rank = 1, .size = {config->n_values}},
                              .n_outputs = config->n_outputs};
  COH_TRY(coh_network_create(&shape, &net->network));
  COH_TRY(standardize(net, n_states, states));
  COH_TRY(coh_row_parts_create(context, config->n_rows, 0, &net->parts));
  net->n_block = net->parts.part < MOST_ROWS ? net->parts.part : MOST_ROWS;
  COH_TRY(compile_forward(net));
  COH_TRY(compile_backward(net));
  net->n_floats = coh_graph_parameter_floats(net->layout);
  COH_NEW(net->params, net->n_floats);
  COH_TRY(coh_network_initialize(net->network, context->seed, net->params));
  COH_TRY(coh_learner_create(&net->learner, context, config->name, config->optimizer,
                             net->n_floats));
  COH_NEW(net->lane, context->lanes.n_local);
  for (int64_t i = 0; i < context->lanes.n_local; i++)
    COH_TRY(create_lane(net, &net->lane[i]));
  return COH_OK;
}

coh_status coh_batch_network_create(const coh_batch_network_config *config, int64_t n_states,
                                    const float *states, coh_batch_network *net) {
  *net = (coh_batch_network){.config = *config};
  return fill_network(net, n_states, states);
}

coh_status coh_batch_network_connect(coh_batch_network *net) {
  return coh_learner_connect(&net->learner);
}

void coh_batch_network_clear(coh_batch_network *net) {
  for (int64_t i = 0; net->lane && i < net->config.context->lanes.n_local; i++) {
    coh_workspace_destroy(&net->lane[i].forward);
    coh_workspace_destroy(&net->lane[i].backward);
    coh_free(net->lane[i].gradient);
  }
  coh_free(net->lane);
  if (net->learner.context) coh_learner_destroy(&net->learner);
  coh_row_parts_clear(&net->parts);
  coh_program_destroy(&net->forward);
  coh_program_destroy(&net->backward);
  coh_graph_destroy(&net->layout);
  coh_network_destroy(&net->network);
  coh_free(net->gradient), coh_free(net->params), coh_free(net->mean), coh_free(net->scale);
  *net = (coh_batch_network){0};
}

coh_status coh_batch_network_restart(coh_batch_network *net, bool parameters, uint64_t draw) {
  for (int64_t k = 0; k < coh_optimizer_n_moments(net->learner.optimizer); k++)
    memset(coh_optimizer_moment_at(net->learner.optimizer, k).data, 0,
           (size_t)net->n_floats * sizeof(float));
  coh_optimizer_set_steps(net->learner.optimizer, 0);
  net->learner.n_updates = 0;
  if (!parameters) return COH_OK;
  return coh_network_initialize(net->network, net->config.context->seed + (draw << 32),
                                net->params);
}

// ---- run ----------------------------------------------------------------------------------

static void standardize_rows(const coh_batch_network *net, int64_t n, float *x) {
  int64_t d = net->config.n_values;
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < d; k++)
      x[i * d + k] = (x[i * d + k] - net->mean[k]) * net->scale[k];
}

static void fill_block(const coh_batch_network *net, coh_workspace *workspace, int64_t first,
                       int64_t n) {
  bool has_target = net->config.goal == COH_BATCH_VALUES;
  float *x = coh_workspace_data(workspace, net->input);
  float *weight = coh_workspace_data(workspace, net->weight);
  float *target = has_target ? coh_workspace_data(workspace, net->target) : NULL;
  size_t wide = (size_t)(net->n_block * net->config.n_outputs) * sizeof *weight;
  memset(x, 0, (size_t)(net->n_block * net->config.n_values) * sizeof *x);
  memset(weight, 0, wide);
  if (target) memset(target, 0, wide);
  net->fill(net->fill_context, first, n, x, weight, target);
  standardize_rows(net, n, x);
}

static coh_status learn_lane(void *pointer, int64_t local) {
  coh_batch_network *net = pointer;
  coh_batch_lane *lane = &net->lane[local];
  float *block = coh_learner_gradient(&net->learner, local);
  int64_t first, last;
  coh_row_parts_range(&net->parts, local, &first, &last);
  memset(block, 0, (size_t)(net->n_floats + COH_LEARNER_TAIL) * sizeof *block);
  for (int64_t at = first; at < last; at += net->n_block) {
    fill_block(net, lane->backward, at, last - at < net->n_block ? last - at : net->n_block);
    COH_TRY(coh_program_run(net->backward, lane->backward));
    for (int64_t i = 0; i < net->n_floats; i++)
      block[i] += lane->gradient[i];
    block[net->n_floats] += coh_workspace_data(lane->backward, net->loss)[0];
  }
  return COH_OK;
}

coh_status coh_batch_network_epoch(coh_batch_network *net, coh_batch_fill *fill,
                                   const void *context) {
  const coh_run_context *run = net->config.context;
  net->fill = fill;
  net->fill_context = context;
  COH_TRY(coh_lane_loop(run->n_threads, run->lanes.n_local, learn_lane, net));
  return coh_learner_step(&net->learner, net->params, 1);
}

coh_status coh_batch_network_outputs(coh_batch_network *net, int64_t local, int64_t n,
                                     const float *states, double *out) {
  coh_workspace *workspace = net->lane[local].forward;
  float *x = coh_workspace_data(workspace, net->forward_input);
  const float *output = coh_workspace_data(workspace, net->forward_output);
  int64_t d = net->config.n_values, n_outputs = net->config.n_outputs;
  for (int64_t at = 0; at < n; at += net->n_block) {
    int64_t size = n - at < net->n_block ? n - at : net->n_block;
    memcpy(x, states + at * d, (size_t)(size * d) * sizeof *x);
    standardize_rows(net, size, x);
    COH_TRY(coh_program_run(net->forward, workspace));
    for (int64_t i = 0; i < size * n_outputs; i++)
      out[at * n_outputs + i] = (double)output[i];
  }
  return COH_OK;
}

// ---- save ---------------------------------------------------------------------------------

coh_status coh_batch_network_save(coh_batch_network *net, const char *role, coh_saver *saver) {
  coh_network_facts facts = {.role = role};
  COH_TRY(coh_network_save(saver, net->network, net->layout, net->params, &facts));
  return coh_learner_save(&net->learner, saver);
}

coh_status coh_batch_network_load(coh_batch_network *net, coh_loader *loader) {
  COH_TRY(coh_network_load(loader, net->layout, net->params));
  return coh_learner_load(&net->learner, loader);
}
