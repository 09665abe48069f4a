/* Losses: the registry, and the way from elements to one value a row. */
#include "nn/layer_type.h"
#include "nn/loss_type.h"

#define X(name) extern const coh_loss_type coh_loss_type_##name;
#include "nn/losses/loss.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_loss_type_##name.kind,
#include "nn/losses/loss.def"
#undef X
};

const coh_kind_set coh_loss_kinds = {
    .noun = "loss",
    .kinds = kinds,
    .n_kinds = (int64_t)(sizeof kinds / sizeof kinds[0]),
};

coh_status coh_loss_build(const coh_choice *choice, coh_graph *graph, coh_value prediction,
                          coh_value target, coh_value *per_row) {
  const coh_loss_type *type = (const coh_loss_type *)(const void *)choice->kind;
  COH_TRY(coh_graph_status(graph));
  coh_shape shape = coh_graph_shape(graph, prediction);
  char left[96], right[96];
  COH_CHECK(coh_shape_equal(shape, coh_graph_shape(graph, target)), COH_E_CONFIG,
            "loss %s: predictions %s and targets %s differ in shape", type->kind.name,
            coh_shape_text(shape, false, left),
            coh_shape_text(coh_graph_shape(graph, target), false, right));
  int least = type->over_last_axis ? 2 : 1;
  COH_CHECK(shape.rank >= least, COH_E_CONFIG, "loss %s: needs a rank of at least %d, not %d",
            type->kind.name, least, shape.rank);
  coh_value loss =
      type->build(choice->options, graph, prediction, coh_op_stop_gradient(graph, target));
  int axes[COH_MAX_RANK], n_axes = coh_graph_shape(graph, loss).rank - 1;
  for (int k = 0; k < n_axes; k++)
    axes[k] = k + 1;
  if (n_axes > 0) loss = coh_op_mean(graph, loss, axes, n_axes, false);
  COH_TRY(coh_graph_status(graph));
  *per_row = loss;
  return COH_OK;
}
