/* The options of task classify. */
#ifndef COHORT_TASK_CLASSIFY_OPTIONS_H
#define COHORT_TASK_CLASSIFY_OPTIONS_H

#include "cohort/data.h"
#include "cohort/nn.h"
#include "cohort/option.h"

typedef enum coh_classify_keep { COH_CLASSIFY_BEST, COH_CLASSIFY_LAST } coh_classify_keep;

typedef struct coh_classify_options {
  coh_choice dataset, test;
  int64_t validation; /* rows held out of dataset */
  coh_loader_options loader;
  coh_choice_list network;
  coh_choice initializer, optimizer, loss;
  int64_t validate_every; /* updates; 0: an epoch */
  int64_t train_rows;     /* of the training set that are measured beside the validation set */
  int64_t patience;
  int keep; /* coh_classify_keep */
  bool mirror;
} coh_classify_options;

extern const coh_option coh_classify_option_table[];

#endif
