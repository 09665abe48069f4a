/* A network file with weights that the test sets: written, opened, ready to be explained. */
#ifndef COHORT_TESTS_EXPLAIN_NETWORK_AT_HAND_H
#define COHORT_TESTS_EXPLAIN_NETWORK_AT_HAND_H

#include "scratch.h"

#include <string.h>

#include "cohort/network_file.h"
#include "io/safetensors_write.h"
#include "nn/network.h"
#include "nn/network_card.h"

/* Open a network of layers (YAML list) with random weights. */
static inline coh_network_file *network_at_hand(const char *layers, coh_shape input,
                                                int64_t n_outputs, float shift) {
  char yaml[1024];
  snprintf(yaml, sizeof yaml, "input: [%lld", (long long)input.size[0]);
  for (int k = 1; k < input.rank; k++)
    snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml), ", %lld",
             (long long)input.size[k]);
  snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml),
           "]\nlayers: %s\noutputs: %lld\nshift: %g\n", layers, (long long)n_outputs,
           (double)shift);
  coh_config *root = NULL;
  coh_network_card_data card = {0};
  assert_ok(coh_config_parse("card", yaml, strlen(yaml), &root));
  assert_ok(coh_options_fill(coh_network_card_table, root, &card));
  coh_config_destroy(&root);
  coh_network_config config = {.layers = card.layers, .input = input, .n_outputs = n_outputs};
  coh_network *network = NULL;
  assert_ok(coh_network_create(&config, &network));
  coh_graph *graph = NULL;
  assert_ok(coh_graph_create(&graph));
  coh_value out;
  assert_ok(
      coh_network_build(network, graph, coh_graph_input(graph, "x", network->input), &out));
  float *block = coh_alloc_array((size_t)coh_network_floats(network), sizeof *block);
  assert_ok(coh_network_initialize(network, 7, block));
  coh_tensor_row rows[32];
  int64_t n = coh_graph_n_parameters(graph);
  for (int64_t k = 0; k < n; k++) {
    coh_parameter_view view = coh_graph_parameter_at(graph, k);
    rows[k] = (coh_tensor_row){view.name, {.dtype = COH_DTYPE_F32, .n_dims = view.shape.rank}};
    memcpy(rows[k].shape.shape, view.shape.size, sizeof view.shape.size);
  }
  coh_safetensors_writer *writer = NULL;
  assert_ok(coh_safetensors_begin("at-hand.safetensors", rows, n,
                                  &(coh_metadata_row){"network", yaml}, 1, &writer));
  for (int64_t k = 0; k < n; k++) {
    coh_parameter_view view = coh_graph_parameter_at(graph, k);
    assert_ok(
        coh_safetensors_write(writer, block + view.offset, (size_t)view.count * sizeof(float)));
  }
  assert_ok(coh_safetensors_end(&writer, NULL, NULL));
  coh_graph_destroy(&graph);
  coh_network_destroy(&network);
  coh_options_clear(coh_network_card_table, &card);
  coh_free(block);
  coh_network_file *file = NULL;
  assert_ok(coh_network_file_open("at-hand.safetensors", NULL, &file));
  return file;
}

/* Parameter k of an open network. */
static inline float *parameter_at_hand(coh_network_file *file, int64_t k) {
  return coh_network_file_params(file) + coh_network_file_network(file)->parameter[k].offset;
}

#endif
