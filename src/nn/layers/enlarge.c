/* An image of more pixels, each a weighted mean of its neighbours. */
#include "nn/resample.h"

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const coh_resample_options *o = options;
  *out = coh_op_enlarge(site->graph, in, o->factor, (coh_resample_method)o->method);
  return COH_OK;
}

const coh_layer_type coh_layer_type_enlarge = {
    .kind = {.name = "enlarge",
             .doc = "Enlarge an image by interpolation.",
             .options = coh_resample_table,
             .options_size = sizeof(coh_resample_options)},
    .build = build,
};
