/* normal with mean 0. DCGAN uses a deviation of 0.02 (Radford et al., ICLR 2016). */
#include <math.h>

#include "nn/initializer_type.h"

typedef struct normal_options {
  double deviation;
} normal_options;

static const coh_option table[] = {
    {.name = "deviation",
     .type = COH_REAL,
     .offset = offsetof(normal_options, deviation),
     .initial = "0.02",
     .min = 0,
     .max = INFINITY,
     .doc = "Standard deviation."},
    {0},
};

static coh_status weight(const void *options, const coh_fill *fill, coh_stream *stream) {
  const normal_options *o = options;
  coh_fill_normal(fill, o->deviation, stream);
  return COH_OK;
}

const coh_initializer_type coh_initializer_type_normal = {
    .kind = {.name = "normal",
             .doc = "Normal with a standard deviation.",
             .options = table,
             .options_size = sizeof(normal_options)},
    .weight = weight,
};
