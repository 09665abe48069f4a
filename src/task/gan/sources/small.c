/* The image made smaller (means of squares of pixels): super-resolution. */
#include "task/gan/gan_kinds.h"

typedef struct small_options {
  int64_t factor;
} small_options;

static const coh_option table[] = {
    {.name = "factor",
     .type = COH_INT,
     .offset = offsetof(small_options, factor),
     .initial = "2",
     .min = 2,
     .max = 16,
     .doc = "How many times smaller; divides height and width."},
    {0},
};

static coh_shape noise(const void *options, coh_shape sample) {
  (void)options, (void)sample;
  return COH_SCALAR;
}

static coh_status build(const void *options, coh_graph *g, coh_value real, coh_value drawn,
                        coh_value *out) {
  const small_options *o = options;
  (void)drawn;
  coh_shape shape = coh_graph_shape(g, real);
  COH_CHECK(shape.rank == 4, COH_E_CONFIG, "source: small needs images");
  COH_CHECK(shape.size[1] % o->factor == 0 && shape.size[2] % o->factor == 0, COH_E_CONFIG,
            "source: small: a factor of %lld does not divide images of %lld x %lld",
            (long long)o->factor, (long long)shape.size[1], (long long)shape.size[2]);
  *out = coh_op_shrink(g, real, o->factor, COH_RESAMPLE_NEAREST);
  return COH_OK;
}

const coh_gan_source_type coh_gan_source_type_small = {
    .kind = {.name = "small",
             .doc = "The image made smaller: super-resolution.",
             .options = table,
             .options_size = sizeof(small_options)},
    .is_poorer = true,
    .noise = noise,
    .build = build,
};
