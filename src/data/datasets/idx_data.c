/* Rows from an IDX file, the format of MNIST and its kin, labels from another. */
#include "data/dataset_type.h"
#include "io/idx.h"

typedef struct idx_options {
  char *images, *labels;
  int64_t memory;
} idx_options;

static const coh_option options_table[] = {
    {.name = "images",
     .type = COH_STRING,
     .offset = offsetof(idx_options, images),
     .doc = "IDX file of the rows, plain (bytes are mapped) or gzipped."},
    {.name = "labels",
     .type = COH_STRING,
     .offset = offsetof(idx_options, labels),
     .initial = "",
     .doc = "IDX file of the labels, whole numbers from 0."},
    {.name = "memory",
     .type = COH_BYTES,
     .offset = offsetof(idx_options, memory),
     .initial = COH_DATASET_MEMORY,
     .min = 1,
     .max = 1e15,
     .doc = "Refuse a file whose data takes more."},
    {.name = NULL}};

static coh_status load(const void *options, coh_dataset *dataset) {
  const idx_options *o = options;
  COH_TRY(coh_dataset_set_source(dataset, o->images));
  COH_TRY(coh_idx_map(o->images, (size_t)o->memory, &dataset->map, &dataset->rows));
  if (!*o->labels) return COH_OK;
  coh_array labels;
  COH_TRY(coh_idx_read(o->labels, (size_t)o->memory, &labels));
  coh_status status = coh_dataset_take_labels(dataset, o->labels, &labels);
  coh_array_clear(&labels);
  return status;
}

const coh_dataset_type coh_dataset_type_idx_data = {
    .kind = {.name = "idx",
             .doc = "IDX files, the format of MNIST: rows and, beside them, labels.",
             .options = options_table,
             .options_size = sizeof(idx_options)},
    .load = load,
};
