/* A network as a table for people. */
#include "base/alloc.h"
#include "base/text.h"
#include "nn/network.h"

static int64_t layer_parameters(const coh_network *network, int64_t layer) {
  int64_t sum = 0;
  for (int64_t k = 0; k < network->n_parameters; k++)
    if (network->parameter[k].layer == layer)
      sum += coh_shape_count(network->parameter[k].plan.shape);
  return sum;
}

coh_status coh_network_describe(const coh_network *network, char **text) {
  coh_text table = {0};
  char path[128], shape[96];
  coh_text_add(&table, "%-24s %-18s %12s\n", "layer", "output", "parameters");
  coh_text_add(&table, "%-24s %-18s\n", "input", coh_shape_text(network->input, true, shape));
  for (int64_t i = 0; i < network->n_layers; i++) {
    coh_network_layer_path(network, i, path);
    coh_text_add(&table, "%-24s %-18s %12lld\n", path,
                 coh_shape_text(network->layer_output[i], true, shape),
                 (long long)layer_parameters(network, i));
  }
  coh_text_add(&table, "%-24s %-18s %12lld\n", "total", "", (long long)network->n_trainable);
  return coh_text_take(&table, text);
}
