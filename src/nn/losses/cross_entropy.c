/* Cross-entropy of logits against class probabilities or one-hot rows, with label smoothing
 * (Szegedy et al., CVPR 2016):
 *   - sum over k of t_k log softmax(x)_k,   t = (1 - smoothing) target + smoothing / K */
#include "nn/loss_type.h"

typedef struct cross_entropy_options {
  double smoothing;
} cross_entropy_options;

static const coh_option table[] = {
    {.name = "smoothing",
     .type = COH_REAL,
     .offset = offsetof(cross_entropy_options, smoothing),
     .initial = "0",
     .min = 0,
     .max = 1,
     .doc = "Share of the target that is spread evenly over the classes."},
    {0},
};

static coh_value build(const void *options, coh_graph *graph, coh_value prediction,
                       coh_value target) {
  const cross_entropy_options *o = options;
  const int last = -1;
  coh_shape shape = coh_graph_shape(graph, prediction);
  double n_classes = (double)shape.size[shape.rank - 1];
  if (o->smoothing > 0)
    target = coh_op_affine(graph, target, 1 - o->smoothing, o->smoothing / n_classes);
  coh_value product = coh_op_mul(graph, target, coh_op_log_softmax(graph, prediction));
  return coh_op_neg(graph, coh_op_sum(graph, product, &last, 1, false));
}

const coh_loss_type coh_loss_type_cross_entropy = {
    .kind = {.name = "cross_entropy",
             .doc = "Cross-entropy of logits over the last axis, with label smoothing.",
             .options = table,
             .options_size = sizeof(cross_entropy_options)},
    .over_last_axis = true,
    .build = build,
};
