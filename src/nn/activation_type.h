/* How an activation is written: one file in activations/ that defines a coh_activation_type,
 * and one line in activation.def. It is a layer without parameters, and knows its own value,
 * derivative and range in double precision, for tests, plots and diagnostics. */
#ifndef COHORT_NN_ACTIVATION_TYPE_H
#define COHORT_NN_ACTIVATION_TYPE_H

#include <math.h>

#include "nn/layer_type.h"

typedef struct coh_activation_type {
  coh_layer_type layer; /* first; its build is coh_activation_build */
  const char *formula, *derivative_formula;

  coh_value (*apply)(const void *options, coh_graph *graph, coh_value x);
  double (*value)(const void *options, double x);
  double (*derivative)(const void *options, double x);

  double low, high;                                              /* range of the values ... */
  void (*range)(const void *options, double *low, double *high); /* ... or, by options, this */
} coh_activation_type;

/* The build function of every activation. */
coh_status coh_activation_build(coh_layer_site *site, const void *options, coh_value in,
                                coh_value *out);

static inline double coh_sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

static inline double coh_softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}

#endif
