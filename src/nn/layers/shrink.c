/* An image of fewer pixels, each a weighted mean, so that nothing aliases. */
#include "nn/resample.h"

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const coh_resample_options *o = options;
  *out = coh_op_shrink(site->graph, in, o->factor, (coh_resample_method)o->method);
  return COH_OK;
}

const coh_layer_type coh_layer_type_shrink = {
    .kind = {.name = "shrink",
             .doc = "Shrink an image after smoothing it.",
             .options = coh_resample_table,
             .options_size = sizeof(coh_resample_options)},
    .build = build,
};
