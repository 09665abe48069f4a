/* Datasets: made by their kind or of arrays, checked here, released here. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "data/dataset_type.h"

// ---- completion ---------------------------------------------------------------------------

static const char *source_of(const coh_dataset *dataset) {
  return dataset->source ? dataset->source : dataset->name;
}

coh_status coh_dataset_set_source(coh_dataset *dataset, const char *source) {
  coh_free(dataset->source);
  dataset->source = coh_alloc_string(source);
  COH_CHECK(dataset->source, COH_E_MEMORY, "out of memory for the name %s", source);
  return COH_OK;
}

static coh_status complete_shape(coh_dataset *dataset) {
  coh_dataset_spec *spec = &dataset->spec;
  const coh_array *rows = &dataset->rows;
  const int64_t *side = rows->shape;
  const char *source = source_of(dataset);
  COH_CHECK(rows->n_dims >= 1 && rows->n_dims <= 4, COH_E_DATA,
            "%s: has %d dimensions; rows are (n, values), (n, height, width) or "
            "(n, height, width, channels)",
            source, rows->n_dims);
  COH_CHECK(side[0] >= 1, COH_E_DATA, "%s: has no rows", source);
  spec->n_rows = side[0];
  spec->n_dims = rows->n_dims <= 2 ? 1 : 3;
  spec->n_values = 1;
  for (int i = 0; i < 3; i++) {
    spec->shape[i] = i + 1 < rows->n_dims ? side[i + 1] : 1;
    spec->n_values *= spec->shape[i];
  }
  COH_CHECK(spec->n_values >= 1, COH_E_DATA, "%s: its rows hold no values", source);
  return COH_OK;
}

static void release_rows(coh_dataset *dataset) {
  if (dataset->map.start)
    coh_map_close(&dataset->map);
  else
    coh_free(dataset->rows.data);
  dataset->rows = (coh_array){0};
}

// bytes and floats stay as they are; truth values are bytes; all else becomes floats
static coh_status complete_type(coh_dataset *dataset) {
  coh_array *rows = &dataset->rows;
  if (rows->dtype == COH_DTYPE_BOOL) rows->dtype = COH_DTYPE_U8;
  if (rows->dtype != COH_DTYPE_U8 && rows->dtype != COH_DTYPE_F32) {
    float *values;
    int64_t n = coh_array_count(rows);
    COH_NEW(values, n);
    coh_dataset_to_floats(rows->dtype, rows->data, n, values);
    coh_array floats = *rows;
    floats.dtype = COH_DTYPE_F32;
    floats.data = values;
    release_rows(dataset);
    *rows = floats;
  }
  dataset->spec.dtype = rows->dtype;
  return COH_OK;
}

coh_status coh_dataset_finish(coh_dataset *dataset) {
  coh_dataset_spec *spec = &dataset->spec;
  COH_TRY(complete_shape(dataset));
  COH_TRY(complete_type(dataset));
  spec->name = dataset->name;
  spec->modes = dataset->modes;
  if (dataset->labels) {
    COH_CHECK(dataset->n_labels == spec->n_rows, COH_E_DATA,
              "%s: has %" PRId64 " rows, but there are %" PRId64 " labels", source_of(dataset),
              spec->n_rows, dataset->n_labels);
    spec->has_labels = true;
    spec->n_classes = dataset->n_classes;
    spec->class_names = (const char *const *)dataset->class_names;
  }
  // a mapped file may be larger than memory: it is looked at as it is used
  if (!dataset->map.start) COH_TRY(coh_dataset_check_finite(dataset, 0, spec->n_rows));
  return COH_OK;
}

// ---- create, destroy ----------------------------------------------------------------------

static coh_status begin(const char *name, const char *doc, coh_dataset **dataset) {
  coh_dataset *made;
  COH_NEW(made, 1);
  made->name = coh_alloc_string(name);
  made->spec.doc = doc;
  if (!made->name) {
    coh_free(made);
    return coh_fail(COH_E_MEMORY, "out of memory for the name %s", name);
  }
  *dataset = made;
  return COH_OK;
}

coh_status coh_dataset_create(const coh_choice *choice, coh_dataset **dataset) {
  const coh_dataset_type *type = (const coh_dataset_type *)(const void *)choice->kind;
  coh_dataset *made;
  COH_TRY(begin(type->kind.name, type->kind.doc, &made));
  coh_status status = type->load(choice->options, made);
  if (status == COH_OK) status = coh_dataset_finish(made);
  if (status != COH_OK) {
    coh_dataset_destroy(&made);
    return status;
  }
  *dataset = made;
  return COH_OK;
}

coh_status coh_dataset_create_named(const char *name, coh_dataset **dataset) {
  coh_choice choice = {0};
  COH_TRY(coh_choice_make(&coh_dataset_kinds, name, &choice));
  coh_status status = coh_dataset_create(&choice, dataset);
  coh_choice_clear(&choice);
  return status;
}

coh_status coh_dataset_of_arrays(const char *name, coh_array *rows, const coh_array *labels,
                                 coh_dataset **dataset) {
  coh_dataset *made;
  coh_array shape = *rows;
  // a type that becomes floats is converted first, so that a failure leaves the caller's array
  float *floats = NULL;
  if (rows->dtype != COH_DTYPE_U8 && rows->dtype != COH_DTYPE_BOOL &&
      rows->dtype != COH_DTYPE_F32) {
    int64_t n = coh_array_count(rows);
    COH_NEW(floats, n);
    coh_dataset_to_floats(rows->dtype, rows->data, n, floats);
    shape.dtype = COH_DTYPE_F32;
    shape.data = floats;
  }
  coh_status status = begin(name, "Arrays at hand.", &made);
  if (status != COH_OK) {
    coh_free(floats);
    return status;
  }
  made->rows = shape;
  if (labels) status = coh_dataset_take_labels(made, name, labels);
  if (status == COH_OK) status = coh_dataset_finish(made);
  if (status != COH_OK) {
    if (!floats) made->rows = (coh_array){0};
    coh_dataset_destroy(&made);
    return status;
  }
  if (floats) coh_free(rows->data);
  *rows = (coh_array){0};
  *dataset = made;
  return COH_OK;
}

void coh_dataset_destroy(coh_dataset **dataset) {
  coh_dataset *gone = *dataset;
  if (!gone) return;
  release_rows(gone);
  for (int64_t i = 0; i < gone->n_classes; i++)
    if (gone->class_names) coh_free(gone->class_names[i]);
  coh_free(gone->class_names);
  coh_free(gone->labels);
  coh_free(gone->modes);
  coh_free(gone->source);
  coh_free(gone->name);
  COH_DELETE(*dataset);
}

// ---- views --------------------------------------------------------------------------------

const coh_dataset_spec *coh_dataset_spec_of(const coh_dataset *dataset) {
  return &dataset->spec;
}

const void *coh_dataset_row(const coh_dataset *dataset, int64_t row) {
  size_t stride = (size_t)dataset->spec.n_values * coh_dtype_bytes(dataset->spec.dtype);
  return (const uint8_t *)dataset->rows.data + (size_t)row * stride;
}

const int32_t *coh_dataset_labels(const coh_dataset *dataset) {
  return dataset->labels;
}

void coh_dataset_count_classes(const coh_dataset *dataset, int64_t *counts) {
  const coh_dataset_spec *spec = &dataset->spec;
  if (spec->n_classes == 0) return;
  memset(counts, 0, (size_t)spec->n_classes * sizeof *counts);
  for (int64_t i = 0; i < spec->n_rows; i++)
    counts[dataset->labels[i]]++;
}
