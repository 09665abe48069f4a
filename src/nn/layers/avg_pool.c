/* Pooling: the mean of each window, channel by channel; zeros of the padding count. */
#include "nn/pool.h"

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const coh_pool_options *o = options;
  int64_t kernel[2];
  coh_window window;
  COH_TRY(coh_layer_window(site, in, &o->kernel, &o->stride, o->padding, kernel, &window));
  *out = coh_op_avg_pool(site->graph, in, kernel[0], kernel[1], window);
  return COH_OK;
}

const coh_layer_type coh_layer_type_avg_pool = {
    .kind = {.name = "avg_pool",
             .doc = "The mean of each window; padding counts as zeros.",
             .options = coh_pool_table,
             .options_size = sizeof(coh_pool_options)},
    .build = build,
};
