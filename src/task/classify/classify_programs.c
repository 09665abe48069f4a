/* The compiled programs of a classifier: loss and gradient of a lane's slice, and the judgement
 * of a block of rows. Both share one layout of parameters. */
#include "base/alloc.h"
#include "task/classify/classify.h"

static coh_shape batch_shape(const coh_dataset_spec *spec, int64_t n) {
  coh_shape shape = {.rank = spec->n_dims + 1, .size = {n}};
  for (int k = 0; k < spec->n_dims; k++)
    shape.size[k + 1] = spec->shape[k];
  return shape;
}

static coh_compile_options compile_options(const coh_classify *task) {
  return (coh_compile_options){.precision = (coh_precision)task->context->precision};
}

static coh_status build_update(coh_classify *task, coh_graph *graph, coh_classify_update *u) {
  int64_t n = task->lane_rows;
  u->input = coh_graph_input(graph, "input", batch_shape(task->spec, n));
  u->target = coh_graph_input(graph, "target", COH_SHAPE(n, task->n_classes));
  const coh_network_use use = {.n_lanes = task->context->lanes.n_lanes};
  COH_TRY(coh_network_build_for(task->network, graph, u->input, &use, &u->refresh, &u->logits));
  COH_TRY(coh_loss_build(&task->options->loss, graph, u->logits, u->target, &u->losses));
  double share = 1 / (double)task->options->loader.batch;
  coh_value loss = coh_op_scale(graph, coh_op_sum_all(graph, u->losses), share);
  u->n_parameters = coh_graph_n_parameters(graph);
  COH_NEW(u->gradient, u->n_parameters + 2 + u->refresh.n);
  return coh_gradient_parameters(graph, loss, u->gradient);
}

static coh_status compile_update(coh_classify *task) {
  coh_classify_update *u = &task->update;
  COH_TRY(coh_graph_create(&task->layout));
  COH_TRY(build_update(task, task->layout, u));
  u->gradient[u->n_parameters] = u->logits;
  u->gradient[u->n_parameters + 1] = u->losses;
  for (int64_t k = 0; k < u->refresh.n; k++)
    u->gradient[u->n_parameters + 2 + k] = u->refresh.value[k];
  coh_compile_options options = compile_options(task);
  return coh_program_compile(task->layout, u->gradient, u->n_parameters + 2 + u->refresh.n,
                             &options, &u->program);
}

static coh_status compile_judge(coh_classify *task) {
  coh_classify_judge *j = &task->judge;
  coh_graph *graph = NULL;
  COH_TRY(coh_graph_create(&graph));
  j->input = coh_graph_input(graph, "input", batch_shape(task->spec, COH_CLASSIFY_BLOCK));
  const coh_network_use use = {.inference = true};
  coh_status status =
      coh_network_build_for(task->network, graph, j->input, &use, NULL, &j->logits);
  coh_compile_options options = compile_options(task);
  if (status == COH_OK)
    status = coh_program_compile(graph, &j->logits, 1, &options, &j->program);
  coh_graph_destroy(&graph);
  return status;
}

coh_status coh_classify_programs_create(coh_classify *task) {
  COH_TRY(compile_update(task));
  task->n_floats = coh_graph_parameter_floats(task->layout);
  return compile_judge(task);
}

void coh_classify_programs_destroy(coh_classify *task) {
  coh_program_destroy(&task->update.program);
  coh_program_destroy(&task->judge.program);
  coh_free(task->update.gradient);
  coh_graph_destroy(&task->layout);
}
