/* Huber's loss (1964): e^2 / 2 within delta, a straight line of slope delta beyond. With delta
 * 1 it is the loss of DQN (Mnih et al., Nature 2015, where the error is clipped). */
#include <math.h>

#include "nn/loss_type.h"

typedef struct huber_options {
  double delta;
} huber_options;

static const coh_option table[] = {
    {.name = "delta",
     .type = COH_REAL,
     .offset = offsetof(huber_options, delta),
     .initial = "1",
     .min = 1e-9,
     .max = INFINITY,
     .doc = "Where the parabola becomes a line."},
    {0},
};

static coh_value build(const void *options, coh_graph *graph, coh_value prediction,
                       coh_value target) {
  const huber_options *o = options;
  return coh_op_huber(graph, coh_op_sub(graph, prediction, target), o->delta);
}

const coh_loss_type coh_loss_type_huber = {
    .kind = {.name = "huber",
             .doc = "Half the squared error near zero, linear beyond delta (Huber 1964).",
             .options = table,
             .options_size = sizeof(huber_options)},
    .build = build,
};
