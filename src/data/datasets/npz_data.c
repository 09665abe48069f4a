/* Rows and labels from members of one NumPy archive. */
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/dataset_type.h"
#include "io/npz.h"

typedef struct npz_options {
  char *file, *rows, *labels;
  int64_t memory;
} npz_options;

static const coh_option options_table[] = {
    {.name = "file",
     .type = COH_STRING,
     .offset = offsetof(npz_options, file),
     .doc = "The NPZ archive."},
    {.name = "rows",
     .type = COH_STRING,
     .offset = offsetof(npz_options, rows),
     .initial = "x",
     .doc = "The member that holds the rows, e.g. x_train."},
    {.name = "labels",
     .type = COH_STRING,
     .offset = offsetof(npz_options, labels),
     .initial = "",
     .doc = "The member that holds the labels, whole numbers from 0, e.g. y_train."},
    {.name = "memory",
     .type = COH_BYTES,
     .offset = offsetof(npz_options, memory),
     .initial = COH_DATASET_MEMORY,
     .min = 1,
     .max = 1e15,
     .doc = "Refuse an archive whose arrays take more."},
    {.name = NULL}};

static coh_status find(const npz_options *o, const coh_npz *npz, const char *name,
                       coh_array **array) {
  for (int64_t i = 0; i < npz->n_members; i++) {
    if (strcmp(npz->member[i].name, name) != 0) continue;
    *array = &npz->member[i].array;
    return COH_OK;
  }
  coh_text names = {0};
  for (int64_t i = 0; i < npz->n_members && i < 20; i++)
    coh_text_add(&names, "%s%s", i ? ", " : "", npz->member[i].name);
  char *list;
  COH_TRY(coh_text_take(&names, &list));
  coh_status status =
      coh_fail(COH_E_DATA, "%s: has no array '%s'; it has: %s", o->file, name, list);
  coh_free(list);
  return status;
}

static coh_status take(const npz_options *o, coh_npz *npz, coh_dataset *dataset) {
  coh_array *rows = NULL, *labels = NULL;
  COH_TRY(find(o, npz, o->rows, &rows));
  if (*o->labels) {
    COH_TRY(find(o, npz, o->labels, &labels));
    COH_TRY(coh_dataset_take_labels(dataset, o->file, labels));
  }
  dataset->rows = *rows;
  *rows = (coh_array){0};
  return COH_OK;
}

static coh_status load(const void *options, coh_dataset *dataset) {
  const npz_options *o = options;
  COH_TRY(coh_dataset_set_source(dataset, o->file));
  coh_npz npz;
  COH_TRY(coh_npz_read(o->file, (size_t)o->memory, &npz));
  coh_status status = take(o, &npz, dataset);
  coh_npz_clear(&npz);
  return status;
}

const coh_dataset_type coh_dataset_type_npz_data = {
    .kind = {.name = "npz",
             .doc = "A NumPy archive: rows and labels from two of its arrays.",
             .options = options_table,
             .options_size = sizeof(npz_options)},
    .load = load,
};
