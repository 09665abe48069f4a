/* State that is saved and loaded by one walk over its tensors: the walk gets one of these two.
 */
#ifndef COHORT_TASK_TENSOR_VISIT_H
#define COHORT_TASK_TENSOR_VISIT_H

#include "cohort/task.h"

/* file: the saver, or the loader. */
typedef coh_status coh_tensor_visit(void *file, coh_store store, const char *name,
                                    const coh_array *array);

static inline coh_status coh_visit_save(void *saver, coh_store store, const char *name,
                                        const coh_array *array) {
  return coh_save_tensor(saver, store, name, array);
}

static inline coh_status coh_visit_load(void *loader, coh_store store, const char *name,
                                        const coh_array *array) {
  return coh_load_tensor(loader, store, name, array);
}

#endif
