/* uniform(-b, b), b = gain sqrt(6 / (fan_in + fan_out)): Glorot and Bengio, AISTATS 2010. */
#include <math.h>

#include "nn/initializer_type.h"

static coh_status weight(const void *options, const coh_fill *fill, coh_stream *stream) {
  const coh_gain_options *o = options;
  double fans = (double)(fill->fan_in + fill->fan_out);
  coh_fill_uniform(fill, o->gain * sqrt(6 / fans), stream);
  return COH_OK;
}

const coh_initializer_type coh_initializer_type_glorot_uniform = {
    .kind = {.name = "glorot_uniform",
             .doc = "Uniform with variance 2 / (fan_in + fan_out), for tanh (Glorot and Bengio "
                    "2010; Xavier).",
             .options = coh_gain_table,
             .options_size = sizeof(coh_gain_options)},
    .weight = weight,
};
