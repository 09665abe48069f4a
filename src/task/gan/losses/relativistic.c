/* Relativistic pairing: softplus(D(G(z)) - D(x)) and softplus(D(x) - D(G(z))):
 * Jolicoeur-Martineau, ICLR 2019; with R1 and R2 it is the loss of R3GAN: Huang et al., NeurIPS
 * 2024. */
#include "task/gan/gan_kinds.h"

static void build(const void *options, coh_graph *g, coh_value real, coh_value fake,
                  coh_value *discriminator, coh_value *generator) {
  (void)options;
  coh_value difference = coh_op_sub(g, fake, real);
  *discriminator = coh_op_softplus(g, difference);
  *generator = coh_op_softplus(g, coh_op_neg(g, difference));
}

const coh_gan_loss_type coh_gan_loss_type_relativistic = {
    .kind = {.name = "relativistic",
             .doc = "Pairs of a real and a generated row; with r1 and r2 it is R3GAN (Huang et "
                    "al. 2024)."},
    .build = build,
};
