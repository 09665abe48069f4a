/* Networks: a list of layers checked once on a batch of one, built into any graph, and filled
 * with initial parameters that depend on the network, its name and the seed only. */
#include "nn/network.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "nn/initializer_type.h"

extern const coh_initializer_type coh_initializer_type_pytorch;

static const coh_layer_type *layer_type(const coh_network *network, int64_t i) {
  if (i >= network->layers.n_items) return &coh_layer_type_output;
  return (const coh_layer_type *)(const void *)network->layers.item[i].kind;
}

static const void *layer_options(const coh_network *network, int64_t i) {
  return i < network->layers.n_items ? network->layers.item[i].options : NULL;
}

void coh_network_layer_path(const coh_network *network, int64_t i, char path[128]) {
  snprintf(path, 128, "%s%s%lld.%s", network->name ? network->name : "",
           network->name ? "." : "", (long long)i, layer_type(network, i)->kind.name);
}

static coh_status build_layer(const coh_network *network, int64_t i, coh_layer_site *site,
                              coh_value in, coh_value *out) {
  const coh_layer_type *type = layer_type(network, i);
  site->type = type;
  site->layer = i;
  site->n_outputs = type->is_head ? network->n_outputs : 0;
  coh_network_layer_path(network, i, site->path);
  COH_CHECK(!type->is_head || i == network->n_layers - 1, COH_E_CONFIG,
            "a head must be the last layer");
  COH_CHECK(!type->is_head || network->n_outputs > 0, COH_E_CONFIG,
            "a head has no place in a network without an output layer");
  COH_TRY(type->build(site, layer_options(network, i), in, out));
  COH_TRY(coh_graph_status(site->graph));
  // a layer that passes its input on leaves it its name
  if (*out != in) coh_graph_name(site->graph, *out, site->path);
  return COH_OK;
}

// add all layers; values: NULL, or n_layers outputs
static coh_status build_layers(const coh_network *network, coh_layer_site *site, coh_value in,
                               coh_value *values, coh_value *out) {
  for (int64_t i = 0; i < network->n_layers; i++) {
    coh_value next = COH_NO_VALUE;
    coh_status status = build_layer(network, i, site, in, &next);
    if (status != COH_OK)
      return coh_fail_within(status, "network%s%s: layer %lld (%s)", network->name ? " " : "",
                             network->name ? network->name : "", (long long)i,
                             site->type->kind.name);
    if (values) values[i] = next;
    in = next;
  }
  *out = in;
  return COH_OK;
}

// build on a batch of one, and keep the shapes and the layout
static coh_status measure(coh_network *network, coh_graph *graph, coh_layer_site *site,
                          coh_value *values) {
  coh_value in = coh_graph_input(graph, "input", network->input), out;
  COH_TRY(coh_graph_status(graph));
  COH_TRY(build_layers(network, site, in, values, &out));
  network->output = coh_graph_shape(graph, out);
  network->mixes_rows = site->mixes_rows;
  network->n_floats = coh_graph_parameter_floats(graph);
  for (int64_t k = 0; k < site->n_collected; k++) {
    coh_parameter_view view = coh_graph_parameter_at(graph, k);
    site->collected[k].offset = view.offset;
    network->n_trainable += view.count;
  }
  for (int64_t i = 0; i < network->n_layers; i++)
    network->layer_output[i] = coh_graph_shape(graph, values[i]);
  return COH_OK;
}

static coh_status plan(coh_network *network) {
  coh_value *values;
  COH_NEW(values, network->n_layers);
  coh_graph *graph = NULL;
  coh_network_use use = {.is_conditional = network->n_classes > 0};
  coh_layer_site site = {.collects = true, .use = &use};
  coh_status status = coh_graph_create(&graph);
  site.graph = graph;
  if (status == COH_OK && use.is_conditional)
    use.condition = coh_graph_input(graph, "class", COH_SHAPE(1, network->n_classes));
  if (status == COH_OK) status = measure(network, graph, &site, values);
  network->parameter = site.collected;
  network->n_parameters = site.n_collected;
  coh_graph_destroy(&graph);
  coh_free(values);
  return status;
}

static coh_status fill_network(const coh_network_config *config, coh_network *network) {
  COH_CHECK(config->input.rank >= 1 && config->input.rank < COH_MAX_RANK, COH_E_CONFIG,
            "network: a sample of rank %d cannot be its input", config->input.rank);
  if (config->name) {
    network->name = coh_alloc_string(config->name);
    COH_CHECK(network->name, COH_E_MEMORY, "out of memory for a network's name");
    COH_CHECK(strlen(network->name) < 64, COH_E_CONFIG, "network name %s is too long",
              network->name);
  }
  network->layers = config->layers;
  network->initializer = config->initializer;
  if (!network->initializer.kind)
    network->initializer.kind = &coh_initializer_type_pytorch.kind;
  network->input.rank = config->input.rank + 1;
  network->input.size[0] = 1;
  for (int axis = 0; axis < config->input.rank; axis++)
    network->input.size[axis + 1] = config->input.size[axis];
  network->n_outputs = config->n_outputs;
  network->n_classes = config->n_classes;
  int64_t n = config->layers.n_items;
  bool appended = config->n_outputs > 0 && (n == 0 || !layer_type(network, n - 1)->is_head);
  network->n_layers = n + (appended ? 1 : 0);
  COH_NEW(network->layer_output, network->n_layers);
  return plan(network);
}

coh_status coh_network_create(const coh_network_config *config, coh_network **out) {
  coh_network *network;
  COH_NEW(network, 1);
  coh_status status = fill_network(config, network);
  if (status != COH_OK) {
    coh_network_destroy(&network);
    return status;
  }
  *out = network;
  return COH_OK;
}

void coh_network_destroy(coh_network **network) {
  if (!*network) return;
  coh_free((*network)->name);
  coh_free((*network)->layer_output);
  coh_free((*network)->parameter);
  COH_DELETE(*network);
}

coh_status coh_network_build_for(const coh_network *network, coh_graph *graph, coh_value input,
                                 const coh_network_use *use, coh_network_refresh *refresh,
                                 coh_value *output) {
  COH_TRY(coh_graph_status(graph));
  coh_shape shape = coh_graph_shape(graph, input), sample = shape;
  if (sample.rank > 0) sample.size[0] = 1;
  char found[96], wanted[96];
  COH_CHECK(coh_shape_equal(sample, network->input), COH_E_CONFIG,
            "network%s%s: the input %s is not a batch of %s", network->name ? " " : "",
            network->name ? network->name : "", coh_shape_text(shape, false, found),
            coh_shape_text(network->input, true, wanted));
  coh_layer_site site = {.graph = graph, .use = use, .refresh = refresh};
  return build_layers(network, &site, input, NULL, output);
}

coh_status coh_network_build(const coh_network *network, coh_graph *graph, coh_value input,
                             coh_value *output) {
  return coh_network_build_for(network, graph, input, &(coh_network_use){0}, NULL, output);
}

static const coh_choice *initializer_of(const coh_network *network,
                                        const coh_parameter_plan *plan) {
  bool own = plan->initializer && plan->initializer->kind;
  return own ? plan->initializer : &network->initializer;
}

static coh_status fill_parameter(const coh_network *network, const coh_parameter_plan *plan,
                                 coh_stream *stream, float *data) {
  const coh_choice *choice = initializer_of(network, plan);
  const coh_initializer_type *type = (const coh_initializer_type *)(const void *)choice->kind;
  coh_shape shape = plan->shape;
  coh_fill fill = {.data = data,
                   .n = coh_shape_count(shape),
                   .n_columns = shape.size[shape.rank - 1],
                   .fan_in = plan->fan_in,
                   .fan_out = plan->fan_out};
  fill.n_rows = fill.n / fill.n_columns;
  switch (plan->role) {
  case COH_ROLE_WEIGHT:
    return type->weight(choice->options, &fill, stream);
  case COH_ROLE_BIAS:
    return type->bias ? type->bias(choice->options, &fill, stream) : COH_OK;
  case COH_ROLE_ONES:
    for (int64_t i = 0; i < fill.n; i++)
      data[i] = 1;
    return COH_OK;
  case COH_ROLE_ZEROS:
    return COH_OK;
  }
  return coh_fail(COH_E_INTERNAL, "a parameter has no role");
}

coh_status coh_network_initialize(const coh_network *network, uint64_t seed, float *block) {
  char purpose[96];
  snprintf(purpose, sizeof purpose, "init%s%s", network->name ? "." : "",
           network->name ? network->name : "");
  coh_key key = coh_key_make(seed, purpose);
  memset(block, 0, (size_t)network->n_floats * sizeof *block);
  for (int64_t k = 0; k < network->n_parameters; k++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)k, 0);
    COH_TRY(fill_parameter(network, &network->parameter[k].plan, &stream,
                           block + network->parameter[k].offset));
  }
  return COH_OK;
}

int64_t coh_network_floats(const coh_network *network) {
  return network->n_floats;
}

int64_t coh_network_n_parameters(const coh_network *network) {
  return network->n_trainable;
}

bool coh_network_mixes_rows(const coh_network *network) {
  return network->mixes_rows;
}

coh_shape coh_network_output_shape(const coh_network *network) {
  coh_shape shape = {.rank = network->output.rank - 1};
  for (int axis = 0; axis < shape.rank; axis++)
    shape.size[axis] = network->output.size[axis + 1];
  return shape;
}
