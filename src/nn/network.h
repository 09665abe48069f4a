/* The inside of a network, for network.c and network_text.c. */
#ifndef COHORT_NN_NETWORK_H
#define COHORT_NN_NETWORK_H

#include "nn/layer_type.h"

struct coh_network {
  char *name;              /* owned; NULL: none */
  coh_choice_list layers;  /* borrowed */
  coh_choice initializer;  /* borrowed; kind is never NULL */
  coh_shape input, output; /* of a batch of one */
  int64_t n_outputs, n_classes;
  int64_t n_layers; /* with the appended output layer */
  coh_shape *layer_output;
  coh_network_parameter *parameter; /* in the order of creation */
  int64_t n_parameters;             /* tensors */
  int64_t n_floats;                 /* of the block, with padding */
  int64_t n_trainable;              /* numbers, without */
  bool mixes_rows;
};

/* "2.dense", after the network's name. */
void coh_network_layer_path(const coh_network *network, int64_t i, char path[128]);

#endif
