/* Elementwise operators of two or three operands, broadcast as in NumPy. */
#include "graph/ops/block.h"

COH_BINARY_KERNEL(add, x0 + x1)
COH_BINARY_KERNEL(sub, x0 - x1)
COH_BINARY_KERNEL(mul, x0 *x1)
COH_BINARY_KERNEL(div, x0 / x1)
COH_BINARY_KERNEL(max, x0 >= x1 || x0 != x0 ? x0 : x1)
COH_BINARY_KERNEL(min, x0 <= x1 || x0 != x0 ? x0 : x1)
COH_BINARY_KERNEL(greater, x0 > x1 ? 1.0f : 0.0f)
COH_BINARY_KERNEL(greater_equal, x0 >= x1 ? 1.0f : 0.0f)
COH_BINARY_KERNEL(equal, x0 == x1 ? 1.0f : 0.0f)

static void select_block(int64_t n, const float *const *x, float *y, const float *c) {
  const float *condition = x[0], *a = x[1], *b = x[2];
  (void)c;
  COH_VECTOR_LOOP for (int64_t i = 0; i < n; i++) {
    const float x1 = a[i], x2 = b[i];
    y[i] = condition[i] != 0.0f ? x1 : x2;
  }
}

static coh_value operand(const coh_graph *g, coh_value y, int k) {
  return g->nodes[y].input[k];
}

/* d(a+b) = da + db */
static void derive_add(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                       coh_value *dx) {
  (void)g, (void)y, (void)needed;
  dx[0] = dx[1] = dy;
}

/* d(a-b) = da - db */
static void derive_sub(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                       coh_value *dx) {
  (void)y;
  dx[0] = dy;
  if (needed[1]) dx[1] = coh_op_neg(g, dy);
}

/* d(a b) = b da + a db */
static void derive_mul(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                       coh_value *dx) {
  coh_value a = operand(g, y, 0), b = operand(g, y, 1);
  if (needed[0]) dx[0] = coh_op_mul(g, dy, b);
  if (needed[1]) dx[1] = coh_op_mul(g, dy, a);
}

/* d(a/b) = da / b - (y/b) db */
static void derive_div(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                       coh_value *dx) {
  coh_value quotient = coh_op_div(g, dy, operand(g, y, 1));
  if (needed[0]) dx[0] = quotient;
  if (needed[1]) dx[1] = coh_op_neg(g, coh_op_mul(g, quotient, y));
}

/* dmax(a,b) = [a >= b] da + [a < b] db */
static void derive_max(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                       coh_value *dx) {
  coh_value a = operand(g, y, 0), b = operand(g, y, 1);
  if (needed[0]) dx[0] = coh_op_mul(g, dy, coh_op_greater_equal(g, a, b));
  if (needed[1]) dx[1] = coh_op_mul(g, dy, coh_op_greater(g, b, a));
}

/* dmin(a,b) = [a <= b] da + [a > b] db */
static void derive_min(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                       coh_value *dx) {
  coh_value a = operand(g, y, 0), b = operand(g, y, 1);
  if (needed[0]) dx[0] = coh_op_mul(g, dy, coh_op_greater_equal(g, b, a));
  if (needed[1]) dx[1] = coh_op_mul(g, dy, coh_op_greater(g, a, b));
}

/* d select(c,a,b) = select(c,da,0) + select(c,0,db) */
static void derive_select(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                          coh_value *dx) {
  coh_value condition = operand(g, y, 0), zero = coh_graph_constant(g, 0.0);
  if (needed[1]) dx[1] = coh_op_select(g, condition, dy, zero);
  if (needed[2]) dx[2] = coh_op_select(g, condition, zero, dy);
}

COH_ELEMENTWISE(add, 2, derive_add)
COH_ELEMENTWISE(sub, 2, derive_sub)
COH_ELEMENTWISE(mul, 2, derive_mul)
COH_ELEMENTWISE(div, 2, derive_div)
COH_ELEMENTWISE(max, 2, derive_max)
COH_ELEMENTWISE(min, 2, derive_min)
COH_ELEMENTWISE(greater, 2, NULL)
COH_ELEMENTWISE(greater_equal, 2, NULL)
COH_ELEMENTWISE(equal, 2, NULL)
COH_ELEMENTWISE(select, 3, derive_select)

// the shape both stretch to; axes align from the right
static bool common_shape(coh_graph *g, const char *op, coh_value a, coh_value b,
                         coh_shape *out) {
  if (!coh_graph_valid(g, a) || !coh_graph_valid(g, b)) return false;
  coh_shape sa = g->nodes[a].shape, sb = g->nodes[b].shape;
  *out = sa.rank >= sb.rank ? sa : sb;
  for (int k = 1; k <= out->rank; k++) {
    int64_t na = k <= sa.rank ? sa.size[sa.rank - k] : 1;
    int64_t nb = k <= sb.rank ? sb.size[sb.rank - k] : 1;
    if (na != nb && na != 1 && nb != 1) {
      coh_graph_fail(g, "%s: '%s' %s and '%s' %s do not broadcast together", op,
                     coh_graph_name_of(g, a), coh_shape_print(sa).text, coh_graph_name_of(g, b),
                     coh_shape_print(sb).text);
      return false;
    }
    out->size[out->rank - k] = na > nb ? na : nb;
  }
  return true;
}

static coh_value binary(coh_graph *g, const coh_operator *op, coh_value a, coh_value b) {
  coh_shape shape;
  if (!common_shape(g, op->name, a, b, &shape)) return COH_NO_VALUE;
  coh_value inputs[2] = {coh_op_broadcast(g, a, shape), coh_op_broadcast(g, b, shape)};
  return coh_graph_append(g, op, shape, inputs, 2, NULL);
}

// a op constant as one affine node: scale x + shift, stretched to the common shape
static coh_value affine_of(coh_graph *g, const char *op, coh_value x, coh_value other,
                           double scale, double shift) {
  coh_shape shape;
  if (!common_shape(g, op, x, other, &shape)) return COH_NO_VALUE;
  return coh_op_affine(g, coh_op_broadcast(g, x, shape), scale, shift);
}

coh_value coh_op_add(coh_graph *g, coh_value a, coh_value b) {
  double number;
  if (coh_graph_uniform(g, b, &number)) return affine_of(g, "add", a, b, 1.0, number);
  if (coh_graph_uniform(g, a, &number)) return affine_of(g, "add", b, a, 1.0, number);
  return binary(g, &coh_operator_add, a, b);
}

coh_value coh_op_sub(coh_graph *g, coh_value a, coh_value b) {
  double number;
  if (coh_graph_uniform(g, b, &number)) return affine_of(g, "sub", a, b, 1.0, -number);
  if (coh_graph_uniform(g, a, &number)) return affine_of(g, "sub", b, a, -1.0, number);
  return binary(g, &coh_operator_sub, a, b);
}

coh_value coh_op_mul(coh_graph *g, coh_value a, coh_value b) {
  double number;
  if (coh_graph_uniform(g, b, &number)) return affine_of(g, "mul", a, b, number, 0.0);
  if (coh_graph_uniform(g, a, &number)) return affine_of(g, "mul", b, a, number, 0.0);
  return binary(g, &coh_operator_mul, a, b);
}

coh_value coh_op_div(coh_graph *g, coh_value a, coh_value b) {
  return binary(g, &coh_operator_div, a, b);
}

coh_value coh_op_max(coh_graph *g, coh_value a, coh_value b) {
  return binary(g, &coh_operator_max, a, b);
}

coh_value coh_op_min(coh_graph *g, coh_value a, coh_value b) {
  return binary(g, &coh_operator_min, a, b);
}

coh_value coh_op_greater(coh_graph *g, coh_value a, coh_value b) {
  return binary(g, &coh_operator_greater, a, b);
}

coh_value coh_op_greater_equal(coh_graph *g, coh_value a, coh_value b) {
  return binary(g, &coh_operator_greater_equal, a, b);
}

coh_value coh_op_equal(coh_graph *g, coh_value a, coh_value b) {
  return binary(g, &coh_operator_equal, a, b);
}

coh_value coh_op_select(coh_graph *g, coh_value condition, coh_value a, coh_value b) {
  coh_shape ab, shape;
  if (!common_shape(g, "select", a, b, &ab)) return COH_NO_VALUE;
  coh_value wide = coh_op_broadcast(g, a, ab);
  if (!common_shape(g, "select", condition, wide, &shape)) return COH_NO_VALUE;
  coh_value inputs[3] = {coh_op_broadcast(g, condition, shape),
                         coh_op_broadcast(g, wide, shape), coh_op_broadcast(g, b, shape)};
  return coh_graph_append(g, &coh_operator_select, shape, inputs, 3, NULL);
}
