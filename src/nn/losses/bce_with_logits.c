/* Binary cross-entropy of a logit x against a probability t, in the form that neither overflows
 * nor cancels:  - t log s(x) - (1 - t) log(1 - s(x)) = softplus(x) - t x */
#include "nn/loss_type.h"

static coh_value build(const void *options, coh_graph *graph, coh_value prediction,
                       coh_value target) {
  (void)options;
  return coh_op_sub(graph, coh_op_softplus(graph, prediction),
                    coh_op_mul(graph, target, prediction));
}

const coh_loss_type coh_loss_type_bce_with_logits = {
    .kind = {.name = "bce_with_logits", .doc = "Binary cross-entropy of logits."},
    .build = build,
};
