/* The dueling head: Wang et al., ICML 2016, equation 9.
 *   Q(s, a) = V(s) + A(s, a) - mean over a' of A(s, a')
 * V and A are dense layers on the same features, each after a hidden layer with a ReLU when
 * units is above 0. */
#include <math.h>
#include <stdio.h>

#include "nn/layer_type.h"

typedef struct dueling_options {
  int64_t units;
} dueling_options;

static const coh_option table[] = {
    {.name = "units",
     .type = COH_INT,
     .offset = offsetof(dueling_options, units),
     .initial = "0",
     .min = 0,
     .max = 1 << 24,
     .doc = "Width of the hidden layer that value and advantage each have; 0: none."},
    {0},
};

static coh_status stream(coh_layer_site *site, const char *name, int64_t hidden, int64_t width,
                         coh_value in, coh_value *out) {
  char leaf[32];
  if (hidden > 0) {
    snprintf(leaf, sizeof leaf, "%s_hidden.", name);
    coh_dense_plan plan = {.leaf = leaf, .units = hidden, .bias = true};
    COH_TRY(coh_layer_dense(site, &plan, in, &in));
    in = coh_op_relu(site->graph, in);
  }
  snprintf(leaf, sizeof leaf, "%s.", name);
  coh_dense_plan plan = {.leaf = leaf, .units = width, .bias = true};
  return coh_layer_dense(site, &plan, in, out);
}

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const dueling_options *o = options;
  coh_graph *g = site->graph;
  const int last = -1;
  coh_value value, advantage;
  in = coh_layer_flatten(g, in);
  COH_TRY(stream(site, "value", o->units, 1, in, &value));
  COH_TRY(stream(site, "advantage", o->units, site->n_outputs, in, &advantage));
  coh_value mean = coh_op_mean(g, advantage, &last, 1, true);
  *out = coh_op_add(g, coh_op_sub(g, advantage, mean), value);
  return COH_OK;
}

const coh_layer_type coh_layer_type_dueling = {
    .kind = {.name = "dueling",
             .doc = "Head with a value and an advantage stream, the last layer of a Q-network "
                    "(Wang et al. 2016).",
             .options = table,
             .options_size = sizeof(dueling_options)},
    .is_head = true,
    .build = build,
};
