/* Reverse-mode differentiation: walk back from y, ask each operator for the gradient of its
 * operands, add up what arrives at a value. Everything appended is made of operators again. */
#include "base/alloc.h"
#include "graph/sliding_window.h"

/* A walk back: what depends on what is asked for, and what has arrived. */
typedef struct walk {
  coh_graph *graph;
  int64_t n_nodes; /* values that exist before the gradient's own */
  bool *depends;
  coh_value *gradient;
  /* of a weighted gradient: the weights, and which values have a row a sample */
  coh_value weight;
  bool *rowwise;
} walk;

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

// weight (B) or (B,1) over the rows of a value
static coh_value weigh(coh_graph *graph, coh_value weight, coh_value x) {
  coh_shape shape = {.rank = coh_graph_shape(graph, x).rank};
  shape.size[0] = coh_graph_shape(graph, weight).size[0];
  for (int k = 1; k < shape.rank; k++)
    shape.size[k] = 1;
  return coh_op_mul(graph, x, coh_op_reshape(graph, weight, shape));
}

// operand k enters every row alike: the weights come in here, with the forward value in
// products
static void derive_shared(const walk *w, coh_value value, coh_value dy, int k, coh_value *dx) {
  coh_graph *g = w->graph;
  const coh_node node = g->nodes[value];
  bool product = k == 1 && node.shape.rank > 1 && w->rowwise[node.input[0]];
  if (product && node.op == &coh_operator_conv2d) {
    coh_shape shape = g->nodes[node.input[1]].shape;
    dx[k] = coh_op_conv2d_weights(g, weigh(g, w->weight, node.input[0]), dy,
                                  coh_window_unpack(&node.attributes), shape.size[0],
                                  shape.size[1]);
  } else if (product && node.op == &coh_operator_matmul && node.shape.rank == 2 &&
             !node.attributes.integer[0] && !node.attributes.integer[1]) {
    dx[k] = coh_op_matmul_t(g, weigh(g, w->weight, node.input[0]), true, dy, false);
  } else {
    bool only[COH_MAX_OPERANDS] = {false};
    only[k] = true;
    node.op->derive(g, value, weigh(g, w->weight, dy), only, dx);
  }
}

// hand the gradient at one value to its operands
static void propagate(const walk *w, coh_value value) {
  coh_graph *graph = w->graph;
  const coh_operator *op = graph->nodes[value].op;
  int n_inputs = graph->nodes[value].n_inputs;
  coh_value dy = w->gradient[value];
  if (!op->derive || dy == COH_NO_VALUE || !w->depends[value]) return;
  bool needed[COH_MAX_OPERANDS] = {false}, apart[COH_MAX_OPERANDS] = {false};
  bool any = false;
  for (int k = 0; k < n_inputs; k++) {
    coh_value x = graph->nodes[value].input[k];
    apart[k] = w->rowwise && w->rowwise[value] && w->depends[x] && !w->rowwise[x];
    needed[k] = w->depends[x] && !apart[k];
    any = any || needed[k];
  }
  coh_value dx[COH_MAX_OPERANDS];
  for (int k = 0; k < COH_MAX_OPERANDS; k++)
    dx[k] = COH_NO_VALUE;
  if (any) op->derive(graph, value, dy, needed, dx);
  for (int k = 0; k < n_inputs && graph->status == COH_OK; k++) {
    if (apart[k]) derive_shared(w, value, dy, k, dx);
    if ((!needed[k] && !apart[k]) || dx[k] == COH_NO_VALUE) continue;
    coh_value x = graph->nodes[value].input[k];
    w->gradient[x] =
        w->gradient[x] == COH_NO_VALUE ? dx[k] : coh_op_add(graph, w->gradient[x], dx[k]);
  }
}

static void mark_rows(const walk *w, coh_value rows) {
  w->rowwise[rows] = true;
  for (int64_t i = 0; i < w->n_nodes; i++) {
    const coh_node *node = &w->graph->nodes[i];
    for (int k = 0; k < node->n_inputs; k++)
      if (w->rowwise[node->input[k]]) w->rowwise[i] = true;
  }
}

static coh_status walk_back(walk *w, coh_value y, coh_value seed, coh_value rows,
                            const coh_value *wrt, int64_t n, coh_value *out) {
  coh_graph *graph = w->graph;
  COH_NEW(w->depends, w->n_nodes);
  COH_NEW(w->gradient, w->n_nodes);
  if (rows != COH_NO_VALUE) {
    COH_NEW(w->rowwise, w->n_nodes);
    mark_rows(w, rows);
  }
  for (int64_t i = 0; i < w->n_nodes; i++)
    w->gradient[i] = COH_NO_VALUE;
  mark_dependents(graph, w->n_nodes, wrt, n, w->depends);
  w->gradient[y] = seed;
  for (coh_value v = y; v >= 0 && graph->status == COH_OK; v--)
    propagate(w, v);
  for (int64_t k = 0; k < n && graph->status == COH_OK; k++) {
    coh_value found = w->gradient[wrt[k]];
    out[k] =
        found != COH_NO_VALUE ? found : coh_graph_full(graph, graph->nodes[wrt[k]].shape, 0.0);
  }
  return coh_graph_status(graph);
}

static coh_status walk_from(walk *w, coh_value y, coh_value seed, coh_value rows,
                            const coh_value *wrt, int64_t n, coh_value *out) {
  w->n_nodes = w->graph->n_nodes;
  coh_status status = walk_back(w, y, seed, rows, wrt, n, out);
  coh_free(w->depends);
  coh_free(w->gradient);
  coh_free(w->rowwise);
  return status;
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

  walk w = {.graph = graph, .weight = COH_NO_VALUE};
  return walk_from(&w, y, seed, COH_NO_VALUE, wrt, n, out);
}

coh_status coh_gradient_weighted(coh_graph *graph, coh_value y, coh_value weight,
                                 coh_value rows, const coh_value *wrt, int64_t n,
                                 coh_value *out) {
  COH_TRY(coh_graph_status(graph));
  bool valid = coh_graph_valid(graph, y) && coh_graph_valid(graph, weight) &&
               coh_graph_valid(graph, rows);
  for (int64_t k = 0; valid && k < n; k++)
    valid = coh_graph_valid(graph, wrt[k]);
  COH_TRY(coh_graph_status(graph));
  coh_shape shape = coh_graph_shape(graph, y), batch = coh_graph_shape(graph, rows);
  int64_t n_rows = batch.rank ? batch.size[0] : 0;
  COH_CHECK(coh_shape_count(shape) == n_rows && shape.rank >= 1 && shape.size[0] == n_rows &&
                coh_shape_count(coh_graph_shape(graph, weight)) == n_rows,
            COH_E_CONFIG, "weighted gradient of '%s' %s: one value and one weight a row of %s",
            coh_graph_name_of(graph, y), coh_shape_print(shape).text,
            coh_shape_print(batch).text);
  coh_value column = coh_op_reshape(graph, weight, COH_SHAPE(n_rows, 1));
  coh_value seed = coh_graph_full(graph, shape, 1.0);
  COH_TRY(coh_graph_status(graph));
  walk w = {.graph = graph, .weight = column};
  return walk_from(&w, y, seed, rows, wrt, n, out);
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
