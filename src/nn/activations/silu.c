/* Sigmoid linear unit, also called swish: Elfwing, Uchibe and Doya, 2018. */
#include "nn/activation_type.h"

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  (void)options;
  return coh_op_mul(g, x, coh_op_sigmoid(g, x));
}

static double value(const void *options, double x) {
  (void)options;
  return x * coh_sigmoid(x);
}

static double derivative(const void *options, double x) {
  (void)options;
  return coh_sigmoid(x) * (1 + x * coh_sigmoid(-x));
}

const coh_activation_type coh_activation_type_silu = {
    .layer = {.kind = {.name = "silu",
                       .doc = "Sigmoid linear unit, also called swish (Elfwing et al. 2018)."},
              .build = coh_activation_build},
    .formula = "x s, s = 1 / (1 + e^-x)",
    .derivative_formula = "s (1 + x (1 - s))",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .low = -0.27846454276107379,
    .high = INFINITY,
};
