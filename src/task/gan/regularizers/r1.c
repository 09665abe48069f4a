/* R1: gamma / 2 |dD/dx|^2 at real rows: Mescheder, Geiger and Nowozin, ICML 2018. */
#include "task/gan/gan_kinds.h"

const coh_gan_regularizer_type coh_gan_regularizer_type_r1 = {
    .kind = {.name = "r1",
             .doc = "gamma / 2 |dD/dx|^2 at real rows (Mescheder et al. 2018).",
             .options = coh_gan_slope_table,
             .options_size = sizeof(coh_gan_weight_options)},
    .where = COH_GAN_AT_REAL,
    .build = coh_gan_slope_penalty,
};
