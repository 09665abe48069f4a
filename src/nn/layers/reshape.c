/* The same values in another shape, e.g. a vector as a small image of many channels. */
#include "nn/layer_type.h"

typedef struct reshape_options {
  coh_int_list shape;
} reshape_options;

static const coh_option table[] = {
    {.name = "shape",
     .type = COH_INTS,
     .offset = offsetof(reshape_options, shape),
     .min = 1,
     .max = 1 << 24,
     .doc = "Sizes of one sample, e.g. [7, 7, 64] for height, width and channels."},
    {0},
};

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const reshape_options *o = options;
  coh_shape from = coh_graph_shape(site->graph, in), to = {.rank = 1, .size = {from.size[0]}};
  COH_CHECK(o->shape.n_items >= 1 && o->shape.n_items < COH_MAX_RANK, COH_E_CONFIG,
            "a sample has 1 to %d sizes, not %lld", COH_MAX_RANK - 1,
            (long long)o->shape.n_items);
  for (int64_t k = 0; k < o->shape.n_items; k++)
    to.size[to.rank++] = o->shape.item[k];
  char found[96], wanted[96];
  COH_CHECK(coh_shape_count(from) == coh_shape_count(to), COH_E_CONFIG,
            "%s does not have as many values as %s", coh_shape_text(from, true, found),
            coh_shape_text(to, true, wanted));
  *out = coh_op_reshape(site->graph, in, to);
  return COH_OK;
}

const coh_layer_type coh_layer_type_reshape = {
    .kind = {.name = "reshape",
             .doc = "The same values in another shape.",
             .options = table,
             .options_size = sizeof(reshape_options)},
    .build = build,
};
