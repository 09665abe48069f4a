/* What the layers that resample images share. */
#ifndef COHORT_NN_RESAMPLE_H
#define COHORT_NN_RESAMPLE_H

#include "nn/layer_type.h"

typedef struct coh_resample_options {
  int64_t factor;
  int method; /* coh_resample_method */
} coh_resample_options;

extern const coh_option coh_resample_table[];

#endif
