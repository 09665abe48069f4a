/* uniform(-b, b), b = gain sqrt(3 / fan_in): LeCun et al., "Efficient backprop", 1998. */
#include <math.h>

#include "nn/initializer_type.h"

static coh_status weight(const void *options, const coh_fill *fill, coh_stream *stream) {
  const coh_gain_options *o = options;
  coh_fill_uniform(fill, o->gain * sqrt(3 / (double)fill->fan_in), stream);
  return COH_OK;
}

const coh_initializer_type coh_initializer_type_lecun_uniform = {
    .kind = {.name = "lecun_uniform",
             .doc = "Uniform with variance 1 / fan_in (LeCun et al. 1998).",
             .options = coh_gain_table,
             .options_size = sizeof(coh_gain_options)},
    .weight = weight,
};
