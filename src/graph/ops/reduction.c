/* Sums over axes, the maximum over the last axis and where it is. Orders of summation depend on
 * the shape only: in chunks of rows, so that rounding errors grow with the chunk count, not the
 * row count. */
#include "graph/operator.h"
#include "la/vector.h"

/* ---- sum: y[o,1,i] = sum over r of x[o,r,i]; axes integer[0] .. integer[1]-1 are one run */

static void derive_sum(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                       coh_value *dx) {
  (void)needed;
  dx[0] = coh_op_broadcast(g, dy, g->nodes[g->nodes[y].input[0]].shape);
}

static coh_status run_sum(const coh_kernel_call *call) {
  coh_shape from = call->signature->in[0];
  int64_t first = call->signature->attributes.integer[0];
  int64_t last = call->signature->attributes.integer[1];
  int64_t outer = 1, along = 1, inner = 1;
  for (int k = 0; k < from.rank; k++) {
    if (k < first) {
      outer *= from.size[k];
    } else if (k < last) {
      along *= from.size[k];
    } else {
      inner *= from.size[k];
    }
  }
  for (int64_t o = 0; o < outer; o++) {
    const float *x = call->in[0] + o * along * inner;
    if (inner == 1) {
      call->out[o] = coh_la_sum(along, x);
    } else {
      coh_la_sum_rows(along, inner, x, call->out + o * inner);
    }
  }
  return COH_OK;
}

const coh_operator coh_operator_sum = {.name = "sum",
                                       .kind = COH_KIND_KERNEL,
                                       .n_inputs = 1,
                                       .derive = derive_sum,
                                       .run = run_sum};

// the shape without the axes marked
static coh_shape without(coh_shape shape, const bool *drop) {
  coh_shape out = {.rank = 0};
  for (int k = 0; k < shape.rank; k++)
    if (!drop[k]) out.size[out.rank++] = shape.size[k];
  return out;
}

// which axes a caller lists; none means all
static bool mark_axes(coh_graph *g, const char *op, coh_value x, const int *axes, int n,
                      bool *marked) {
  coh_shape shape = g->nodes[x].shape;
  for (int k = 0; k < COH_MAX_RANK; k++)
    marked[k] = n == 0 && k < shape.rank;
  for (int k = 0; k < n; k++) {
    int axis = coh_shape_axis(shape, axes[k]);
    if (axis < 0 || marked[axis]) {
      coh_graph_fail(g, "%s of '%s' %s: axis %d is out of range or named twice", op,
                     coh_graph_name_of(g, x), coh_shape_print(shape).text, axes[k]);
      return false;
    }
    marked[axis] = true;
  }
  return true;
}

// a broadcast value that is the same along the marked axes, as it was before
static coh_value constant_along(const coh_graph *g, coh_value x, const bool *marked) {
  const coh_node *node = &g->nodes[x];
  if (node->op != &coh_operator_broadcast) return COH_NO_VALUE;
  coh_shape narrow = g->nodes[node->input[0]].shape;
  int missing = node->shape.rank - narrow.rank;
  for (int k = missing; k < node->shape.rank; k++)
    if (marked[k] && narrow.size[k - missing] != 1) return COH_NO_VALUE;
  return node->input[0];
}

// sum(c x) = c sum(x) for a number c, or one that is the same along the axes: the sum then
// reads what is in memory already. COH_NO_VALUE where there is no such factor.
static coh_value sum_without_factor(coh_graph *g, coh_value x, const bool *marked,
                                    const int *axes, int n_axes) {
  const coh_node node = g->nodes[x];
  if (node.op == &coh_operator_affine && node.attributes.real[1] == 0)
    return coh_op_scale(g, coh_op_sum(g, node.input[0], axes, n_axes, true),
                        node.attributes.real[0]);
  for (int k = 0; node.op == &coh_operator_mul && k < 2; k++) {
    coh_value factor = constant_along(g, node.input[k], marked);
    if (factor != COH_NO_VALUE)
      return coh_op_mul(g, coh_op_sum(g, node.input[1 - k], axes, n_axes, true), factor);
  }
  return COH_NO_VALUE;
}

coh_value coh_op_sum(coh_graph *g, coh_value x, const int *axes, int n_axes, bool keep) {
  bool marked[COH_MAX_RANK];
  if (!coh_graph_valid(g, x) || !mark_axes(g, "sum", x, axes, n_axes, marked))
    return COH_NO_VALUE;
  coh_value rest = sum_without_factor(g, x, marked, axes, n_axes);
  if (rest != COH_NO_VALUE)
    return keep ? rest : coh_op_reshape(g, rest, without(g->nodes[rest].shape, marked));
  if (g->status != COH_OK) return COH_NO_VALUE;
  coh_shape shape = g->nodes[x].shape;
  // one node for each run of neighbouring axes, the last run first: it shrinks the most
  for (int last = shape.rank; last > 0 && x != COH_NO_VALUE; last--) {
    if (!marked[last - 1]) continue;
    int first = last - 1;
    while (first > 0 && marked[first - 1])
      first--;
    int64_t along = 1;
    for (int k = first; k < last; k++) {
      along *= shape.size[k];
      shape.size[k] = 1;
    }
    coh_attributes attributes = {.integer = {first, last}};
    x = along == 1 ? x : coh_graph_append(g, &coh_operator_sum, shape, &x, 1, &attributes);
    last = first + 1;
  }
  return keep || x == COH_NO_VALUE ? x : coh_op_reshape(g, x, without(shape, marked));
}

coh_value coh_op_mean(coh_graph *g, coh_value x, const int *axes, int n_axes, bool keep) {
  coh_value sum = coh_op_sum(g, x, axes, n_axes, keep);
  if (sum == COH_NO_VALUE) return sum;
  double count = (double)coh_shape_count(g->nodes[x].shape);
  return coh_op_scale(g, sum, (double)coh_shape_count(g->nodes[sum].shape) / count);
}

coh_value coh_op_sum_all(coh_graph *g, coh_value x) {
  return coh_op_sum(g, x, NULL, 0, false);
}

coh_value coh_op_mean_all(coh_graph *g, coh_value x) {
  return coh_op_mean(g, x, NULL, 0, false);
}

/* ---- reduce_max: y[..,0] = max over the last axis; dx = dy at the first maximum */

static void derive_reduce_max(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                              coh_value *dx) {
  (void)needed;
  dx[0] = coh_op_mul(g, coh_op_argmax_onehot(g, g->nodes[y].input[0]), dy);
}

// NaN counts as larger than every number, so that it stays in sight
static int64_t first_maximum(const float *x, int64_t n) {
  int64_t best = 0;
  for (int64_t j = 1; j < n && x[best] == x[best]; j++)
    if (!(x[j] <= x[best])) best = j;
  return best;
}

static coh_status run_reduce_max(const coh_kernel_call *call) {
  coh_shape from = call->signature->in[0];
  int64_t width = from.size[from.rank - 1], rows = coh_shape_count(from) / width;
  for (int64_t i = 0; i < rows; i++) {
    const float *x = call->in[0] + i * width;
    call->out[i] = x[first_maximum(x, width)];
  }
  return COH_OK;
}

const coh_operator coh_operator_reduce_max = {.name = "reduce_max",
                                              .kind = COH_KIND_KERNEL,
                                              .n_inputs = 1,
                                              .derive = derive_reduce_max,
                                              .run = run_reduce_max};

coh_value coh_op_reduce_max(coh_graph *g, coh_value x, int axis, bool keep) {
  bool marked[COH_MAX_RANK];
  if (!coh_graph_valid(g, x) || !mark_axes(g, "reduce_max", x, &axis, 1, marked))
    return COH_NO_VALUE;
  coh_shape from = g->nodes[x].shape, shape = from;
  int at = coh_shape_axis(from, axis), swap[COH_MAX_RANK];
  // the kernel reduces the last axis: bring it there
  for (int k = 0; k < from.rank; k++)
    swap[k] = k;
  swap[at] = from.rank - 1;
  swap[from.rank - 1] = at;
  coh_value last = coh_op_transpose(g, x, swap);
  coh_shape reduced = coh_graph_shape(g, last);
  reduced.size[reduced.rank - 1] = 1;
  coh_value y = coh_graph_append(g, &coh_operator_reduce_max, reduced, &last, 1, NULL);
  if (y == COH_NO_VALUE) return y;
  shape.size[at] = 1;
  y = coh_op_transpose(g, y, swap);
  return keep ? y : coh_op_reshape(g, y, without(shape, marked));
}

/* ---- argmax_onehot: y[..,j] = 1 where x is first largest along the last axis */

static coh_status run_argmax_onehot(const coh_kernel_call *call) {
  coh_shape from = call->signature->in[0];
  int64_t width = from.size[from.rank - 1], rows = coh_shape_count(from) / width;
  for (int64_t i = 0; i < rows; i++) {
    const float *x = call->in[0] + i * width;
    float *y = call->out + i * width;
    int64_t best = first_maximum(x, width);
    for (int64_t j = 0; j < width; j++)
      y[j] = j == best ? 1.0f : 0.0f;
  }
  return COH_OK;
}

const coh_operator coh_operator_argmax_onehot = {
    .name = "argmax_onehot", .kind = COH_KIND_KERNEL, .n_inputs = 1, .run = run_argmax_onehot};

coh_value coh_op_argmax_onehot(coh_graph *g, coh_value x) {
  if (!coh_graph_valid(g, x)) return COH_NO_VALUE;
  coh_shape shape = g->nodes[x].shape;
  if (shape.rank < 1)
    return coh_graph_fail(g, "argmax of '%s': a scalar has no last axis",
                          coh_graph_name_of(g, x));
  return coh_graph_append(g, &coh_operator_argmax_onehot, shape, &x, 1, NULL);
}
