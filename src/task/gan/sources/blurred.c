/* The image after repeated 3 x 3 means: deblurring. */
#include "task/gan/gan_kinds.h"

typedef struct blurred_options {
  int64_t times;
} blurred_options;

static const coh_option table[] = {
    {.name = "times",
     .type = COH_INT,
     .offset = offsetof(blurred_options, times),
     .initial = "1",
     .min = 1,
     .max = 8,
     .doc = "How often each pixel is replaced by the mean of its 3 x 3 neighbourhood."},
    {0},
};

static coh_shape noise(const void *options, coh_shape sample) {
  (void)options, (void)sample;
  return COH_SCALAR;
}

static coh_status build(const void *options, coh_graph *g, coh_value real, coh_value drawn,
                        coh_value *out) {
  const blurred_options *o = options;
  (void)drawn;
  const coh_window window = {.stride = {1, 1}, .pad_before = {1, 1}, .pad_after = {1, 1}};
  *out = real;
  for (int64_t k = 0; k < o->times; k++)
    *out = coh_op_avg_pool(g, *out, 3, 3, window);
  return coh_graph_status(g);
}

const coh_gan_source_type coh_gan_source_type_blurred = {
    .kind = {.name = "blurred",
             .doc = "The image blurred: deblurring.",
             .options = table,
             .options_size = sizeof(blurred_options)},
    .is_poorer = true,
    .noise = noise,
    .build = build,
};
