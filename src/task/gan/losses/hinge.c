/* Hinge: max(0, 1 - D(x)) + max(0, 1 + D(G(z))) and -D(G(z)): Lim and Ye, 2017. */
#include "task/gan/gan_kinds.h"

static void build(const void *options, coh_graph *g, coh_value real, coh_value fake,
                  coh_value *discriminator, coh_value *generator) {
  (void)options;
  *discriminator = coh_op_add(g, coh_op_relu(g, coh_op_affine(g, real, -1, 1)),
                              coh_op_relu(g, coh_op_affine(g, fake, 1, 1)));
  *generator = coh_op_neg(g, fake);
}

const coh_gan_loss_type coh_gan_loss_type_hinge = {
    .kind = {.name = "hinge",
             .doc =
                 "Hinge: the discriminator is left alone once it is sure (Lim and Ye 2017)."},
    .build = build,
};
