/* Mish: Misra, BMVC 2020. */
#include "nn/activation_type.h"

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  (void)options;
  return coh_op_mul(g, x, coh_op_tanh(g, coh_op_softplus(g, x)));
}

static double value(const void *options, double x) {
  (void)options;
  return x * tanh(coh_softplus(x));
}

static double derivative(const void *options, double x) {
  (void)options;
  double t = tanh(coh_softplus(x));
  return t + x * coh_sigmoid(x) * (1 - t * t);
}

const coh_activation_type coh_activation_type_mish = {
    .layer = {.kind = {.name = "mish", .doc = "Mish (Misra 2020)."},
              .build = coh_activation_build},
    .formula = "x t, t = tanh(log(1 + e^x))",
    .derivative_formula = "t + x (1 - t^2) / (1 + e^-x)",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .low = -0.30884341301725043,
    .high = INFINITY,
};
