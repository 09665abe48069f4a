/* Piecewise-linear swish: Howard et al., ICCV 2019. */
#include "nn/activation_type.h"

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  (void)options;
  return coh_op_mul(g, x, coh_op_clip(g, coh_op_affine(g, x, 1.0 / 6, 0.5), 0, 1));
}

static double value(const void *options, double x) {
  (void)options;
  return x * fmin(fmax(x / 6 + 0.5, 0), 1);
}

static double derivative(const void *options, double x) {
  (void)options;
  return fabs(x) <= 3 ? x / 3 + 0.5 : x > 0;
}

const coh_activation_type coh_activation_type_hard_swish = {
    .layer = {.kind = {.name = "hard_swish",
                       .doc = "Piecewise-linear swish (Howard et al. 2019)."},
              .build = coh_activation_build},
    .formula = "x clip(x / 6 + 1/2, 0, 1)",
    .derivative_formula = "|x| <= 3 ? x / 3 + 1/2 : x > 0",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .low = -0.375,
    .high = INFINITY,
};
