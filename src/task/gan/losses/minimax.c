/* min over G, max over D of log D(x) + log(1 - D(G(z))): Goodfellow et al., NeurIPS 2014. */
#include "task/gan/gan_kinds.h"

static void build(const void *options, coh_graph *g, coh_value real, coh_value fake,
                  coh_value *discriminator, coh_value *generator) {
  *discriminator = coh_gan_log_loss(options, g, real, fake);
  *generator = coh_op_neg(g, coh_op_softplus(g, fake)); // log(1 - D(G(z)))
}

const coh_gan_loss_type coh_gan_loss_type_minimax = {
    .kind = {.name = "minimax",
             .doc = "The zero-sum game: log D(x) + log(1 - D(G(z))) (Goodfellow et al. 2014).",
             .options = coh_gan_smoothing_table,
             .options_size = sizeof(coh_gan_smoothing_options)},
    .build = build,
};
