/* The card of a network: what its metadata says, as an option table. */
#ifndef COHORT_NN_NETWORK_CARD_H
#define COHORT_NN_NETWORK_CARD_H

#include "cohort/option.h"

/* Class names stand in one string, parted by this. */
#define COH_CARD_SEPARATOR '|'

typedef struct coh_network_card_data {
  char *name, *role, *classes;
  coh_choice_list layers;
  coh_int_list input;
  int64_t outputs, condition;
  double scale, shift;
} coh_network_card_data;

extern const coh_option coh_network_card_table[];

#endif
