/* The reward network (Wulfmeier, Ondruska and Posner 2015): rewards of all states forward, the
 * likelihood's gradient by reward backward. Lanes share the states, in batches of one shape. */
#include <string.h>

#include "base/alloc.h"
#include "task/irl/irl.h"
#include "task/lane_loop.h"

static coh_status compile_forward(coh_irl *irl, coh_irl_network *net) {
  coh_graph *graph = NULL;
  COH_TRY(coh_graph_create(&graph));
  net->forward_input =
      coh_graph_input(graph, "features", COH_SHAPE(net->n_rows, irl->world.n_features));
  coh_status status =
      coh_network_build(net->network, graph, net->forward_input, &net->forward_output);
  if (status == COH_OK)
    status = coh_program_compile(
        graph, &net->forward_output, 1,
        &(coh_compile_options){.precision = (coh_precision)irl->context->precision},
        &net->forward);
  coh_graph_destroy(&graph);
  return status;
}

static coh_status compile_backward(coh_irl *irl, coh_irl_network *net) {
  coh_graph *graph;
  COH_TRY(coh_graph_create(&net->layout));
  graph = net->layout;
  net->input =
      coh_graph_input(graph, "features", COH_SHAPE(net->n_rows, irl->world.n_features));
  net->seed = coh_graph_input(graph, "seed", COH_SHAPE(net->n_rows, irl->n_columns));
  coh_value output;
  COH_TRY(coh_network_build(net->network, graph, net->input, &output));
  coh_value sum = coh_op_sum_all(graph, coh_op_mul(graph, output, net->seed));
  net->n_parameters = coh_graph_n_parameters(graph);
  COH_NEW(net->gradient, net->n_parameters);
  COH_TRY(coh_gradient_parameters(graph, sum, net->gradient));
  return coh_program_compile(
      graph, net->gradient, net->n_parameters,
      &(coh_compile_options){.precision = (coh_precision)irl->context->precision},
      &net->backward);
}

static coh_status create_lane(coh_irl_network *net, int64_t n_columns, coh_irl_lane *lane) {
  COH_NEW(lane->reward, net->lane_states * n_columns);
  COH_NEW(lane->gradient, net->n_floats);
  COH_TRY(coh_workspace_create(net->forward, &lane->forward));
  COH_TRY(coh_workspace_create(net->backward, &lane->backward));
  COH_TRY(coh_workspace_bind_parameters(lane->forward, net->params));
  COH_TRY(coh_workspace_bind_parameters(lane->backward, net->params));
  return coh_workspace_bind_flat(lane->backward, net->gradient, net->n_parameters,
                                 lane->gradient);
}

coh_status coh_irl_network_create(coh_irl *irl) {
  coh_irl_network *net = &irl->net;
  const coh_run_context *context = irl->context;
  int64_t n_lanes = context->lanes.n_lanes, n_states = irl->world.mdp->n_states;
  coh_network_config config = {.layers = irl->options->network,
                               .initializer = irl->options->initializer,
                               .input = {.rank = 1, .size = {irl->world.n_features}},
                               .n_outputs = irl->n_columns};
  COH_TRY(coh_network_create(&config, &net->network));
  net->lane_states = (n_states + n_lanes - 1) / n_lanes;
  net->n_rows = net->lane_states < COH_IRL_BATCH ? net->lane_states : COH_IRL_BATCH;
  COH_TRY(compile_forward(irl, net));
  COH_TRY(compile_backward(irl, net));
  net->n_floats = coh_graph_parameter_floats(net->layout);
  COH_NEW(net->params, net->n_floats);
  COH_NEW(net->rewards, n_lanes * net->lane_states * irl->n_columns);
  COH_NEW(net->seeds, n_lanes * net->lane_states * irl->n_columns);
  COH_TRY(coh_network_initialize(net->network, context->seed, net->params));
  COH_TRY(
      coh_learner_create(&net->learner, context, "", &irl->options->optimizer, net->n_floats));
  COH_NEW(net->lane, context->lanes.n_local);
  for (int64_t i = 0; i < context->lanes.n_local; i++)
    COH_TRY(create_lane(net, irl->n_columns, &net->lane[i]));
  return COH_OK;
}

void coh_irl_network_destroy(coh_irl *irl) {
  coh_irl_network *net = &irl->net;
  for (int64_t i = 0; net->lane && i < irl->context->lanes.n_local; i++) {
    coh_workspace_destroy(&net->lane[i].forward);
    coh_workspace_destroy(&net->lane[i].backward);
    coh_free(net->lane[i].reward), coh_free(net->lane[i].gradient);
  }
  coh_free(net->lane);
  if (net->learner.context) coh_learner_destroy(&net->learner);
  coh_program_destroy(&net->forward);
  coh_program_destroy(&net->backward);
  coh_free(net->gradient), coh_free(net->params);
  coh_free(net->rewards), coh_free(net->seeds);
  coh_graph_destroy(&net->layout);
  coh_network_destroy(&net->network);
}

// features of n states from `first`, zeros up to the batch
static void fill_features(const coh_irl_world *world, int64_t first, int64_t n, int64_t n_rows,
                          float *to) {
  int64_t width = world->n_features;
  memset(to, 0, (size_t)(n_rows * width) * sizeof *to);
  if (world->features)
    memcpy(to, world->features + first * width, (size_t)(n * width) * sizeof *to);
  else
    for (int64_t s = 0; s < n; s++)
      to[s * width + world->feature[first + s]] = 1;
}

// rewards of states [first, last) into reward, whose row 0 is state `first`
static coh_status run_forward(const coh_irl *irl, const coh_irl_world *world,
                              coh_workspace *workspace, int64_t first, int64_t last,
                              float *reward) {
  const coh_irl_network *net = &irl->net;
  float *input = coh_workspace_data(workspace, net->forward_input);
  const float *output = coh_workspace_data(workspace, net->forward_output);
  for (int64_t at = first; at < last; at += net->n_rows) {
    int64_t n = last - at < net->n_rows ? last - at : net->n_rows;
    fill_features(world, at, n, net->n_rows, input);
    COH_TRY(coh_program_run(net->forward, workspace));
    memcpy(reward + (at - first) * irl->n_columns, output,
           (size_t)(n * irl->n_columns) * sizeof *reward);
  }
  return COH_OK;
}

static void lane_range(const coh_irl *irl, int64_t local, int64_t *first, int64_t *last) {
  int64_t n_states = irl->world.mdp->n_states, index = irl->context->lanes.first + local;
  *first = index * irl->net.lane_states;
  *last = *first + irl->net.lane_states;
  if (*first > n_states) *first = n_states;
  if (*last > n_states) *last = n_states;
}

static coh_status forward_lane(void *pointer, int64_t local) {
  coh_irl *irl = pointer;
  coh_irl_lane *lane = &irl->net.lane[local];
  int64_t first, last;
  lane_range(irl, local, &first, &last);
  return run_forward(irl, &irl->world, lane->forward, first, last, lane->reward);
}

static void spread(const coh_irl *irl, const coh_mdp *mdp, const float *by_state,
                   double *reward) {
  for (int64_t s = 0; s < mdp->n_states; s++)
    for (int64_t row = mdp->first_row[s]; row < mdp->first_row[s + 1]; row++) {
      int64_t column = irl->n_columns == 1 ? 0 : mdp->action[row];
      reward[row] = (double)by_state[s * irl->n_columns + column];
    }
}

coh_status coh_irl_network_rewards(coh_irl *irl, double *reward) {
  coh_irl_network *net = &irl->net;
  const coh_run_context *context = irl->context;
  size_t n_bytes = (size_t)(net->lane_states * irl->n_columns) * sizeof(float);
  COH_TRY(coh_lane_loop(context->n_threads, context->lanes.n_local, forward_lane, irl));
  // pieces of one rank lie one behind the other
  char *local = (char *)net->seeds;
  for (int64_t i = 0; i < context->lanes.n_local; i++)
    memcpy(local + (size_t)i * n_bytes, net->lane[i].reward, n_bytes);
  COH_TRY(coh_lanes_gather(context->world, &context->lanes, local, n_bytes, net->rewards));
  spread(irl, irl->world.mdp, net->rewards, reward);
  return COH_OK;
}

coh_status coh_irl_network_rewards_on(coh_irl *irl, const coh_irl_world *world,
                                      double *reward) {
  int64_t n = world->mdp->n_states;
  float *by_state;
  COH_NEW(by_state, n * irl->n_columns);
  coh_status status = run_forward(irl, world, irl->net.lane[0].forward, 0, n, by_state);
  if (status == COH_OK) spread(irl, world->mdp, by_state, reward);
  coh_free(by_state);
  return status;
}

static coh_status backward_lane(void *pointer, int64_t local) {
  coh_irl *irl = pointer;
  coh_irl_network *net = &irl->net;
  coh_irl_lane *lane = &net->lane[local];
  float *block = coh_learner_gradient(&net->learner, local);
  float *input = coh_workspace_data(lane->backward, net->input);
  float *seed = coh_workspace_data(lane->backward, net->seed);
  int64_t first, last, n_columns = irl->n_columns;
  lane_range(irl, local, &first, &last);
  memset(block, 0, (size_t)(net->n_floats + COH_LEARNER_TAIL) * sizeof *block);
  for (int64_t at = first; at < last; at += net->n_rows) {
    int64_t n = last - at < net->n_rows ? last - at : net->n_rows;
    fill_features(&irl->world, at, n, net->n_rows, input);
    memset(seed, 0, (size_t)(net->n_rows * n_columns) * sizeof *seed);
    memcpy(seed, net->seeds + at * n_columns, (size_t)(n * n_columns) * sizeof *seed);
    COH_TRY(coh_program_run(net->backward, lane->backward));
    for (int64_t i = 0; i < net->n_floats; i++)
      block[i] += lane->gradient[i];
  }
  if (irl->context->lanes.first + local > 0) return COH_OK;
  // the penalty's gradient and the loss count once
  for (int64_t i = 0; i < net->n_floats; i++)
    block[i] += (float)irl->options->l2 * net->params[i];
  block[net->n_floats] = (float)-irl->objective;
  return COH_OK;
}

coh_status coh_irl_network_step(coh_irl *irl, const double *by_row, double objective) {
  const coh_mdp *mdp = irl->world.mdp;
  coh_irl_network *net = &irl->net;
  irl->objective = objective;
  memset(net->seeds, 0, (size_t)(mdp->n_states * irl->n_columns) * sizeof *net->seeds);
  for (int64_t s = 0; s < mdp->n_states; s++)
    for (int64_t row = mdp->first_row[s]; row < mdp->first_row[s + 1]; row++) {
      int64_t column = irl->n_columns == 1 ? 0 : mdp->action[row];
      net->seeds[s * irl->n_columns + column] -= (float)by_row[row]; // a loss to be lowered
    }
  COH_TRY(
      coh_lane_loop(irl->context->n_threads, irl->context->lanes.n_local, backward_lane, irl));
  return coh_learner_step(&net->learner, net->params, 1);
}
