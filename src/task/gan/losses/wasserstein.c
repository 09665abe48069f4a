/* D(G(z)) - D(x) and -D(G(z)), an estimate of the Wasserstein distance while D is 1-Lipschitz:
 * Arjovsky et al., ICML 2017. */
#include "task/gan/gan_kinds.h"

static void build(const void *options, coh_graph *g, coh_value real, coh_value fake,
                  coh_value *discriminator, coh_value *generator) {
  (void)options;
  *discriminator = coh_op_sub(g, fake, real);
  *generator = coh_op_neg(g, fake);
}

const coh_gan_loss_type coh_gan_loss_type_wasserstein = {
    .kind = {.name = "wasserstein",
             .doc = "The difference of means; wants gradient_penalty (Arjovsky et al. 2017)."},
    .build = build,
};
