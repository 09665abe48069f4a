/* What several losses or regularisers of the GAN share. */
#include <math.h>

#include "task/gan/gan_kinds.h"

const coh_option coh_gan_slope_table[] = {
    {.name = "weight",
     .type = COH_REAL,
     .offset = offsetof(coh_gan_weight_options, weight),
     .initial = "1",
     .min = 0,
     .max = INFINITY,
     .doc = "gamma."},
    {0},
};

coh_value coh_gan_slope_penalty(const void *options, coh_graph *g, coh_value squares) {
  const coh_gan_weight_options *o = options;
  return coh_op_scale(g, squares, o->weight / 2);
}

const coh_option coh_gan_smoothing_table[] = {
    {.name = "smoothing",
     .type = COH_REAL,
     .offset = offsetof(coh_gan_smoothing_options, smoothing),
     .initial = "0",
     .min = 0,
     .max = 0.5,
     .doc =
         "One-sided label smoothing: real rows count as real by 1 minus this (Salimans et al. "
         "2016)."},
    {0},
};

coh_value coh_gan_log_loss(const coh_gan_smoothing_options *options, coh_graph *g,
                           coh_value real, coh_value fake) {
  coh_value missed = coh_op_softplus(g, coh_op_neg(g, real));
  coh_value smoothed =
      coh_op_add(g, coh_op_scale(g, missed, 1 - options->smoothing),
                 coh_op_scale(g, coh_op_softplus(g, real), options->smoothing));
  return coh_op_add(g, smoothed, coh_op_softplus(g, fake));
}
