/* A random rectangle of every image set to zero: the cutout of Zhao et al., NeurIPS 2020. */
#include "task/gan/gan_kinds.h"

static const coh_option table[] = {
    {.name = "share",
     .type = COH_REAL,
     .offset = offsetof(coh_gan_weight_options, weight),
     .initial = "0.5",
     .min = 0,
     .max = 1,
     .doc = "Size of the rectangle, as a share of height and width."},
    {0},
};

static coh_shape input(const void *options, coh_shape sample) {
  (void)options;
  return COH_SHAPE(sample.size[0] * sample.size[1]);
}

static void fill(const void *options, coh_shape sample, const double *uniform, float *to) {
  const coh_gan_weight_options *o = options;
  int64_t first[2], last[2];
  for (int axis = 0; axis < 2; axis++) {
    int64_t n = sample.size[axis], size = (int64_t)(o->weight * (double)n + 0.5);
    first[axis] = (int64_t)(uniform[axis] * (double)(n + 1 - size % 2)) - size / 2;
    last[axis] = first[axis] + size;
  }
  for (int64_t i = 0; i < sample.size[0]; i++)
    for (int64_t j = 0; j < sample.size[1]; j++)
      to[i * sample.size[1] + j] =
          i >= first[0] && i < last[0] && j >= first[1] && j < last[1] ? 0.0f : 1.0f;
}

static coh_value build(const void *options, coh_graph *g, coh_value x, coh_value mask) {
  (void)options;
  coh_shape s = coh_graph_shape(g, x);
  return coh_op_mul(g, x,
                    coh_op_reshape(g, mask, COH_SHAPE(s.size[0], s.size[1], s.size[2], 1)));
}

const coh_gan_augment_type coh_gan_augment_type_erasing = {
    .kind = {.name = "erasing",
             .doc = "A random rectangle set to zero (cutout; Zhao et al. 2020).",
             .options = table,
             .options_size = sizeof(coh_gan_weight_options)},
    .n_uniforms = 2,
    .input = input,
    .fill = fill,
    .build = build,
};
