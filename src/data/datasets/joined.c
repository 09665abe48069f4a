/* Two datasets of the same kind of rows, one behind the other: real and generated ones. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "data/dataset_type.h"

typedef struct joined_options {
  coh_choice first, second;
  int64_t times;
} joined_options;

static const coh_option options_table[] = {
    {.name = "first",
     .type = COH_KIND,
     .offset = offsetof(joined_options, first),
     .kinds = &coh_dataset_kinds,
     .doc = "Rows that come first; its classes are those of all."},
    {.name = "second",
     .type = COH_KIND,
     .offset = offsetof(joined_options, second),
     .kinds = &coh_dataset_kinds,
     .doc = "Rows that come behind, of the same shape, with labels where the first have them."},
    {.name = "times",
     .type = COH_INT,
     .offset = offsetof(joined_options, times),
     .initial = "1",
     .min = 1,
     .max = 1e6,
     .doc = "How often the first rows are there, so that few count as much as many."},
    {.name = NULL}};

static coh_status check(const coh_dataset_spec *a, const coh_dataset_spec *b) {
  bool same = a->n_dims == b->n_dims && a->dtype == b->dtype;
  for (int k = 0; same && k < a->n_dims; k++)
    same = a->shape[k] == b->shape[k];
  COH_CHECK(same, COH_E_DATA,
            "joined: the rows of %s and of %s are of different shapes or types", a->name,
            b->name);
  COH_CHECK(a->has_labels == b->has_labels && b->n_classes <= a->n_classes, COH_E_DATA,
            "joined: %s has %" PRId64 " classes, %s has %" PRId64, a->name, a->n_classes,
            b->name, b->n_classes);
  return COH_OK;
}

static coh_status join(const coh_dataset *a, const coh_dataset *b, int64_t times,
                       coh_dataset *dataset) {
  const coh_dataset_spec *sa = &a->spec, *sb = &b->spec;
  COH_TRY(check(sa, sb));
  int64_t n = times * sa->n_rows + sb->n_rows;
  size_t row = (size_t)sa->n_values * coh_dtype_bytes(sa->dtype), used = 0;
  uint8_t *to = coh_alloc_array((size_t)n, row);
  COH_CHECK(to, COH_E_MEMORY, "out of memory for %" PRId64 " rows", n);
  dataset->rows = a->rows;
  dataset->rows.shape[0] = n;
  dataset->rows.data = to;
  for (int64_t t = 0; t < times; t++, used += (size_t)sa->n_rows * row)
    memcpy(to + used, coh_dataset_row(a, 0), (size_t)sa->n_rows * row);
  memcpy(to + used, coh_dataset_row(b, 0), (size_t)sb->n_rows * row);
  if (!sa->has_labels) return COH_OK;
  COH_NEW(dataset->labels, n);
  dataset->n_labels = n;
  for (int64_t i = 0; i < n; i++)
    dataset->labels[i] =
        i < times * sa->n_rows ? a->labels[i % sa->n_rows] : b->labels[i - times * sa->n_rows];
  return coh_dataset_name_classes(dataset, sa->n_classes, sa->class_names);
}

static coh_status load(const void *options, coh_dataset *dataset) {
  const joined_options *o = options;
  coh_dataset *a = NULL, *b = NULL;
  coh_status status = coh_dataset_create(&o->first, &a);
  if (status == COH_OK) status = coh_dataset_create(&o->second, &b);
  if (status == COH_OK) status = join(a, b, o->times, dataset);
  coh_dataset_destroy(&a), coh_dataset_destroy(&b);
  return status;
}

const coh_dataset_type coh_dataset_type_joined = {
    .kind = {.name = "joined",
             .doc = "Two datasets, one behind the other: real rows and generated ones.",
             .options = options_table,
             .options_size = sizeof(joined_options)},
    .load = load,
};
