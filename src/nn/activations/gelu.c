/* Gaussian error linear unit, exact: Hendrycks and Gimpel, 2016. */
#include "nn/activation_type.h"

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  (void)options;
  coh_value p = coh_op_affine(g, coh_op_erf(g, coh_op_scale(g, x, sqrt(0.5))), 0.5, 0.5);
  return coh_op_mul(g, x, p);
}

static double value(const void *options, double x) {
  (void)options;
  return x * erfc(-x * sqrt(0.5)) / 2;
}

static double derivative(const void *options, double x) {
  (void)options;
  return erfc(-x * sqrt(0.5)) / 2 + x * exp(-x * x / 2) / sqrt(2 * acos(-1.0));
}

const coh_activation_type coh_activation_type_gelu = {
    .layer = {.kind = {.name = "gelu",
                       .doc = "Gaussian error linear unit, exact (Hendrycks and Gimpel 2016)."},
              .build = coh_activation_build},
    .formula = "x P, P = (1 + erf(x / sqrt(2))) / 2",
    .derivative_formula = "P + x e^(-x^2 / 2) / sqrt(2 pi)",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .low = -0.16997120747990369,
    .high = INFINITY,
};
