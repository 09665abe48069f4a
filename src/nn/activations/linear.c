/* The identity. */
#include "nn/activation_type.h"

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  (void)options;
  (void)g;
  return x;
}

static double value(const void *options, double x) {
  (void)options;
  return x;
}

static double derivative(const void *options, double x) {
  (void)options;
  (void)x;
  return 1;
}

const coh_activation_type coh_activation_type_linear = {
    .layer = {.kind = {.name = "linear", .doc = "Identity."}, .build = coh_activation_build},
    .formula = "x",
    .derivative_formula = "1",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .low = -INFINITY,
    .high = INFINITY,
};
