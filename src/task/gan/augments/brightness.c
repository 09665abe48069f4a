/* All pixels of an image brighter or darker by one number: Zhao et al., NeurIPS 2020. */
#include "task/gan/gan_kinds.h"

static const coh_option table[] = {
    {.name = "strength",
     .type = COH_REAL,
     .offset = offsetof(coh_gan_weight_options, weight),
     .initial = "0.5",
     .min = 0,
     .max = 10,
     .doc = "Largest change, in units of the loader's values."},
    {0},
};

static coh_shape input(const void *options, coh_shape sample) {
  (void)options, (void)sample;
  return COH_SHAPE(1);
}

static void fill(const void *options, coh_shape sample, const double *uniform, float *to) {
  const coh_gan_weight_options *o = options;
  (void)sample;
  *to = (float)(o->weight * (2 * uniform[0] - 1));
}

static coh_value build(const void *options, coh_graph *g, coh_value x, coh_value shift) {
  (void)options;
  int64_t n = coh_graph_shape(g, x).size[0];
  return coh_op_add(g, x, coh_op_reshape(g, shift, COH_SHAPE(n, 1, 1, 1)));
}

const coh_gan_augment_type coh_gan_augment_type_brightness = {
    .kind = {.name = "brightness",
             .doc = "Images brighter or darker as a whole (Zhao et al. 2020).",
             .options = table,
             .options_size = sizeof(coh_gan_weight_options)},
    .n_uniforms = 1,
    .input = input,
    .fill = fill,
    .build = build,
};
