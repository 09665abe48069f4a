/* The head of a conditional discriminator: Miyato and Koyama, ICLR 2018.
 *   y = w . h + b + v_class . h */
#include "nn/layer_type.h"

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  (void)options;
  coh_graph *g = site->graph;
  COH_CHECK(site->use->is_conditional, COH_E_CONFIG,
            "needs the class of each row; the network is not conditional");
  COH_CHECK(site->n_outputs == 1, COH_E_CONFIG, "makes one value a row, not %lld",
            (long long)site->n_outputs);
  coh_value h = coh_layer_flatten(g, in), plain, vectors;
  coh_dense_plan dense = {.leaf = "", .units = 1, .bias = true};
  COH_TRY(coh_layer_dense(site, &dense, h, &plain));
  int64_t n = coh_graph_shape(g, h).size[1];
  int64_t n_classes = coh_graph_shape(g, site->use->condition).size[1];
  coh_parameter_plan plan = {
      .role = COH_ROLE_WEIGHT, .shape = COH_SHAPE(n_classes, n), .fan_in = n, .fan_out = 1};
  COH_TRY(coh_layer_parameter(site, "class", &plan, &vectors));
  const int last = 1;
  coh_value chosen = coh_op_matmul(g, site->use->condition, vectors);
  *out = coh_op_add(g, plain, coh_op_sum(g, coh_op_mul(g, chosen, h), &last, 1, true));
  return COH_OK;
}

const coh_layer_type coh_layer_type_projection = {
    .kind = {.name = "projection",
             .doc = "Head of a conditional discriminator (Miyato and Koyama 2018)."},
    .is_head = true,
    .build = build,
};
