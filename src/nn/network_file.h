/* The inside of an open network file, for network_file.c and network_file_run.c. */
#ifndef COHORT_NN_NETWORK_FILE_H
#define COHORT_NN_NETWORK_FILE_H

#include "cohort/network_file.h"
#include "nn/network_card.h"

struct coh_network_file {
  char *path;
  coh_network_card_data card;
  coh_network *network;
  coh_network_facts facts;
  char *classes_text; /* what facts.class_names points into */
  const char **class_names;
  float *params;
  char (*layer)[128]; /* names */
};

#endif
