/* A fully connected layer: y (B, units) = x (B, n) W (n, units) + b (units). Inputs of a higher
 * rank are flattened. */
#include <math.h>

#include "nn/layer_type.h"

typedef struct dense_options {
  int64_t units;
  bool bias, spectral;
  coh_choice init;
} dense_options;

static const coh_option table[] = {
    {.name = "units",
     .type = COH_INT,
     .offset = offsetof(dense_options, units),
     .min = 1,
     .max = 1 << 24,
     .doc = "Outputs."},
    {.name = "bias",
     .type = COH_BOOL,
     .offset = offsetof(dense_options, bias),
     .initial = "true",
     .doc = "Add a bias; of no use right before layer_norm."},
    {.name = "spectral",
     .type = COH_BOOL,
     .offset = offsetof(dense_options, spectral),
     .initial = "false",
     .doc = "Divide the weights by their largest singular value (Miyato et al. 2018)."},
    {.name = "init",
     .type = COH_KIND,
     .offset = offsetof(dense_options, init),
     .initial = "",
     .kinds = &coh_initializer_kinds,
     .doc = "How the weights begin; empty: as the network says."},
    {0},
};

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const dense_options *o = options;
  coh_dense_plan plan = {.leaf = "",
                         .units = o->units,
                         .bias = o->bias,
                         .spectral = o->spectral,
                         .initializer = &o->init};
  return coh_layer_dense(site, &plan, in, out);
}

const coh_layer_type coh_layer_type_dense = {
    .kind = {.name = "dense",
             .doc = "Fully connected; flattens its input.",
             .options = table,
             .options_size = sizeof(dense_options)},
    .build = build,
};

// the layer that a network without a head ends with: the same, as wide as the caller asks
static coh_status build_output(coh_layer_site *site, const void *options, coh_value in,
                               coh_value *out) {
  (void)options;
  coh_dense_plan plan = {.leaf = "", .units = site->n_outputs, .bias = true};
  return coh_layer_dense(site, &plan, in, out);
}

const coh_layer_type coh_layer_type_output = {
    .kind = {.name = "output", .doc = "The fully connected layer at the end of a network."},
    .is_head = true,
    .build = build_output,
};
