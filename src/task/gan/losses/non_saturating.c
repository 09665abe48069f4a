/* The minimax game with a generator that maximises log D(G(z)), whose slope does not vanish
 * while the discriminator wins: Goodfellow et al., NeurIPS 2014, section 3. */
#include "task/gan/gan_kinds.h"

static void build(const void *options, coh_graph *g, coh_value real, coh_value fake,
                  coh_value *discriminator, coh_value *generator) {
  *discriminator = coh_gan_log_loss(options, g, real, fake);
  *generator = coh_op_softplus(g, coh_op_neg(g, fake)); // -log D(G(z))
}

const coh_gan_loss_type coh_gan_loss_type_non_saturating = {
    .kind = {.name = "non_saturating",
             .doc = "The generator maximises log D(G(z)) instead (Goodfellow et al. 2014).",
             .options = coh_gan_smoothing_table,
             .options_size = sizeof(coh_gan_smoothing_options)},
    .build = build,
};
