/* Rows from a NumPy file, labels from another. */
#include "data/dataset_type.h"

typedef struct npy_options {
  char *rows, *labels;
} npy_options;

static const coh_option options_table[] = {
    {.name = "rows",
     .type = COH_STRING,
     .offset = offsetof(npy_options, rows),
     .doc =
         "NPY file of shape (n, values), (n, height, width) or (n, height, width, channels); "
         "uint8 and float32 are mapped, other types become float32."},
    {.name = "labels",
     .type = COH_STRING,
     .offset = offsetof(npy_options, labels),
     .initial = "",
     .doc = "NPY file of n labels, whole numbers from 0."},
    {.name = NULL}};

static coh_status load(const void *options, coh_dataset *dataset) {
  const npy_options *o = options;
  COH_TRY(coh_dataset_set_source(dataset, o->rows));
  COH_TRY(coh_npy_map(o->rows, &dataset->map, &dataset->rows));
  if (!*o->labels) return COH_OK;
  coh_array labels;
  COH_TRY(coh_npy_read(o->labels, &labels));
  coh_status status = coh_dataset_take_labels(dataset, o->labels, &labels);
  coh_array_clear(&labels);
  return status;
}

const coh_dataset_type coh_dataset_type_npy_data = {
    .kind = {.name = "npy",
             .doc = "NumPy files: rows and, beside them, labels; may be larger than memory.",
             .options = options_table,
             .options_size = sizeof(npy_options)},
    .load = load,
};
