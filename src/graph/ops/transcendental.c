/* Elementwise exponentials, logarithms, powers and the smooth activations made of them. */
#include <math.h>

#include "graph/ops/block.h"
#include "la/elementary.h"

COH_UNARY_KERNEL(exp, coh_expf(x0))
COH_UNARY_KERNEL(log, coh_logf(x0))
COH_UNARY_KERNEL(sigmoid, coh_sigmoidf(x0))
COH_UNARY_KERNEL(tanh, coh_tanhf(x0))
COH_UNARY_KERNEL(softplus, coh_softplusf(x0))
COH_UNARY_KERNEL(erf, coh_erff(x0))
COH_UNARY_KERNEL(pow, powf(x0, c0))

static coh_value operand(const coh_graph *g, coh_value y) {
  return g->nodes[y].input[0];
}

#define DERIVATIVE(op, expression)                                                     \
  static void derive_##op(coh_graph *g, coh_value y, coh_value dy, const bool *needed, \
                          coh_value *dx) {                                             \
    const coh_value x = operand(g, y);                                                 \
    const double c0 = g->nodes[y].attributes.real[0];                                  \
    (void)needed, (void)x, (void)c0;                                                   \
    dx[0] = (expression);                                                              \
  }

DERIVATIVE(exp, coh_op_mul(g, dy, y))
DERIVATIVE(log, coh_op_div(g, dy, x))
/* y' = y (1 - y) */
DERIVATIVE(sigmoid, coh_op_mul(g, dy, coh_op_mul(g, y, coh_op_affine(g, y, -1.0, 1.0))))
/* y' = 1 - y^2 */
DERIVATIVE(tanh, coh_op_mul(g, dy, coh_op_affine(g, coh_op_square(g, y), -1.0, 1.0)))
DERIVATIVE(softplus, coh_op_mul(g, dy, coh_op_sigmoid(g, x)))
/* y' = 2/sqrt(pi) e^(-x^2) */
DERIVATIVE(erf, coh_op_mul(g, dy,
                           coh_op_scale(g, coh_op_exp(g, coh_op_neg(g, coh_op_square(g, x))),
                                        1.1283791670955126)))
/* y' = c x^(c-1) */
DERIVATIVE(pow, coh_op_mul(g, dy, coh_op_scale(g, coh_op_pow(g, x, c0 - 1.0), c0)))

COH_ELEMENTWISE(exp, 1, derive_exp)
COH_ELEMENTWISE(log, 1, derive_log)
COH_ELEMENTWISE(pow, 1, derive_pow)
COH_ELEMENTWISE(sigmoid, 1, derive_sigmoid)
COH_ELEMENTWISE(tanh, 1, derive_tanh)
COH_ELEMENTWISE(softplus, 1, derive_softplus)
COH_ELEMENTWISE(erf, 1, derive_erf)

coh_value coh_op_exp(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_exp, x, 0.0, 0.0);
}

coh_value coh_op_log(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_log, x, 0.0, 0.0);
}

coh_value coh_op_sigmoid(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_sigmoid, x, 0.0, 0.0);
}

coh_value coh_op_tanh(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_tanh, x, 0.0, 0.0);
}

coh_value coh_op_softplus(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_softplus, x, 0.0, 0.0);
}

coh_value coh_op_erf(coh_graph *g, coh_value x) {
  return coh_graph_unary(g, &coh_operator_erf, x, 0.0, 0.0);
}

/* the exponents 0, 1 and 2 keep repeated derivatives of small powers finite at 0 */
coh_value coh_op_pow(coh_graph *g, coh_value x, double exponent) {
  if (exponent == 0.0) return coh_graph_full(g, coh_graph_shape(g, x), 1.0);
  if (exponent == 1.0) return x;
  if (exponent == 2.0) return coh_op_square(g, x);
  return coh_graph_unary(g, &coh_operator_pow, x, exponent, 0.0);
}
