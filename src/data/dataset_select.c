/* Datasets of chosen rows of another one: subsets by class, and parts for validation. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "data/dataset_type.h"

static coh_status copy_about(const coh_dataset *source, coh_dataset *made) {
  made->spec.doc = source->spec.doc;
  made->name = coh_alloc_string(source->name);
  COH_CHECK(made->name, COH_E_MEMORY, "out of memory for the name %s", source->name);
  if (source->source) COH_TRY(coh_dataset_set_source(made, source->source));
  if (source->class_names)
    COH_TRY(coh_dataset_name_classes(made, source->n_classes, source->spec.class_names));
  if (source->modes) {
    int64_t n = source->spec.n_modes * source->spec.n_values;
    COH_NEW(made->modes, n);
    memcpy(made->modes, source->modes, (size_t)n * sizeof *made->modes);
    made->spec.n_modes = source->spec.n_modes;
    made->spec.mode_std = source->spec.mode_std;
  }
  return COH_OK;
}

static coh_status copy_rows(const coh_dataset *source, int64_t n, const int64_t *rows,
                            coh_dataset *made) {
  size_t row_bytes = (size_t)source->spec.n_values * coh_dtype_bytes(source->spec.dtype);
  made->rows = source->rows;
  made->rows.shape[0] = n;
  uint8_t *to = coh_alloc_array((size_t)n, row_bytes);
  made->rows.data = to;
  COH_CHECK(to, COH_E_MEMORY, "out of memory for %" PRId64 " rows of %zu bytes", n, row_bytes);
  if (source->labels) {
    COH_NEW(made->labels, n);
    made->n_labels = n;
  }
  for (int64_t i = 0; i < n; i++) {
    COH_CHECK(rows[i] >= 0 && rows[i] < source->spec.n_rows, COH_E_INTERNAL,
              "row %" PRId64 " of %" PRId64 " is asked for", rows[i], source->spec.n_rows);
    memcpy(to + (size_t)i * row_bytes, coh_dataset_row(source, rows[i]), row_bytes);
    if (source->labels) made->labels[i] = source->labels[rows[i]];
  }
  return COH_OK;
}

coh_status coh_dataset_select(const coh_dataset *source, int64_t n, const int64_t *rows,
                              coh_dataset **dataset) {
  coh_dataset *made;
  COH_NEW(made, 1);
  coh_status status = copy_about(source, made);
  if (status == COH_OK) status = copy_rows(source, n, rows, made);
  if (status == COH_OK) status = coh_dataset_finish(made);
  if (status != COH_OK) {
    coh_dataset_destroy(&made);
    return status;
  }
  *dataset = made;
  return COH_OK;
}

coh_status coh_dataset_with_rows(const coh_dataset *source, const char *name, coh_array *rows,
                                 coh_dataset **dataset) {
  coh_dataset *made = NULL;
  COH_TRY(coh_dataset_of_arrays(name, rows, NULL, &made));
  coh_status status = COH_OK;
  if (made->spec.n_rows != source->spec.n_rows)
    status = coh_fail(COH_E_INTERNAL, "%" PRId64 " rows for %" PRId64, made->spec.n_rows,
                      source->spec.n_rows);
  if (status == COH_OK && source->labels) {
    made->n_labels = source->n_labels;
    made->labels = coh_alloc_array((size_t)made->n_labels, sizeof *made->labels);
    if (!made->labels) status = coh_fail(COH_E_MEMORY, "out of memory for labels");
    if (status == COH_OK) {
      memcpy(made->labels, source->labels, (size_t)made->n_labels * sizeof *made->labels);
      status = coh_dataset_name_classes(made, source->n_classes, source->spec.class_names);
    }
    if (status == COH_OK) status = coh_dataset_finish(made);
  }
  if (status != COH_OK) {
    coh_dataset_destroy(&made);
    return status;
  }
  *dataset = made;
  return COH_OK;
}

static coh_status pick_per_class(const coh_dataset *source, int64_t n_per_class, uint64_t seed,
                                 int64_t *counts, int64_t *rows) {
  const coh_dataset_spec *spec = &source->spec;
  coh_dataset_count_classes(source, counts);
  for (int64_t c = 0; c < spec->n_classes; c++) {
    COH_CHECK(counts[c] >= n_per_class, COH_E_CONFIG,
              "dataset %s: class '%s' has %" PRId64 " rows, fewer than the %" PRId64
              " asked for",
              spec->name, spec->class_names[c], counts[c], n_per_class);
    counts[c] = 0;
  }
  coh_permutation order = coh_permutation_make(spec->n_rows, seed, "per class", 0);
  int64_t n = 0;
  for (int64_t i = 0; n < n_per_class * spec->n_classes; i++) {
    int64_t row = coh_permutation_at(&order, i);
    if (counts[source->labels[row]]++ < n_per_class) rows[n++] = row;
  }
  return COH_OK;
}

coh_status coh_dataset_per_class(const coh_dataset *source, int64_t n_per_class, uint64_t seed,
                                 coh_dataset **dataset) {
  const coh_dataset_spec *spec = &source->spec;
  COH_CHECK(spec->has_labels, COH_E_CONFIG, "dataset %s: has no labels to choose rows by",
            spec->name);
  COH_CHECK(n_per_class >= 1 && n_per_class <= spec->n_rows, COH_E_CONFIG,
            "dataset %s: %" PRId64 " rows a class are asked for, there are %" PRId64 " in all",
            spec->name, n_per_class, spec->n_rows);
  int64_t *counts, *rows = NULL;
  COH_NEW(counts, spec->n_classes);
  rows = coh_alloc_array((size_t)(n_per_class * spec->n_classes), sizeof *rows);
  coh_status status = rows ? pick_per_class(source, n_per_class, seed, counts, rows)
                           : coh_fail(COH_E_MEMORY, "out of memory for rows by class");
  if (status == COH_OK)
    status = coh_dataset_select(source, n_per_class * spec->n_classes, rows, dataset);
  coh_free(counts);
  coh_free(rows);
  return status;
}

coh_status coh_dataset_split(const coh_dataset *source, int64_t n_held_out, uint64_t seed,
                             coh_dataset **rest, coh_dataset **held_out) {
  const coh_dataset_spec *spec = &source->spec;
  COH_CHECK(n_held_out >= 1 && n_held_out < spec->n_rows, COH_E_CONFIG,
            "dataset %s: cannot hold out %" PRId64 " of %" PRId64 " rows", spec->name,
            n_held_out, spec->n_rows);
  int64_t *rows;
  COH_NEW(rows, spec->n_rows);
  coh_permutation order = coh_permutation_make(spec->n_rows, seed, "held out", 0);
  for (int64_t i = 0; i < spec->n_rows; i++)
    rows[i] = coh_permutation_at(&order, i);
  coh_dataset *first = NULL, *second = NULL;
  coh_status status = coh_dataset_select(source, n_held_out, rows, &first);
  if (status == COH_OK)
    status = coh_dataset_select(source, spec->n_rows - n_held_out, rows + n_held_out, &second);
  coh_free(rows);
  if (status != COH_OK) {
    coh_dataset_destroy(&first);
    return status;
  }
  *held_out = first;
  *rest = second;
  return COH_OK;
}
