/* Reverse-mode differentiation: walk back from y, ask each operator for the gradient of its
 * operands, add up what arrives at a value. Everything appended is made of operators again. */
#include "base/alloc.h"
#include "graph/operator.h"

// mark the values that depend on one of wrt
static void mark_dependents(const coh_graph *graph, int64_t n_nodes, const coh_value *wrt,
                            int64_t n, bool *depends) {
  for (int64_t k = 0; k < n; k++)
    if (wrt[k] < n_nodes) depends[wrt[k]] = true;
  for (int64_t i = 0; i < n_nodes; i++) {
    const coh_node *node = &graph->nodes[i];
    for (int k = 0; k < node->n_inputs; k++)
      if (depends[node->input[k]] && node->op->derive) depends[i] = true;
  }
}

// hand the gradient at one value to its operands
static void propagate(coh_graph *graph, coh_value value, const bool *depends,
                      coh_value *gradient) {
  const coh_operator *op = graph->nodes[value].op;
  int n_inputs = graph->nodes[value].n_inputs;
  if (!op->derive || gradient[value] == COH_NO_VALUE || !depends[value]) return;
  bool needed[COH_MAX_OPERANDS] = {false};
  bool any = false;
  for (int k = 0; k < n_inputs; k++) {
    needed[k] = depends[graph->nodes[value].input[k]];
    any = any || needed[k];
  }
  if (!any) return;
  coh_value dx[COH_MAX_OPERANDS];
  for (int k = 0; k < COH_MAX_OPERANDS; k++)
    dx[k] = COH_NO_VALUE;
  op->derive(graph, value, gradient[value], needed, dx);
  for (int k = 0; k < n_inputs && graph->status == COH_OK; k++) {
    if (!needed[k] || dx[k] == COH_NO_VALUE) continue;
    coh_value x = graph->nodes[value].input[k];
    gradient[x] = gradient[x] == COH_NO_VALUE ? dx[k] : coh_op_add(graph, gradient[x], dx[k]);
  }
}

coh_status coh_gradient_seeded(coh_graph *graph, coh_value y, coh_value seed,
                               const coh_value *wrt, int64_t n, coh_value *out) {
  COH_TRY(coh_graph_status(graph));
  bool valid = coh_graph_valid(graph, y) && coh_graph_valid(graph, seed);
  for (int64_t k = 0; valid && k < n; k++)
    valid = coh_graph_valid(graph, wrt[k]);
  double number;
  for (int64_t k = 0; valid && k < n; k++)
    if (coh_graph_uniform(graph, wrt[k], &number)) // folded into other nodes where it is used
      coh_graph_fail(graph, "gradient of '%s': '%s' is a constant", coh_graph_name_of(graph, y),
                     coh_graph_name_of(graph, wrt[k]));
  if (valid && !coh_shape_equal(graph->nodes[y].shape, graph->nodes[seed].shape))
    coh_graph_fail(graph, "gradient of '%s' %s: the seed '%s' has shape %s",
                   coh_graph_name_of(graph, y), coh_shape_print(graph->nodes[y].shape).text,
                   coh_graph_name_of(graph, seed),
                   coh_shape_print(graph->nodes[seed].shape).text);
  COH_TRY(coh_graph_status(graph));

  int64_t n_nodes = graph->n_nodes; // values that exist before the gradient's own
  bool *depends;
  coh_value *gradient;
  COH_NEW(depends, n_nodes);
  gradient = coh_alloc_array((size_t)n_nodes, sizeof *gradient);
  if (!gradient) {
    coh_free(depends);
    return coh_fail(COH_E_MEMORY, "out of memory for the gradient of %lld values",
                    (long long)n_nodes);
  }
  for (int64_t i = 0; i < n_nodes; i++)
    gradient[i] = COH_NO_VALUE;
  mark_dependents(graph, n_nodes, wrt, n, depends);
  gradient[y] = seed;
  for (coh_value v = y; v >= 0 && graph->status == COH_OK; v--)
    propagate(graph, v, depends, gradient);
  for (int64_t k = 0; k < n && graph->status == COH_OK; k++) {
    coh_value found = gradient[wrt[k]];
    out[k] =
        found != COH_NO_VALUE ? found : coh_graph_full(graph, graph->nodes[wrt[k]].shape, 0.0);
  }
  coh_free(depends);
  coh_free(gradient);
  return coh_graph_status(graph);
}

coh_status coh_gradient(coh_graph *graph, coh_value y, const coh_value *wrt, int64_t n,
                        coh_value *out) {
  COH_TRY(coh_graph_status(graph));
  coh_shape shape = coh_graph_shape(graph, y);
  COH_CHECK(
      coh_shape_count(shape) == 1, COH_E_CONFIG,
      "gradient of '%s': it has %lld elements %s; only a single one has a gradient without "
      "a seed",
      coh_graph_name_of(graph, y), (long long)coh_shape_count(shape),
      coh_shape_print(shape).text);
  return coh_gradient_seeded(graph, y, coh_graph_full(graph, shape, 1.0), wrt, n, out);
}

coh_status coh_gradient_parameters(coh_graph *graph, coh_value y, coh_value *out) {
  return coh_gradient(graph, y, graph->parameters, graph->n_parameters, out);
}
