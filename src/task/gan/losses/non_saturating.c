/* The minimax game with a generator that maximises log D(G(z)), whose slope does not vanish
 * while the discriminator wins: Goodfellow et al., NeurIPS 2014, section 3. */
#include "task/gan/gan_kinds.h"

typedef struct non_saturating_options {
  double smoothing;
} non_saturating_options;

static const coh_option table[] = {
    {.name = "smoothing",
     .type = COH_REAL,
     .offset = offsetof(non_saturating_options, smoothing),
     .initial = "0",
     .min = 0,
     .max = 0.5,
     .doc =
         "One-sided label smoothing: real rows count as real by 1 minus this (Salimans et al. "
         "2016)."},
    {0},
};

static void build(const void *options, coh_graph *g, coh_value real, coh_value fake,
                  coh_value *discriminator, coh_value *generator) {
  const non_saturating_options *o = options;
  // -log D(x) - log(1 - D(G(z))) with D the sigmoid of the network's value
  coh_value missed = coh_op_softplus(g, coh_op_neg(g, real));
  coh_value smoothed = coh_op_add(g, coh_op_scale(g, missed, 1 - o->smoothing),
                                  coh_op_scale(g, coh_op_softplus(g, real), o->smoothing));
  *discriminator = coh_op_add(g, smoothed, coh_op_softplus(g, fake));
  *generator = coh_op_softplus(g, coh_op_neg(g, fake)); // -log D(G(z))
}

const coh_gan_loss_type coh_gan_loss_type_non_saturating = {
    .kind = {.name = "non_saturating",
             .doc = "The generator maximises log D(G(z)) instead (Goodfellow et al. 2014).",
             .options = table,
             .options_size = sizeof(non_saturating_options)},
    .build = build,
};
