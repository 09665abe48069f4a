/* Rows of option tables that the tree regressors share. */
#ifndef COHORT_TASK_FQI_FOREST_OPTIONS_H
#define COHORT_TASK_FQI_FOREST_OPTIONS_H

#include "task/fqi/forest.h"

#define COH_FOREST_TREES_ROW                                                           \
  {                                                                                    \
    .name = "trees", .type = COH_INT, .offset = offsetof(coh_forest_options, trees),   \
    .initial = "50", .min = 1, .max = 1e6, .doc = "Trees, M: their mean is the value." \
  }

#define COH_FOREST_MIN_ROWS_ROW                                                            \
  {                                                                                        \
    .name = "min_rows", .type = COH_INT, .offset = offsetof(coh_forest_options, min_rows), \
    .initial = "2", .min = 2, .max = 1e12,                                                 \
    .doc = "Rows that a node needs to be cut, n_min; larger smooths."                      \
  }

#define COH_FOREST_SAMPLE_ROW                                                          \
  {                                                                                    \
    .name = "sample", .type = COH_INT, .offset = offsetof(coh_forest_options, sample), \
    .initial = "0", .max = 4e9, .unit = "rows",                                        \
    .doc = "Rows drawn for each tree, without replacement; 0: the whole batch."        \
  }

#endif
