/* Images shifted by whole pixels, zeros entering: Zhao et al., NeurIPS 2020. A shift is a
 * product with a matrix of ones beside its diagonal, along each axis; its transpose shifts
 * gradients back. */
#include "task/gan/gan_kinds.h"

static const coh_option table[] = {
    {.name = "share",
     .type = COH_REAL,
     .offset = offsetof(coh_gan_weight_options, weight),
     .initial = "0.125",
     .min = 0,
     .max = 0.5,
     .doc = "Largest shift, as a share of height and width."},
    {0},
};

// two matrices, (H, H) and (W, W)
static coh_shape input(const void *options, coh_shape sample) {
  (void)options;
  return COH_SHAPE(sample.size[0] * sample.size[0] + sample.size[1] * sample.size[1]);
}

static void shift_matrix(int64_t n, int64_t shift, float *to) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++)
      to[i * n + j] = j == i - shift ? 1.0f : 0.0f;
}

static void fill(const void *options, coh_shape sample, const double *uniform, float *to) {
  const coh_gan_weight_options *o = options;
  for (int axis = 0; axis < 2; axis++) {
    int64_t n = sample.size[axis], most = (int64_t)(o->weight * (double)n + 0.5);
    shift_matrix(n, (int64_t)(uniform[axis] * (double)(2 * most + 1)) - most, to);
    to += n * n;
  }
}

static coh_value build(const void *options, coh_graph *g, coh_value x, coh_value matrices) {
  (void)options;
  coh_shape s = coh_graph_shape(g, x);
  int64_t n = s.size[0], h = s.size[1], w = s.size[2], c = s.size[3];
  coh_value rows =
      coh_op_reshape(g, coh_op_slice(g, matrices, 1, 0, h * h), COH_SHAPE(n, h, h));
  coh_value columns =
      coh_op_reshape(g, coh_op_slice(g, matrices, 1, h * h, h * h + w * w), COH_SHAPE(n, w, w));
  x = coh_op_matmul(g, rows, coh_op_reshape(g, x, COH_SHAPE(n, h, w * c)));
  const int swap[4] = {0, 2, 1, 3};
  x = coh_op_transpose(g, coh_op_reshape(g, x, s), swap);
  x = coh_op_matmul(g, columns, coh_op_reshape(g, x, COH_SHAPE(n, w, h * c)));
  return coh_op_transpose(g, coh_op_reshape(g, x, COH_SHAPE(n, w, h, c)), swap);
}

const coh_gan_augment_type coh_gan_augment_type_translation = {
    .kind = {.name = "translation",
             .doc = "Images shifted by whole pixels (Zhao et al. 2020).",
             .options = table,
             .options_size = sizeof(coh_gan_weight_options)},
    .n_uniforms = 2,
    .input = input,
    .fill = fill,
    .build = build,
};
