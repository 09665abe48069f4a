/* The image's edges, the length of its Sobel gradient cut at a threshold: image translation
 * from outlines to objects, as pix2pix does it (Isola et al., CVPR 2017). */
#include "task/gan/gan_kinds.h"

typedef struct edges_options {
  double threshold;
} edges_options;

static const coh_option table[] = {
    {.name = "threshold",
     .type = COH_REAL,
     .offset = offsetof(edges_options, threshold),
     .initial = "0.25",
     .min = 0,
     .max = 100,
     .doc =
         "Pixels whose brightness changes by more than this a pixel are edges (1), others 0; "
         "in units of the loader's values."},
    {0},
};

static coh_shape noise(const void *options, coh_shape sample) {
  (void)options, (void)sample;
  return COH_SCALAR;
}

static coh_status build(const void *options, coh_graph *g, coh_value real, coh_value drawn,
                        coh_value *out) {
  const edges_options *o = options;
  (void)drawn;
  coh_shape shape = coh_graph_shape(g, real);
  COH_CHECK(shape.rank == 4, COH_E_CONFIG, "source: edges needs images");
  // two filters (3, 3, 1, 2) on the mean of the channels: d/dx and d/dy
  static const float sobel[18] = {-1, -1, 0, -2, 1, -1, -2, 0, 0, 0, 2, 0, -1, 1, 0, 2, 1, 1};
  coh_value filters = coh_graph_constant_array(g, COH_SHAPE(3, 3, 1, 2), sobel);
  const coh_window window = {.pad_before = {1, 1}, .pad_after = {1, 1}};
  coh_value gray = coh_op_mean(g, real, (int[]){3}, 1, true);
  coh_value slope = coh_op_scale(g, coh_op_conv2d(g, gray, filters, window), 1.0 / 8);
  coh_value length = coh_op_sum(g, coh_op_square(g, slope), (int[]){3}, 1, true);
  *out = coh_op_greater(g, length, coh_graph_constant(g, o->threshold * o->threshold));
  return coh_graph_status(g);
}

const coh_gan_source_type coh_gan_source_type_edges = {
    .kind = {.name = "edges",
             .doc = "The image's outlines: image translation (pix2pix).",
             .options = table,
             .options_size = sizeof(edges_options)},
    .noise = noise,
    .build = build,
};
