/* Piecewise-linear sigmoid with the slope of 1/6 that MobileNetV3 uses: Howard et al., ICCV
 * 2019. */
#include "nn/activation_type.h"

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  (void)options;
  return coh_op_clip(g, coh_op_affine(g, x, 1.0 / 6, 0.5), 0, 1);
}

static double value(const void *options, double x) {
  (void)options;
  return fmin(fmax(x / 6 + 0.5, 0), 1);
}

static double derivative(const void *options, double x) {
  (void)options;
  return fabs(x) <= 3 ? 1.0 / 6 : 0;
}

const coh_activation_type coh_activation_type_hard_sigmoid = {
    .layer = {.kind = {.name = "hard_sigmoid",
                       .doc = "Piecewise-linear sigmoid (Howard et al. 2019)."},
              .build = coh_activation_build},
    .formula = "clip(x / 6 + 1/2, 0, 1)",
    .derivative_formula = "-3 <= x <= 3 ? 1/6 : 0",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .low = 0,
    .high = 1,
};
