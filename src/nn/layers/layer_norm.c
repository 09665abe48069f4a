/* Layer normalisation over the last axis (a vector's components, a pixel's channels): Ba, Kiros
 * and Hinton, 2016.
 *   y = (x - mean) / sqrt(variance + epsilon) * weight + bias,  variance over n, not n - 1 */
#include <math.h>

#include "nn/layer_type.h"

typedef struct layer_norm_options {
  double epsilon;
  bool affine;
} layer_norm_options;

static const coh_option table[] = {
    {.name = "epsilon",
     .type = COH_REAL,
     .offset = offsetof(layer_norm_options, epsilon),
     .initial = "1e-5",
     .min = 1e-12,
     .max = INFINITY,
     .doc = "Added to the variance."},
    {.name = "affine",
     .type = COH_BOOL,
     .offset = offsetof(layer_norm_options, affine),
     .initial = "true",
     .doc = "Learn a gain and a bias."},
    {0},
};

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const layer_norm_options *o = options;
  coh_graph *g = site->graph;
  const int last = -1;
  coh_value centred = coh_op_sub(g, in, coh_op_mean(g, in, &last, 1, true));
  coh_value variance = coh_op_mean(g, coh_op_square(g, centred), &last, 1, true);
  coh_value y =
      coh_op_mul(g, centred, coh_op_rsqrt(g, coh_op_affine(g, variance, 1, o->epsilon)));
  if (o->affine) {
    coh_shape shape = coh_graph_shape(g, in);
    coh_parameter_plan plan = {.role = COH_ROLE_ONES,
                               .shape = COH_SHAPE(shape.size[shape.rank - 1])};
    coh_value weight, bias;
    COH_TRY(coh_layer_parameter(site, "weight", &plan, &weight));
    plan.role = COH_ROLE_ZEROS;
    COH_TRY(coh_layer_parameter(site, "bias", &plan, &bias));
    y = coh_op_add(g, coh_op_mul(g, y, weight), bias);
  }
  *out = y;
  return COH_OK;
}

const coh_layer_type coh_layer_type_layer_norm = {
    .kind = {.name = "layer_norm",
             .doc = "Normalise over the last axis (Ba et al. 2016).",
             .options = table,
             .options_size = sizeof(layer_norm_options)},
    .build = build,
};
