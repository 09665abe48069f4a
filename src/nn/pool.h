/* What the pooling layers share: their options. */
#ifndef COHORT_NN_POOL_H
#define COHORT_NN_POOL_H

#include "nn/layer_type.h"

typedef struct coh_pool_options {
  coh_int_list kernel, stride;
  int padding;
} coh_pool_options;

extern const coh_option coh_pool_table[];

#endif
