/* Elementwise operators of one operand made of a few additions and products. */
#include <math.h>

#include "graph/ops/block.h"

COH_UNARY_KERNEL(affine, c0 *x0 + c1)
COH_UNARY_KERNEL(abs, fabsf(x0))
COH_UNARY_KERNEL(sign, (x0 > 0.0f ? 1.0f : 0.0f) - (x0 < 0.0f ? 1.0f : 0.0f))
COH_UNARY_KERNEL(sqrt, sqrtf(x0))
COH_UNARY_KERNEL(rsqrt, 1.0f / sqrtf(x0))
COH_UNARY_KERNEL(square, x0 *x0)
COH_UNARY_KERNEL(step, x0 > 0.0f ? 1.0f : 0.0f)
COH_UNARY_KERNEL(relu, x0 > 0.0f || x0 != x0 ? x0 : 0.0f)
COH_UNARY_KERNEL(leaky_relu, x0 > 0.0f ? x0 : c0 * x0)
COH_UNARY_KERNEL(clip, x0 < c0 ? c0 : (x0 > c1 ? c1 : x0))
COH_UNARY_KERNEL(clip_mask, x0 >= c0 && x0 <= c1 ? 1.0f : 0.0f)

static coh_value operand(const coh_graph *g, coh_value y) {
  return g->nodes[y].input[0];
}

#define DERIVATIVE(op, expression)                                                         \
  static void derive_##op(coh_graph *g, coh_value y, coh_value dy, const bool *needed,     \
                          coh_value *dx) {                                                 \
    const coh_value x = operand(g, y);                                                     \
    const double c0 = g->nodes[y].attributes.real[0], c1 = g->nodes[y].attributes.real[1]; \
    (void)needed, (void)x, (void)c0, (void)c1;                                             \
    dx[0] = (expression);                                                                  \
  }

/* each: dy times the derivative, from y where that frees x */
DERIVATIVE(affine, coh_op_scale(g, dy, c0))
DERIVATIVE(abs, coh_op_mul(g, dy, coh_op_sign(g, x)))
DERIVATIVE(sqrt, coh_op_scale(g, coh_op_div(g, dy, y), 0.5))
DERIVATIVE(rsqrt, coh_op_scale(g, coh_op_mul(g, dy, coh_op_div(g, y, x)), -0.5))
DERIVATIVE(square, coh_op_mul(g, dy, coh_op_scale(g, x, 2.0)))
DERIVATIVE(relu, coh_op_mul(g, dy, coh_op_step(g, y)))
DERIVATIVE(leaky_relu,
           coh_op_mul(g, dy, coh_op_affine(g, coh_op_step(g, c0 < 0 ? x : y), 1.0 - c0, c0)))
DERIVATIVE(clip, coh_op_mul(g, dy, coh_graph_unary(g, &coh_operator_clip_mask, x, c0, c1)))

COH_ELEMENTWISE(affine, 1, derive_affine)
COH_ELEMENTWISE(abs, 1, derive_abs)
COH_ELEMENTWISE(sign, 1, NULL)
COH_ELEMENTWISE(sqrt, 1, derive_sqrt)
COH_ELEMENTWISE(rsqrt, 1, derive_rsqrt)
COH_ELEMENTWISE(square, 1, derive_square)
COH_ELEMENTWISE(step, 1, NULL)
COH_ELEMENTWISE(relu, 1, derive_relu)
COH_ELEMENTWISE(leaky_relu, 1, derive_leaky_relu)
COH_ELEMENTWISE(clip, 1, derive_clip)
COH_ELEMENTWISE(clip_mask, 1, NULL)

coh_value coh_op_affine(coh_graph *g, coh_value x, double scale, double shift) {
  double number;
  if (scale == 1.0 && shift == 0.0) return x;
  if (coh_graph_uniform(g, x, &number))
    return coh_graph_full(g, coh_graph_shape(g, x), scale * number + shift);
  return coh_graph_unary(g, &coh_operator_affine, x, scale, shift);
}

coh_value coh_op_scale(coh_graph *g, coh_value x, double scale) {
  return coh_op_affine(g, x, scale, 0.0);
}

coh_value coh_op_neg(coh_graph *g, coh_value x) {
  return coh_op_affine(g, x, -1.0, 0.0);
}

coh_value coh_op_abs(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_abs, x, 0.0, 0.0);
}

coh_value coh_op_sign(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_sign, x, 0.0, 0.0);
}

coh_value coh_op_sqrt(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_sqrt, x, 0.0, 0.0);
}

coh_value coh_op_rsqrt(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_rsqrt, x, 0.0, 0.0);
}

coh_value coh_op_square(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_square, x, 0.0, 0.0);
}

coh_value coh_op_step(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_step, x, 0.0, 0.0);
}

coh_value coh_op_relu(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_relu, x, 0.0, 0.0);
}

coh_value coh_op_leaky_relu(coh_graph *g, coh_value x, double slope) {
  return coh_graph_unary(g, &coh_operator_leaky_relu, x, slope, 0.0);
}

coh_value coh_op_clip(coh_graph *g, coh_value x, double low, double high) {
  if (!(low <= high))
    return coh_graph_fail(g, "clip of '%s': low %g is above high %g", coh_graph_name_of(g, x),
                          low, high);
  return coh_graph_unary(g, &coh_operator_clip, x, low, high);
}

/* huber(x) = c (x - c/2) with c = clip(x, -delta, delta) */
coh_value coh_op_huber(coh_graph *g, coh_value x, double delta) {
  coh_value c = coh_op_clip(g, x, -delta, delta);
  return coh_op_mul(g, c, coh_op_sub(g, x, coh_op_scale(g, c, 0.5)));
}
