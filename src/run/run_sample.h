/* The options of generating with a run. */
#ifndef COHORT_RUN_RUN_SAMPLE_H
#define COHORT_RUN_RUN_SAMPLE_H

#include "cohort/option.h"

typedef struct coh_sample_options {
  int64_t n, seed, label;
} coh_sample_options;

extern const coh_option coh_sample_option_table[];

#endif
