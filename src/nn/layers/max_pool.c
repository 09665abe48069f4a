/* Pooling: the largest value of each window, channel by channel; padding never wins. */
#include "nn/pool.h"

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const coh_pool_options *o = options;
  int64_t kernel[2];
  coh_window window;
  COH_TRY(coh_layer_window(site, in, &o->kernel, &o->stride, o->padding, kernel, &window));
  *out = coh_op_max_pool(site->graph, in, kernel[0], kernel[1], window);
  return COH_OK;
}

const coh_layer_type coh_layer_type_max_pool = {
    .kind = {.name = "max_pool",
             .doc = "The largest value of each window.",
             .options = coh_pool_table,
             .options_size = sizeof(coh_pool_options)},
    .build = build,
};
