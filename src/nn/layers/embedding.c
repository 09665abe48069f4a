/* The class of each row as a learnt vector, put behind the row's own values. */
#include <math.h>

#include "nn/layer_type.h"

typedef struct embedding_options {
  int64_t units;
} embedding_options;

static const coh_option table[] = {
    {.name = "units",
     .type = COH_INT,
     .offset = offsetof(embedding_options, units),
     .initial = "16",
     .min = 1,
     .max = 1 << 20,
     .doc = "Length of a class's vector."},
    {0},
};

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const embedding_options *o = options;
  coh_graph *g = site->graph;
  COH_CHECK(site->use->is_conditional, COH_E_CONFIG,
            "needs the class of each row; the network is not conditional");
  int64_t n_classes = coh_graph_shape(g, site->use->condition).size[1];
  coh_parameter_plan plan = {.role = COH_ROLE_WEIGHT,
                             .shape = COH_SHAPE(n_classes, o->units),
                             .fan_in = 1,
                             .fan_out = o->units};
  coh_value table_of_vectors;
  COH_TRY(coh_layer_parameter(site, "weight", &plan, &table_of_vectors));
  coh_value both[2] = {coh_layer_flatten(g, in),
                       coh_op_matmul(g, site->use->condition, table_of_vectors)};
  *out = coh_op_concat(g, both, 2, 1);
  return COH_OK;
}

const coh_layer_type coh_layer_type_embedding = {
    .kind = {.name = "embedding",
             .doc = "Put a learnt vector of the row's class behind its values (conditional).",
             .options = table,
             .options_size = sizeof(embedding_options)},
    .build = build,
};
