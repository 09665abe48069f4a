/* Which of several runs belong together: those whose configs differ only in the seed. */
#ifndef COHORT_RUN_COMPARE_GROUPS_H
#define COHORT_RUN_COMPARE_GROUPS_H

#include "run/driver.h"
#include "run/metrics.h"
#include "run/results.h"

enum { COMPARE_MAX_GROUPS = 8, COMPARE_LABEL_BYTES = 128 };

typedef struct compared {
  const char *folder;
  coh_run_config config;
  coh_results *results;
  coh_metrics_table table;
  int64_t group;
} compared;

typedef struct compared_group {
  int64_t first, n; // the first of its runs, and how many there are
  char label[COMPARE_LABEL_BYTES];
  char differs[512]; // lines of its config that the first group's lacks
  char seeds[128];
} compared_group;

typedef struct comparison {
  compared *run;
  int64_t n_runs;
  compared_group group[COMPARE_MAX_GROUPS];
  int64_t n_groups;
} comparison;

/* Give every run its group, and every group its label, seeds and differences from the first.
 * COH_E_CONFIG where more than COMPARE_MAX_GROUPS configs differ. */
coh_status compare_form_groups(comparison *c);

#endif
