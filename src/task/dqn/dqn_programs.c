/* The compiled programs of deep Q-learning: values for acting, for targets and for evaluation,
 * and the update. All share one layout of parameters, so one flat block serves them. */
#include "base/alloc.h"
#include "task/dqn/dqn.h"

// (n, shape of an observation)
static coh_shape batch_shape(const coh_env_spec *spec, int64_t n) {
  coh_shape shape = {.rank = (int)spec->n_dims + 1, .size = {n}};
  for (int64_t k = 0; k < spec->n_dims; k++)
    shape.size[k + 1] = spec->shape[k];
  return shape;
}

static coh_status compile_values(coh_dqn *dqn, int64_t n, coh_dqn_values *values) {
  coh_graph *graph = NULL;
  COH_TRY(coh_graph_create(&graph));
  values->n_rows = n;
  values->input = coh_graph_input(graph, "observation", batch_shape(&dqn->spec, n));
  const coh_network_use use = {.inference = true};
  coh_status status =
      coh_network_build_for(dqn->network, graph, values->input, &use, NULL, &values->q);
  if (status == COH_OK)
    status = coh_program_compile(
        graph, &values->q, 1,
        &(coh_compile_options){.precision = (coh_precision)dqn->context->precision},
        &values->program);
  coh_graph_destroy(&graph);
  return status;
}

static coh_status build_update(coh_dqn *dqn, coh_graph *graph, coh_dqn_update *update) {
  int64_t n = dqn->lane_rows, n_actions = dqn->spec.n_actions;
  update->input = coh_graph_input(graph, "observation", batch_shape(&dqn->spec, n));
  update->action = coh_graph_input(graph, "action", COH_SHAPE(n, n_actions));
  update->target = coh_graph_input(graph, "target", COH_SHAPE(n));
  update->weight = coh_graph_input(graph, "weight", COH_SHAPE(n));
  const coh_network_use use = {.n_lanes = dqn->context->lanes.n_lanes};
  COH_TRY(coh_network_build_for(dqn->network, graph, update->input, &use, &update->refresh,
                                &update->q));
  // Q(s, a) = sum over actions of q x one-hot
  const int axis = 1;
  update->chosen =
      coh_op_sum(graph, coh_op_mul(graph, update->q, update->action), &axis, 1, false);
  COH_TRY(coh_loss_build(&dqn->options->loss, graph, update->chosen, update->target,
                         &update->losses));
  coh_value loss = coh_op_sum_all(graph, coh_op_mul(graph, update->losses, update->weight));
  update->n_parameters = coh_graph_n_parameters(graph);
  COH_NEW(update->gradient, update->n_parameters);
  return coh_gradient_parameters(graph, loss, update->gradient);
}

static coh_status compile_update(coh_dqn *dqn, coh_dqn_update *update) {
  coh_graph *graph = NULL;
  COH_TRY(coh_graph_create(&graph));
  coh_status status = build_update(dqn, graph, update);
  coh_value *outputs = NULL;
  int64_t n_outputs = update->n_parameters + 3 + update->refresh.n;
  if (status == COH_OK) {
    outputs = coh_alloc_array((size_t)n_outputs, sizeof *outputs);
    if (!outputs) status = coh_fail(COH_E_MEMORY, "out of memory for the update's program");
  }
  if (status == COH_OK) {
    for (int64_t k = 0; k < update->n_parameters; k++)
      outputs[k] = update->gradient[k];
    outputs[update->n_parameters] = update->q;
    outputs[update->n_parameters + 1] = update->chosen;
    outputs[update->n_parameters + 2] = update->losses;
    for (int64_t k = 0; k < update->refresh.n; k++)
      outputs[update->n_parameters + 3 + k] = update->refresh.value[k];
    status = coh_program_compile(
        graph, outputs, n_outputs,
        &(coh_compile_options){.precision = (coh_precision)dqn->context->precision},
        &update->program);
  }
  coh_free(outputs);
  if (status == COH_OK)
    dqn->layout = graph; // names and places of the parameters, for checkpoints
  else
    coh_graph_destroy(&graph);
  return status;
}

coh_status coh_dqn_programs_create(coh_dqn *dqn) {
  int64_t n_lanes = dqn->context->lanes.n_lanes;
  int64_t episodes = (dqn->options->evaluation.episodes + n_lanes - 1) / n_lanes;
  COH_TRY(compile_values(dqn, dqn->lane_envs, &dqn->act));
  COH_TRY(compile_values(dqn, dqn->lane_rows, &dqn->value));
  COH_TRY(compile_values(dqn, episodes, &dqn->evaluate));
  COH_TRY(compile_update(dqn, &dqn->update));
  dqn->n_floats = coh_graph_parameter_floats(dqn->layout);
  return COH_OK;
}

void coh_dqn_programs_destroy(coh_dqn *dqn) {
  coh_program_destroy(&dqn->act.program);
  coh_program_destroy(&dqn->value.program);
  coh_program_destroy(&dqn->evaluate.program);
  coh_program_destroy(&dqn->update.program);
  coh_free(dqn->update.gradient);
  coh_graph_destroy(&dqn->layout);
}
