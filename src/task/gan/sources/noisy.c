/* The image under normal noise, clipped to its range: denoising. */
#include "task/gan/gan_kinds.h"

typedef struct noisy_options {
  double deviation;
} noisy_options;

static const coh_option table[] = {
    {.name = "deviation",
     .type = COH_REAL,
     .offset = offsetof(noisy_options, deviation),
     .initial = "0.2",
     .min = 0,
     .max = 10,
     .doc = "Standard deviation of the noise, in units of the loader's values."},
    {0},
};

static coh_shape noise(const void *options, coh_shape sample) {
  (void)options;
  return sample;
}

static coh_status build(const void *options, coh_graph *g, coh_value real, coh_value drawn,
                        coh_value *out) {
  const noisy_options *o = options;
  *out = coh_op_add(g, real, coh_op_scale(g, drawn, o->deviation));
  return COH_OK;
}

const coh_gan_source_type coh_gan_source_type_noisy = {
    .kind = {.name = "noisy",
             .doc = "The image under noise: denoising.",
             .options = table,
             .options_size = sizeof(noisy_options)},
    .is_poorer = true,
    .noise = noise,
    .build = build,
};
