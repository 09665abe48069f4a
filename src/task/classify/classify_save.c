/* Everything that the rest of the run depends on. The model is what one would use: the weights
 * of the best validation, unless the last are asked for. */
#include <string.h>

#include "task/classify/classify.h"
#include "task/network_save.h"

static coh_array vector_of(coh_dtype dtype, int64_t n, void *data) {
  return (coh_array){.dtype = dtype, .n_dims = 1, .shape = {n}, .data = data};
}

coh_status coh_classify_save(void *pointer, coh_saver *saver) {
  coh_classify *task = pointer;
  coh_network_facts facts = {.role = "classes",
                             .affine = coh_loader_affine(task->loader),
                             .class_names = task->spec->class_names,
                             .n_classes = task->n_classes};
  COH_TRY(
      coh_network_save(saver, task->network, task->layout, coh_classify_model(task), &facts));
  COH_TRY(coh_learner_save(&task->learner, saver));
  coh_array params = vector_of(COH_DTYPE_F32, task->n_floats, task->params);
  coh_array best = vector_of(COH_DTYPE_F32, task->n_floats, task->best);
  coh_array history = vector_of(COH_DTYPE_F64, COH_CLASSIFY_HISTORY, &task->history);
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "params", &params));
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "best", &best));
  return coh_save_tensor(saver, COH_STORE_STATE, "history", &history);
}

coh_status coh_classify_load(void *pointer, coh_loader *loader) {
  coh_classify *task = pointer;
  COH_TRY(coh_learner_load(&task->learner, loader));
  coh_array params = vector_of(COH_DTYPE_F32, task->n_floats, task->params);
  coh_array best = vector_of(COH_DTYPE_F32, task->n_floats, task->best);
  coh_array history = vector_of(COH_DTYPE_F64, COH_CLASSIFY_HISTORY, &task->history);
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "params", &params));
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "best", &best));
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "history", &history));
  task->updates_at_window = task->learner.n_updates;
  return COH_OK;
}
