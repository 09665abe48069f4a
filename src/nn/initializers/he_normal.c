/* normal with the deviation of He et al., "Delving deep into rectifiers", ICCV 2015. */
#include "nn/initializer_type.h"

static coh_status weight(const void *options, const coh_fill *fill, coh_stream *stream) {
  const coh_he_options *o = options;
  coh_fill_normal(fill, coh_he_deviation(o, fill), stream);
  return COH_OK;
}

const coh_initializer_type coh_initializer_type_he_normal = {
    .kind = {.name = "he_normal",
             .doc =
                 "Normal with variance 2 / fan_in, for ReLU (He et al. 2015; Kaiming normal).",
             .options = coh_he_table,
             .options_size = sizeof(coh_he_options)},
    .weight = weight,
};
