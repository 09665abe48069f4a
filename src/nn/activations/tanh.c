/* Hyperbolic tangent. */
#include "nn/activation_type.h"

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  (void)options;
  return coh_op_tanh(g, x);
}

static double value(const void *options, double x) {
  (void)options;
  return tanh(x);
}

static double derivative(const void *options, double x) {
  (void)options;
  return 1 / (cosh(x) * cosh(x));
}

const coh_activation_type coh_activation_type_tanh = {
    .layer = {.kind = {.name = "tanh", .doc = "Hyperbolic tangent."},
              .build = coh_activation_build},
    .formula = "tanh(x)",
    .derivative_formula = "1 - tanh(x)^2",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .low = -1,
    .high = 1,
};
