/* Rectified linear unit: Nair and Hinton, ICML 2010. */
#include "nn/activation_type.h"

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  (void)options;
  return coh_op_relu(g, x);
}

static double value(const void *options, double x) {
  (void)options;
  return x > 0 ? x : 0;
}

static double derivative(const void *options, double x) {
  (void)options;
  return x > 0;
}

const coh_activation_type coh_activation_type_relu = {
    .layer = {.kind = {.name = "relu", .doc = "Rectified linear unit (Nair and Hinton 2010)."},
              .build = coh_activation_build},
    .formula = "max(x, 0)",
    .derivative_formula = "x > 0",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .low = 0,
    .high = INFINITY,
};
