/* How an initialiser is written: one file in initializers/ that defines a coh_initializer_type,
 * and one line in initializer.def. */
#ifndef COHORT_NN_INITIALIZER_TYPE_H
#define COHORT_NN_INITIALIZER_TYPE_H

#include <stddef.h>

#include "cohort/nn.h"
#include "cohort/random.h"

/* The parameter to be filled. */
typedef struct coh_fill {
  float *data; /* out */
  int64_t n;
  int64_t n_rows, n_columns; /* as a matrix: inputs of a unit, units; n_rows n_columns = n */
  int64_t fan_in, fan_out;   /* inputs that reach one output; outputs that one input reaches */
} coh_fill;

typedef struct coh_initializer_type {
  coh_kind kind; /* first, so that a coh_kind of the registry casts to its type */

  /* Fill a weight; draws come from the stream, which is the parameter's own. */
  coh_status (*weight)(const void *options, const coh_fill *fill, coh_stream *stream);

  /* Fill a bias (fan_in, fan_out: of the weight it belongs to); NULL: zeros. */
  coh_status (*bias)(const void *options, const coh_fill *fill, coh_stream *stream);
} coh_initializer_type;

/* Options of the initialisers that scale a distribution by a gain. */
typedef struct coh_gain_options {
  double gain;
} coh_gain_options;
extern const coh_option coh_gain_table[];

/* Options of he_uniform and he_normal. */
typedef struct coh_he_options {
  double slope; /* of the (leaky) ReLU that follows, below zero */
  int fan;
} coh_he_options;
extern const coh_option coh_he_table[];

/* The standard deviation of He et al.: sqrt(2 / (1 + slope^2) / fan). */
double coh_he_deviation(const coh_he_options *options, const coh_fill *fill);

/* Draw every element, in order: uniform in [-bound, bound), or normal with mean 0. */
void coh_fill_uniform(const coh_fill *fill, double bound, coh_stream *stream);
void coh_fill_normal(const coh_fill *fill, double deviation, coh_stream *stream);

#endif
