/* Normal noise: the plain generator. */
#include "task/gan/gan_kinds.h"

typedef struct latent_options {
  int64_t size;
} latent_options;

static const coh_option table[] = {
    {.name = "size",
     .type = COH_INT,
     .offset = offsetof(latent_options, size),
     .initial = "64",
     .min = 1,
     .max = 1 << 20,
     .doc = "Numbers a row."},
    {0},
};

static coh_shape noise(const void *options, coh_shape sample) {
  (void)sample;
  return COH_SHAPE(((const latent_options *)options)->size);
}

static coh_status build(const void *options, coh_graph *g, coh_value real, coh_value drawn,
                        coh_value *out) {
  (void)options, (void)g, (void)real;
  *out = drawn;
  return COH_OK;
}

const coh_gan_source_type coh_gan_source_type_latent = {
    .kind = {.name = "latent",
             .doc = "Normal noise: images are generated out of nothing.",
             .options = table,
             .options_size = sizeof(latent_options)},
    .is_latent = true,
    .noise = noise,
    .build = build,
};
