/* Logistic function. */
#include "nn/activation_type.h"

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  (void)options;
  return coh_op_sigmoid(g, x);
}

static double value(const void *options, double x) {
  (void)options;
  return coh_sigmoid(x);
}

static double derivative(const void *options, double x) {
  (void)options;
  return coh_sigmoid(x) * coh_sigmoid(-x);
}

const coh_activation_type coh_activation_type_sigmoid = {
    .layer = {.kind = {.name = "sigmoid", .doc = "Logistic function."},
              .build = coh_activation_build},
    .formula = "1 / (1 + e^-x)",
    .derivative_formula = "s (1 - s)",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .low = 0,
    .high = 1,
};
