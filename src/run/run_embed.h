/* The options of placing rows on a map. */
#ifndef COHORT_RUN_RUN_EMBED_H
#define COHORT_RUN_RUN_EMBED_H

#include "cohort/option.h"

typedef struct coh_place_options {
  coh_choice data;
  bool back;
} coh_place_options;

extern const coh_option coh_place_option_table[];

#endif
