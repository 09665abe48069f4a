/* uniform(-bound, bound). */
#include <math.h>

#include "nn/initializer_type.h"

typedef struct uniform_options {
  double bound;
} uniform_options;

static const coh_option table[] = {
    {.name = "bound",
     .type = COH_REAL,
     .offset = offsetof(uniform_options, bound),
     .initial = "0.05",
     .min = 0,
     .max = INFINITY,
     .doc = "Largest magnitude."},
    {0},
};

static coh_status weight(const void *options, const coh_fill *fill, coh_stream *stream) {
  const uniform_options *o = options;
  coh_fill_uniform(fill, o->bound, stream);
  return COH_OK;
}

const coh_initializer_type coh_initializer_type_uniform = {
    .kind = {.name = "uniform",
             .doc = "Uniform within a bound.",
             .options = table,
             .options_size = sizeof(uniform_options)},
    .weight = weight,
};
