/* A ReLU that leaks below zero: Maas, Hannun and Ng, 2013. */
#include "nn/activation_type.h"

typedef struct leaky_relu_options {
  double slope;
} leaky_relu_options;

static const coh_option table[] = {
    {.name = "slope",
     .type = COH_REAL,
     .offset = offsetof(leaky_relu_options, slope),
     .initial = "0.01",
     .min = 0,
     .max = 1,
     .doc = "Slope below zero."},
    {0},
};

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  const leaky_relu_options *o = options;
  return coh_op_leaky_relu(g, x, o->slope);
}

static double value(const void *options, double x) {
  const leaky_relu_options *o = options;
  return x > 0 ? x : o->slope * x;
}

static double derivative(const void *options, double x) {
  const leaky_relu_options *o = options;
  return x > 0 ? 1 : o->slope;
}

static void range(const void *options, double *low, double *high) {
  const leaky_relu_options *o = options;
  *low = o->slope > 0 ? -INFINITY : 0;
  *high = INFINITY;
}

const coh_activation_type coh_activation_type_leaky_relu = {
    .layer = {.kind = {.name = "leaky_relu",
                       .doc = "ReLU with a slope below zero (Maas et al. 2013).",
                       .options = table,
                       .options_size = sizeof(leaky_relu_options)},
              .build = coh_activation_build},
    .formula = "x > 0 ? x : slope x",
    .derivative_formula = "x > 0 ? 1 : slope",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .range = range,
};
