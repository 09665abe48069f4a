/* Task pca: principal components of a dataset and its projection. A step is a pass over the
 * rows.
 */
#ifndef COHORT_TASK_PCA_PCA_H
#define COHORT_TASK_PCA_PCA_H

#include "cohort/task.h"
#include "task/map/map_source.h"
#include "task/pca/principal.h"

typedef struct coh_pca_options {
  coh_map_source source;
  int values; /* coh_values */
  coh_principal_options principal;
} coh_pca_options;

extern const coh_option coh_pca_option_table[];

typedef struct coh_pca {
  const coh_run_context *context;
  const coh_pca_options *options;
  coh_dataset *dataset;
  coh_dataset *images; /* what people know the rows as; NULL: the rows */
  coh_principal_problem problem;
  coh_principal_fit *fit;
  float *projected; /* (n_rows, k): when done */
  int64_t saved_passes;
  double total; /* a copy that a checkpoint borrows */
} coh_pca;

/* Project all rows, once. Collective. */
coh_status coh_pca_project(coh_pca *pca);

/* Write embedding and pictures. Collective. */
coh_status coh_pca_results(void *task, coh_results *results);

/* The projections of other rows, or rows from projections, in the stored values' units. */
coh_status coh_pca_place(void *task, const coh_place_request *request, coh_array *places);

/* Draw the pictures into the run folder; rank 0. */
coh_status coh_pca_figures(coh_pca *pca, coh_results *results);

#endif
