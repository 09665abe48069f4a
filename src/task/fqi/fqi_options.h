/* The options of task fqi. */
#ifndef COHORT_TASK_FQI_OPTIONS_H
#define COHORT_TASK_FQI_OPTIONS_H

#include "cohort/nn.h"
#include "cohort/option.h"

typedef struct coh_fqi_record {
  int64_t transitions, episodes;
} coh_fqi_record;

typedef struct coh_fqi_grow {
  int64_t every, transitions;
  double epsilon;
} coh_fqi_grow;

typedef struct coh_fqi_evaluation {
  coh_choice_list env;
  int64_t episodes, max_steps, seed, fitted;
} coh_fqi_evaluation;

typedef struct coh_fqi_cloning {
  int64_t epochs;
  coh_choice_list network;
  coh_choice initializer, optimizer;
  double support, tolerance;
} coh_fqi_cloning;

typedef struct coh_fqi_options {
  coh_choice_list env; /* none or one */
  char *batch;         /* "": recorded from env */
  coh_fqi_record record;
  coh_fqi_grow grow;
  double gamma, stop;
  coh_choice regressor;
  coh_fqi_evaluation evaluation;
  coh_fqi_cloning cloning;
} coh_fqi_options;

extern const coh_option coh_fqi_option_table[];

/* What the rows' bounds cannot say. name: of the config. Fails: COH_E_CONFIG. */
coh_status coh_fqi_options_check(const coh_fqi_options *options, const char *name);

#endif
