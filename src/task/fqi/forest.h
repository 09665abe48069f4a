/* Forests of action values: trees over (state, action), parted over lanes. */
#ifndef COHORT_TASK_FQI_FOREST_H
#define COHORT_TASK_FQI_FOREST_H

#include "task/fqi/regression_tree.h"
#include "task/fqi/regressor.h"

typedef struct coh_forest_options {
  int64_t trees, candidates, min_rows, sample;
} coh_forest_options;

typedef struct coh_forest coh_forest;

/* The regressor's functions, with how nodes are cut. keep_structure: the same draws in every
 * iteration. */
coh_status coh_forest_create(const coh_fqi_problem *problem, const coh_forest_options *options,
                             coh_tree_split split, bool keep_structure, void **forest);
coh_status coh_forest_connect(void *forest);
void coh_forest_destroy(void **forest);
coh_status coh_forest_fit(void *forest, int64_t iteration, const double *targets, double *next);
coh_status coh_forest_values(void *forest, int64_t n, const float *states, double *q);

#endif
