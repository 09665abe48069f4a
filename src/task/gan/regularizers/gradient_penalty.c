/* lambda (|dD/dx| - 1)^2 at random mixtures of real and generated rows: Gulrajani et al.,
 * NeurIPS 2017. */
#include <math.h>

#include "task/gan/gan_kinds.h"

static const coh_option table[] = {
    {.name = "weight",
     .type = COH_REAL,
     .offset = offsetof(coh_gan_weight_options, weight),
     .initial = "10",
     .min = 0,
     .max = INFINITY,
     .doc = "lambda."},
    {0},
};

static coh_value build(const void *options, coh_graph *g, coh_value squares) {
  const coh_gan_weight_options *o = options;
  coh_value norm = coh_op_sqrt(g, coh_op_affine(g, squares, 1, 1e-12));
  return coh_op_scale(g, coh_op_square(g, coh_op_affine(g, norm, 1, -1)), o->weight);
}

const coh_gan_regularizer_type coh_gan_regularizer_type_gradient_penalty = {
    .kind =
        {.name = "gradient_penalty",
         .doc =
             "lambda (|dD/dx| - 1)^2 between real and generated rows (Gulrajani et al. 2017).",
         .options = table,
         .options_size = sizeof(coh_gan_weight_options)},
    .where = COH_GAN_BETWEEN,
    .build = build,
};
