/* Room and draws for synthetic data. */
#include "data/synthetic.h"

#include <inttypes.h>

#include "base/alloc.h"

coh_status coh_synthetic_begin(coh_dataset *dataset, int64_t n, int64_t d, int64_t n_classes) {
  COH_CHECK(n <= (INT64_C(1) << 40) / d, COH_E_CONFIG,
            "dataset %s: %" PRId64 " rows of %" PRId64 " values are more than 2^40",
            dataset->name, n, d);
  float *values;
  COH_NEW(values, n * d);
  dataset->rows =
      (coh_array){.dtype = COH_DTYPE_F32, .n_dims = 2, .shape = {n, d}, .data = values};
  COH_NEW(dataset->labels, n);
  dataset->n_labels = n;
  return coh_dataset_number_classes(dataset, n_classes);
}

coh_status coh_synthetic_modes(coh_dataset *dataset, int64_t n_modes, double std) {
  COH_NEW(dataset->modes, n_modes * dataset->rows.shape[1]);
  dataset->spec.n_modes = n_modes;
  dataset->spec.mode_std = std;
  return COH_OK;
}

coh_stream coh_synthetic_stream(const coh_dataset *dataset, uint64_t seed, int64_t row) {
  return coh_stream_begin(coh_key_make(seed, dataset->name), 0, (uint64_t)row);
}

void coh_synthetic_mixture(coh_dataset *dataset, uint64_t seed) {
  const int64_t n = dataset->rows.shape[0], d = dataset->rows.shape[1];
  const double std = dataset->spec.mode_std;
  float *values = dataset->rows.data;
  for (int64_t row = 0; row < n; row++) {
    coh_stream stream = coh_synthetic_stream(dataset, seed, row);
    int64_t mode = coh_stream_below(&stream, dataset->spec.n_modes);
    dataset->labels[row] = (int32_t)mode;
    for (int64_t i = 0; i < d; i++)
      values[row * d + i] =
          (float)(dataset->modes[mode * d + i] + std * coh_stream_normal(&stream));
  }
}
