/* Operators that move nothing: the operand's memory under another shape or another rule. */
#include "graph/operator.h"

/* y = x in another shape; dx = dy in x's shape */
static void derive_reshape(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                           coh_value *dx) {
  (void)needed;
  dx[0] = coh_op_reshape(g, dy, g->nodes[g->nodes[y].input[0]].shape);
}

const coh_operator coh_operator_reshape = {
    .name = "reshape", .kind = COH_KIND_ALIAS, .n_inputs = 1, .derive = derive_reshape};

/* y = x; dx = 0 */
const coh_operator coh_operator_stop_gradient = {
    .name = "stop_gradient", .kind = COH_KIND_ALIAS, .n_inputs = 1};

/* y = x; dx = relu(dy): not the derivative, but the rule of guided backpropagation */
static void derive_rectify(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                           coh_value *dx) {
  (void)y;
  (void)needed;
  dx[0] = coh_op_relu(g, dy);
}

const coh_operator coh_operator_rectify_gradient = {.name = "rectify_gradient",
                                                    .kind = COH_KIND_ALIAS,
                                                    .n_inputs = 1,
                                                    .derive = derive_rectify};

coh_value coh_op_reshape(coh_graph *g, coh_value x, coh_shape shape) {
  if (!coh_graph_valid(g, x)) return COH_NO_VALUE;
  coh_shape from = g->nodes[x].shape;
  int64_t count = coh_shape_count(from), known = 1;
  int open = -1;
  bool fits = shape.rank >= 0 && shape.rank <= COH_MAX_RANK;
  for (int k = 0; fits && k < shape.rank; k++) {
    if (shape.size[k] == -1 && open < 0) {
      open = k;
    } else {
      fits = shape.size[k] >= 1 && !__builtin_mul_overflow(known, shape.size[k], &known);
    }
  }
  if (fits && open >= 0) {
    shape.size[open] = count / known;
    known *= shape.size[open];
  }
  if (!fits || known != count)
    return coh_graph_fail(g, "reshape of '%s': %s does not fit into %s",
                          coh_graph_name_of(g, x), coh_shape_print(from).text,
                          coh_shape_print(shape).text);
  if (coh_shape_equal(from, shape)) return x;
  return coh_graph_append(g, &coh_operator_reshape, shape, &x, 1, NULL);
}

coh_value coh_op_stop_gradient(coh_graph *g, coh_value x) {
  if (!coh_graph_valid(g, x)) return COH_NO_VALUE;
  return coh_graph_append(g, &coh_operator_stop_gradient, g->nodes[x].shape, &x, 1, NULL);
}

coh_value coh_op_rectify_gradient(coh_graph *g, coh_value x) {
  if (!coh_graph_valid(g, x)) return COH_NO_VALUE;
  return coh_graph_append(g, &coh_operator_rectify_gradient, g->nodes[x].shape, &x, 1, NULL);
}
