/* Smooth ReLU: Dugas et al., NeurIPS 2001. */
#include "nn/activation_type.h"

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  (void)options;
  return coh_op_softplus(g, x);
}

static double value(const void *options, double x) {
  (void)options;
  return coh_softplus(x);
}

static double derivative(const void *options, double x) {
  (void)options;
  return coh_sigmoid(x);
}

const coh_activation_type coh_activation_type_softplus = {
    .layer = {.kind = {.name = "softplus", .doc = "Smooth ReLU (Dugas et al. 2001)."},
              .build = coh_activation_build},
    .formula = "log(1 + e^x)",
    .derivative_formula = "1 / (1 + e^-x)",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .low = 0,
    .high = INFINITY,
};
