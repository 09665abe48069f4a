/* Numbers of many rows, computed in parts by lanes and brought to all ranks. */
#ifndef COHORT_TASK_FQI_ROW_PARTS_H
#define COHORT_TASK_FQI_ROW_PARTS_H

#include "cohort/task.h"

typedef struct coh_row_parts {
  const coh_run_context *context;
  int64_t n_rows, width; /* width: numbers a row */
  int64_t part;          /* rows of a lane, the last ones fewer */
  int64_t block;         /* rows of a lane that are sent at once */
  double *local, *all; /* (n_local x block, width), (n_lanes x block, width); NULL: one rank */
} coh_row_parts;

/* Compute the rows first <= i < last; out: (last - first, width). Different lanes may run at
 * once. */
typedef coh_status coh_row_function(void *context, int64_t local, int64_t first, int64_t last,
                                    double *out);

/* Memory for so many rows. Not collective. Fails: COH_E_MEMORY. */
coh_status coh_row_parts_create(const coh_run_context *context, int64_t n_rows, int64_t width,
                                coh_row_parts *parts);
void coh_row_parts_clear(coh_row_parts *parts);

/* The rows of a local lane. */
void coh_row_parts_range(const coh_row_parts *parts, int64_t local, int64_t *first,
                         int64_t *last);

/* out: (n_rows, width), the same on every rank. Collective. Fails: as the function. */
coh_status coh_row_parts_run(coh_row_parts *parts, coh_row_function *function, void *context,
                             double *out);

#endif
