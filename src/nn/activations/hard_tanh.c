/* Piecewise-linear tanh: Collobert, 2004. */
#include "nn/activation_type.h"

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  (void)options;
  return coh_op_clip(g, x, -1, 1);
}

static double value(const void *options, double x) {
  (void)options;
  return fmin(fmax(x, -1), 1);
}

static double derivative(const void *options, double x) {
  (void)options;
  return fabs(x) <= 1;
}

const coh_activation_type coh_activation_type_hard_tanh = {
    .layer = {.kind = {.name = "hard_tanh", .doc = "Piecewise-linear tanh (Collobert 2004)."},
              .build = coh_activation_build},
    .formula = "clip(x, -1, 1)",
    .derivative_formula = "-1 <= x <= 1",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .low = -1,
    .high = 1,
};
