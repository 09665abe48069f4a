/* The squared error e^2, without a factor of one half. */
#include "nn/loss_type.h"

static coh_value build(const void *options, coh_graph *graph, coh_value prediction,
                       coh_value target) {
  (void)options;
  return coh_op_square(graph, coh_op_sub(graph, prediction, target));
}

const coh_loss_type coh_loss_type_squared = {
    .kind = {.name = "squared", .doc = "Squared error."},
    .build = build,
};
