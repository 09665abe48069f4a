/* Scaled ELU, with the constants that make mean 0 and variance 1 a fixed point: Klambauer et
 * al., NeurIPS 2017. */
#include "nn/activation_type.h"

static const double alpha = 1.6732632423543772848, scale = 1.0507009873554804934;

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  (void)options;
  coh_value below = coh_op_exp(g, coh_op_min(g, x, coh_graph_constant(g, 0)));
  coh_value above = coh_op_scale(g, x, scale);
  return coh_op_select(g, coh_op_step(g, x), above,
                       coh_op_affine(g, below, scale * alpha, -scale * alpha));
}

static double value(const void *options, double x) {
  (void)options;
  return scale * (x > 0 ? x : alpha * expm1(x));
}

static double derivative(const void *options, double x) {
  (void)options;
  return scale * (x > 0 ? 1 : alpha * exp(x));
}

const coh_activation_type coh_activation_type_selu = {
    .layer = {.kind = {.name = "selu", .doc = "Self-normalising ELU (Klambauer et al. 2017)."},
              .build = coh_activation_build},
    .formula = "scale (x > 0 ? x : alpha (e^x - 1)), scale 1.0507, alpha 1.6733",
    .derivative_formula = "scale (x > 0 ? 1 : alpha e^x)",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .low = -1.7580993408473766,
    .high = INFINITY,
};
