/* Numbers of rows beside their batch. */
#include "task/fqi/row_store.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "io/file.h"

static const char *scratch_folder(const coh_run_context *context) {
  if (context->folder && coh_file_exists(context->folder)) return context->folder;
  const char *chosen = getenv("TMPDIR");
  return chosen && *chosen ? chosen : "/tmp";
}

coh_status coh_row_store_create(const coh_run_context *context, const coh_transitions *batch,
                                int64_t n_bytes, coh_row_store *store) {
  *store = (coh_row_store){0};
  if (coh_transitions_mapped(batch)) {
    COH_TRY(coh_map_scratch(scratch_folder(context), (size_t)n_bytes, &store->map));
    store->data = store->map.start;
    return COH_OK;
  }
  store->data = coh_alloc_array((size_t)n_bytes, 1);
  COH_CHECK(store->data, COH_E_MEMORY,
            "%s: out of memory: %lld bytes beside %lld transitions; a folder of .npy files is "
            "mapped and needs less",
            batch->source, (long long)n_bytes, (long long)batch->n_rows);
  return COH_OK;
}

void coh_row_store_clear(coh_row_store *store) {
  if (store->map.start)
    coh_map_close(&store->map);
  else
    coh_free(store->data);
  *store = (coh_row_store){0};
}
