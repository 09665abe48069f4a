/* R1: gamma / 2 |dD/dx|^2 at real rows: Mescheder, Geiger and Nowozin, ICML 2018. */
#include <math.h>

#include "task/gan/gan_kinds.h"

static const coh_option table[] = {
    {.name = "weight",
     .type = COH_REAL,
     .offset = offsetof(coh_gan_weight_options, weight),
     .initial = "1",
     .min = 0,
     .max = INFINITY,
     .doc = "gamma."},
    {0},
};

static coh_value build(const void *options, coh_graph *g, coh_value squares) {
  const coh_gan_weight_options *o = options;
  return coh_op_scale(g, squares, o->weight / 2);
}

const coh_gan_regularizer_type coh_gan_regularizer_type_r1 = {
    .kind = {.name = "r1",
             .doc = "gamma / 2 |dD/dx|^2 at real rows (Mescheder et al. 2018).",
             .options = table,
             .options_size = sizeof(coh_gan_weight_options)},
    .where = COH_GAN_AT_REAL,
    .build = build,
};
