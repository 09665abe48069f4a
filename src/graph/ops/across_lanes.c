/* lane_sum: y = sum over the lanes of a run of x, the same on all of them. With L the sum of
 * what the lanes compute, dL/dx of a lane is the sum over lanes of their dL/dy: the operator is
 * its own transpose. */
#include <string.h>

#include "graph/program.h"

/* dx = lane_sum(dy) */
static void derive_lane_sum(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                            coh_value *dx) {
  (void)needed;
  dx[0] = coh_op_lane_sum(g, dy, g->nodes[y].attributes.integer[0]);
}

static bool is_cut(const coh_step *step) {
  return step->op == &coh_operator_lane_sum && step->signature.attributes.integer[0] > 1;
}

// of one lane the sum is the operand itself; of several it is made between two runs of steps
static coh_status run_lane_sum(const coh_kernel_call *call) {
  COH_CHECK(
      call->signature->attributes.integer[0] == 1, COH_E_CONFIG,
      "run: the program sums over %lld lanes and has to be run in pieces, from cut to cut",
      (long long)call->signature->attributes.integer[0]);
  memcpy(call->out, call->in[0], (size_t)coh_shape_count(call->signature->out) * sizeof(float));
  return COH_OK;
}

const coh_operator coh_operator_lane_sum = {.name = "lane_sum",
                                            .kind = COH_KIND_KERNEL,
                                            .n_inputs = 1,
                                            .derive = derive_lane_sum,
                                            .run = run_lane_sum};

coh_value coh_op_lane_sum(coh_graph *g, coh_value x, int64_t n_lanes) {
  if (!coh_graph_valid(g, x)) return COH_NO_VALUE;
  if (n_lanes < 1)
    return coh_graph_fail(g, "lane_sum of '%s': over %lld lanes", coh_graph_name_of(g, x),
                          (long long)n_lanes);
  coh_attributes attributes = {.integer = {n_lanes}};
  return coh_graph_append(g, &coh_operator_lane_sum, g->nodes[x].shape, &x, 1, &attributes);
}

int64_t coh_program_n_cuts(const coh_program *program) {
  int64_t n = 0;
  for (int64_t s = 0; s < program->n_steps; s++)
    n += is_cut(&program->steps[s]);
  return n;
}

coh_cut coh_program_cut_at(const coh_program *program, int64_t k) {
  for (int64_t s = 0; s < program->n_steps; s++) {
    const coh_step *step = &program->steps[s];
    if (is_cut(step) && k-- == 0)
      return (coh_cut){.step = s, .count = coh_shape_count(step->signature.out)};
  }
  return (coh_cut){.step = program->n_steps};
}
