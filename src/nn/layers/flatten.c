/* (B, ...) -> (B, n): rows, columns, channels, the last fastest. */
#include "nn/layer_type.h"

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  (void)options;
  *out = coh_layer_flatten(site->graph, in);
  return COH_OK;
}

const coh_layer_type coh_layer_type_flatten = {
    .kind = {.name = "flatten", .doc = "From an image to a vector; dense does so by itself."},
    .build = build,
};
