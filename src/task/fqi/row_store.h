/* Numbers that go with the rows of a batch: in memory, or, where the batch is mapped because it
 * may be larger than memory, in a mapped scratch file, so that memory holds none of the two. */
#ifndef COHORT_TASK_FQI_ROW_STORE_H
#define COHORT_TASK_FQI_ROW_STORE_H

#include "cohort/task.h"
#include "data/transitions.h"
#include "io/map.h"

typedef struct coh_row_store {
  void *data;
  coh_map map; /* none: data is allocated */
} coh_row_store;

/* n_bytes of zeros; scratch lies in the run folder, or where temporary files do. Not
 * collective. Caller clears. Fails: COH_E_MEMORY, COH_E_IO. */
coh_status coh_row_store_create(const coh_run_context *context, const coh_transitions *batch,
                                int64_t n_bytes, coh_row_store *store);
void coh_row_store_clear(coh_row_store *store);

#endif
