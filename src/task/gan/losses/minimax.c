/* min over G, max over D of log D(x) + log(1 - D(G(z))): Goodfellow et al., NeurIPS 2014. */
#include "task/gan/gan_kinds.h"

typedef struct minimax_options {
  double smoothing;
} minimax_options;

static const coh_option table[] = {
    {.name = "smoothing",
     .type = COH_REAL,
     .offset = offsetof(minimax_options, smoothing),
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
  const minimax_options *o = options;
  // -log D(x) - log(1 - D(G(z))) with D the sigmoid of the network's value
  coh_value missed = coh_op_softplus(g, coh_op_neg(g, real));
  coh_value smoothed = coh_op_add(g, coh_op_scale(g, missed, 1 - o->smoothing),
                                  coh_op_scale(g, coh_op_softplus(g, real), o->smoothing));
  *discriminator = coh_op_add(g, smoothed, coh_op_softplus(g, fake));
  *generator = coh_op_neg(g, coh_op_softplus(g, fake)); // log(1 - D(G(z)))
}

const coh_gan_loss_type coh_gan_loss_type_minimax = {
    .kind = {.name = "minimax",
             .doc = "The zero-sum game: log D(x) + log(1 - D(G(z))) (Goodfellow et al. 2014).",
             .options = table,
             .options_size = sizeof(minimax_options)},
    .build = build,
};
