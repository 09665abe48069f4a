/* Exponential linear unit: Clevert, Unterthiner and Hochreiter, ICLR 2016. */
#include "nn/activation_type.h"

typedef struct elu_options {
  double alpha;
} elu_options;

static const coh_option table[] = {
    {.name = "alpha",
     .type = COH_REAL,
     .offset = offsetof(elu_options, alpha),
     .initial = "1",
     .min = 0,
     .max = INFINITY,
     .doc = "Depth below zero."},
    {0},
};

static coh_value apply(const void *options, coh_graph *g, coh_value x) {
  const elu_options *o = options;
  // the exponential never sees a positive x, so that it cannot overflow
  coh_value below = coh_op_exp(g, coh_op_min(g, x, coh_graph_constant(g, 0)));
  return coh_op_select(g, coh_op_step(g, x), x, coh_op_affine(g, below, o->alpha, -o->alpha));
}

static double value(const void *options, double x) {
  const elu_options *o = options;
  return x > 0 ? x : o->alpha * expm1(x);
}

static double derivative(const void *options, double x) {
  const elu_options *o = options;
  return x > 0 ? 1 : o->alpha * exp(x);
}

static void range(const void *options, double *low, double *high) {
  const elu_options *o = options;
  *low = -o->alpha;
  *high = INFINITY;
}

const coh_activation_type coh_activation_type_elu = {
    .layer = {.kind = {.name = "elu",
                       .doc = "Exponential linear unit (Clevert et al. 2016).",
                       .options = table,
                       .options_size = sizeof(elu_options)},
              .build = coh_activation_build},
    .formula = "x > 0 ? x : alpha (e^x - 1)",
    .derivative_formula = "x > 0 ? 1 : alpha e^x",
    .apply = apply,
    .value = value,
    .derivative = derivative,
    .range = range,
};
