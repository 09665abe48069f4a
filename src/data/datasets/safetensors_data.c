/* Rows and labels from tensors of one safetensors file. */
#include <inttypes.h>

#include "data/dataset_type.h"
#include "io/array.h"

typedef struct safetensors_options {
  char *file, *rows, *labels;
  int64_t memory;
} safetensors_options;

static const coh_option options_table[] = {
    {.name = "file",
     .type = COH_STRING,
     .offset = offsetof(safetensors_options, file),
     .doc = "The safetensors file."},
    {.name = "rows",
     .type = COH_STRING,
     .offset = offsetof(safetensors_options, rows),
     .initial = "x",
     .doc = "The tensor that holds the rows."},
    {.name = "labels",
     .type = COH_STRING,
     .offset = offsetof(safetensors_options, labels),
     .initial = "",
     .doc = "The tensor that holds the labels, whole numbers from 0."},
    {.name = "memory",
     .type = COH_BYTES,
     .offset = offsetof(safetensors_options, memory),
     .initial = COH_DATASET_MEMORY,
     .min = 1,
     .max = 1e15,
     .doc = "Refuse a tensor that takes more."},
    {.name = NULL}};

static coh_status read_tensor(const safetensors_options *o, const coh_safetensors *file,
                              const char *name, coh_array *array) {
  int64_t i = coh_safetensors_find(file, name);
  COH_CHECK(i >= 0, COH_E_DATA, "%s: has no tensor '%s' among its %" PRId64, o->file, name,
            coh_safetensors_count(file));
  coh_array made;
  size_t n_bytes;
  coh_safetensors_shape(file, i, &made);
  COH_CHECK(coh_array_size(&made, &n_bytes) && n_bytes <= (size_t)o->memory, COH_E_DATA,
            "%s: tensor '%s' takes more than `memory` allows, %" PRId64 " bytes", o->file, name,
            o->memory);
  COH_TRY(coh_array_allocate(o->file, &made));
  coh_status status = coh_safetensors_read(file, i, 0, made.data, n_bytes);
  if (status != COH_OK) {
    coh_array_clear(&made);
    return status;
  }
  *array = made;
  return COH_OK;
}

static coh_status take(const safetensors_options *o, const coh_safetensors *file,
                       coh_dataset *dataset) {
  COH_TRY(read_tensor(o, file, o->rows, &dataset->rows));
  if (!*o->labels) return COH_OK;
  coh_array labels;
  COH_TRY(read_tensor(o, file, o->labels, &labels));
  coh_status status = coh_dataset_take_labels(dataset, o->file, &labels);
  coh_array_clear(&labels);
  return status;
}

static coh_status load(const void *options, coh_dataset *dataset) {
  const safetensors_options *o = options;
  coh_safetensors *file;
  COH_TRY(coh_dataset_set_source(dataset, o->file));
  COH_TRY(coh_safetensors_open(o->file, &file));
  coh_status status = take(o, file, dataset);
  coh_safetensors_close(&file);
  return status;
}

const coh_dataset_type coh_dataset_type_safetensors_data = {
    .kind = {.name = "safetensors",
             .doc = "A safetensors file: rows and labels from two of its tensors.",
             .options = options_table,
             .options_size = sizeof(safetensors_options)},
    .load = load,
};
