/* The registry of initialisers and what several of them share. */
#include "nn/initializer_type.h"

#include <math.h>

#define X(name) extern const coh_initializer_type coh_initializer_type_##name;
#include "nn/initializers/initializer.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_initializer_type_##name.kind,
#include "nn/initializers/initializer.def"
#undef X
};

const coh_kind_set coh_initializer_kinds = {
    .noun = "initialiser",
    .kinds = kinds,
    .n_kinds = (int64_t)(sizeof kinds / sizeof kinds[0]),
};

const coh_option coh_gain_table[] = {
    {.name = "gain",
     .type = COH_REAL,
     .offset = offsetof(coh_gain_options, gain),
     .initial = "1",
     .min = 0,
     .max = INFINITY,
     .doc = "Factor of the standard deviation."},
    {0},
};

const coh_option coh_he_table[] = {
    {.name = "slope",
     .type = COH_REAL,
     .offset = offsetof(coh_he_options, slope),
     .initial = "0",
     .min = 0,
     .max = INFINITY,
     .doc = "Slope below zero of the leaky ReLU that follows; 0: a ReLU."},
    {.name = "fan",
     .type = COH_CHOICE,
     .offset = offsetof(coh_he_options, fan),
     .initial = "in",
     .choices = "in|out",
     .doc = "Keep the variance of activations (in) or that of gradients (out)."},
    {0},
};

double coh_he_deviation(const coh_he_options *options, const coh_fill *fill) {
  enum { FAN_IN };
  double fan = (double)(options->fan == FAN_IN ? fill->fan_in : fill->fan_out);
  return sqrt(2 / (1 + options->slope * options->slope) / fan);
}

void coh_fill_uniform(const coh_fill *fill, double bound, coh_stream *stream) {
  for (int64_t i = 0; i < fill->n; i++)
    fill->data[i] = (float)(bound * (2 * coh_stream_uniform(stream) - 1));
}

void coh_fill_normal(const coh_fill *fill, double deviation, coh_stream *stream) {
  for (int64_t i = 0; i < fill->n; i++)
    fill->data[i] = (float)(deviation * coh_stream_normal(stream));
}
