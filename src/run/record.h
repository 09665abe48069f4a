/* The options of recording behaviour. */
#ifndef COHORT_RUN_RECORD_H
#define COHORT_RUN_RECORD_H

#include "cohort/option.h"

typedef struct coh_record_options {
  int64_t transitions, episodes, seed;
  double epsilon;
} coh_record_options;

extern const coh_option coh_record_option_table[];

#endif
