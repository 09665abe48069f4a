/* Networks in and out of a checkpoint's model. */
#include "task/network_save.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

static coh_array array_of(const coh_parameter_view *view, float *params) {
  coh_array array = {
      .dtype = COH_DTYPE_F32, .n_dims = view->shape.rank, .data = params + view->offset};
  memcpy(array.shape, view->shape.size, (size_t)view->shape.rank * sizeof *array.shape);
  return array;
}

// a step may have overflowed after a loss that was still finite
static coh_status check_finite(const coh_parameter_view *view, const float *params) {
  for (int64_t i = 0; i < view->count; i++)
    COH_CHECK(isfinite(params[view->offset + i]), COH_E_DIVERGED,
              "the weights are not finite (%s)", view->name);
  return COH_OK;
}

coh_status coh_network_save(coh_saver *saver, const coh_network *network,
                            const coh_graph *layout, float *params,
                            const coh_network_facts *facts) {
  for (int64_t k = 0; k < coh_graph_n_parameters(layout); k++) {
    coh_parameter_view view = coh_graph_parameter_at(layout, k);
    coh_array array = array_of(&view, params);
    COH_TRY(check_finite(&view, params));
    COH_TRY(coh_save_tensor(saver, COH_STORE_MODEL, view.name, &array));
  }
  char *key, *value;
  COH_TRY(coh_network_card(network, facts, &key, &value));
  coh_status status = coh_save_metadata(saver, key, value);
  coh_free(key), coh_free(value);
  return status;
}

coh_status coh_network_load(coh_loader *loader, const coh_graph *layout, float *params) {
  for (int64_t k = 0; k < coh_graph_n_parameters(layout); k++) {
    coh_parameter_view view = coh_graph_parameter_at(layout, k);
    coh_array array = array_of(&view, params);
    COH_TRY(coh_load_tensor(loader, COH_STORE_MODEL, view.name, &array));
  }
  return COH_OK;
}
