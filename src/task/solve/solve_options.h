/* The options of task solve. */
#ifndef COHORT_TASK_SOLVE_SOLVE_OPTIONS_H
#define COHORT_TASK_SOLVE_SOLVE_OPTIONS_H

#include "cohort/option.h"

enum { COH_SOLVE_DISCOUNTED, COH_SOLVE_REACH, COH_SOLVE_TOTAL };
enum { COH_SOLVE_OPTIMUM, COH_SOLVE_EVALUATE, COH_SOLVE_IMPROVE };

typedef struct coh_solve_options {
  coh_choice model, method;
  double discount, tolerance;
  int objective, find, sense, form;
  char *target, *policy;
  bool q, compare;
} coh_solve_options;

extern const coh_option coh_solve_option_table[];

#endif
