/* R2: gamma / 2 |dD/dx|^2 at generated rows: Mescheder, Geiger and Nowozin, ICML 2018. */
#include "task/gan/gan_kinds.h"

const coh_gan_regularizer_type coh_gan_regularizer_type_r2 = {
    .kind = {.name = "r2",
             .doc = "gamma / 2 |dD/dx|^2 at generated rows (Mescheder et al. 2018).",
             .options = coh_gan_slope_table,
             .options_size = sizeof(coh_gan_weight_options)},
    .where = COH_GAN_AT_FAKE,
    .build = coh_gan_slope_penalty,
};
