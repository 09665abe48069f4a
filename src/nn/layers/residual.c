/* A residual block: y = shortcut(x) + body(x), He et al., CVPR 2016. An empty shortcut is x
 * itself. With the body's last weights at zero a deep network begins as a shallow one, and
 * needs no normalisation (Zhang, Dauphin, Ma, "Fixup", ICLR 2019). */
#include "nn/layer_type.h"

typedef struct residual_options {
  coh_choice_list body, shortcut;
} residual_options;

static const coh_option table[] = {
    {.name = "body",
     .type = COH_KINDS,
     .offset = offsetof(residual_options, body),
     .kinds = &coh_layer_kinds,
     .doc = "Layers of the block."},
    {.name = "shortcut",
     .type = COH_KINDS,
     .offset = offsetof(residual_options, shortcut),
     .initial = "[]",
     .kinds = &coh_layer_kinds,
     .doc = "Layers beside it, where the shape changes; empty: none."},
    {0},
};

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const residual_options *o = options;
  coh_graph *g = site->graph;
  coh_value body, shortcut;
  COH_TRY(coh_layer_list(site, "body", &o->body, in, &body));
  COH_TRY(coh_layer_list(site, "shortcut", &o->shortcut, in, &shortcut));
  coh_shape a = coh_graph_shape(g, body), b = coh_graph_shape(g, shortcut);
  char one[96], other[96];
  COH_CHECK(coh_shape_equal(a, b), COH_E_CONFIG,
            "the body makes %s and the shortcut %s; they must be equal",
            coh_shape_text(a, true, one), coh_shape_text(b, true, other));
  *out = coh_op_add(g, shortcut, body);
  return COH_OK;
}

const coh_layer_type coh_layer_type_residual = {
    .kind = {.name = "residual",
             .doc = "A block of layers whose result is added to its input (He et al. 2016).",
             .options = table,
             .options_size = sizeof(residual_options)},
    .build = build,
};
