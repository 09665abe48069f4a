/* Stretching axes of size 1. Elementwise steps read through it; only other operators need the
 * copy, which the compiler makes with an elementwise step of its own. */
#include "graph/operator.h"

/* y[.., i, ..] = x[.., 0, ..]; dx = sum of dy over the stretched axes */
static void derive_broadcast(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                             coh_value *dx) {
  (void)needed;
  coh_shape wide = g->nodes[y].shape, narrow = g->nodes[g->nodes[y].input[0]].shape;
  int axes[COH_MAX_RANK], n = 0;
  for (int k = 0; k < wide.rank; k++)
    if (wide.size[k] != narrow.size[k]) axes[n++] = k;
  dx[0] = coh_op_sum(g, dy, axes, n, true);
}

const coh_operator coh_operator_broadcast = {
    .name = "broadcast", .kind = COH_KIND_BROADCAST, .n_inputs = 1, .derive = derive_broadcast};

coh_value coh_op_broadcast(coh_graph *g, coh_value x, coh_shape shape) {
  if (!coh_graph_valid(g, x)) return COH_NO_VALUE;
  coh_shape from = g->nodes[x].shape;
  if (coh_shape_equal(from, shape)) return x;
  bool fits = shape.rank >= from.rank && shape.rank <= COH_MAX_RANK;
  for (int k = 1; fits && k <= from.rank; k++) {
    int64_t narrow = from.size[from.rank - k], wide = shape.size[shape.rank - k];
    fits = narrow == wide || (narrow == 1 && wide >= 1);
  }
  if (!fits)
    return coh_graph_fail(g, "broadcast of '%s': %s does not stretch to %s",
                          coh_graph_name_of(g, x), coh_shape_print(from).text,
                          coh_shape_print(shape).text);
  // leading axes of size 1 first, so that the operator keeps the rank
  coh_shape aligned = {.rank = shape.rank};
  for (int k = 0; k < shape.rank; k++) {
    int j = k - (shape.rank - from.rank);
    aligned.size[k] = j >= 0 ? from.size[j] : 1;
  }
  x = coh_op_reshape(g, x, aligned);
  if (x == COH_NO_VALUE || coh_shape_equal(aligned, shape)) return x;
  return coh_graph_append(g, &coh_operator_broadcast, shape, &x, 1, NULL);
}
