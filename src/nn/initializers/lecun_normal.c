/* normal, deviation gain sqrt(1 / fan_in): LeCun et al., "Efficient backprop", 1998; what SELU
 * wants (Klambauer et al., NeurIPS 2017). */
#include <math.h>

#include "nn/initializer_type.h"

static coh_status weight(const void *options, const coh_fill *fill, coh_stream *stream) {
  const coh_gain_options *o = options;
  coh_fill_normal(fill, o->gain * sqrt(1 / (double)fill->fan_in), stream);
  return COH_OK;
}

const coh_initializer_type coh_initializer_type_lecun_normal = {
    .kind = {.name = "lecun_normal",
             .doc = "Normal with variance 1 / fan_in, for selu (LeCun et al. 1998).",
             .options = coh_gain_table,
             .options_size = sizeof(coh_gain_options)},
    .weight = weight,
};
