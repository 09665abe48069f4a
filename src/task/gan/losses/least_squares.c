/* Least squares: ((D(x) - 1)^2 + D(G(z))^2) / 2 and (D(G(z)) - 1)^2 / 2: Mao et al., ICCV 2017.
 */
#include "task/gan/gan_kinds.h"

static void build(const void *options, coh_graph *g, coh_value real, coh_value fake,
                  coh_value *discriminator, coh_value *generator) {
  (void)options;
  coh_value missed = coh_op_square(g, coh_op_affine(g, real, 1, -1));
  *discriminator = coh_op_scale(g, coh_op_add(g, missed, coh_op_square(g, fake)), 0.5);
  *generator = coh_op_scale(g, coh_op_square(g, coh_op_affine(g, fake, 1, -1)), 0.5);
}

const coh_gan_loss_type coh_gan_loss_type_least_squares = {
    .kind = {.name = "least_squares", .doc = "Squared distances to 1 and 0 (Mao et al. 2017)."},
    .build = build,
};
