/* Labels and names of classes, from numbers or words. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/dataset_type.h"

coh_status coh_dataset_name_classes(coh_dataset *dataset, int64_t n, const char *const *names) {
  COH_NEW(dataset->class_names, n);
  dataset->n_classes = n;
  for (int64_t i = 0; i < n; i++) {
    dataset->class_names[i] = coh_alloc_string(names[i]);
    COH_CHECK(dataset->class_names[i], COH_E_MEMORY, "out of memory for the name %s", names[i]);
  }
  return COH_OK;
}

coh_status coh_dataset_number_classes(coh_dataset *dataset, int64_t n) {
  COH_NEW(dataset->class_names, n);
  dataset->n_classes = n;
  for (int64_t i = 0; i < n; i++) {
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, i);
    dataset->class_names[i] = coh_alloc_string(digits);
    COH_CHECK(dataset->class_names[i], COH_E_MEMORY, "out of memory for names of classes");
  }
  return COH_OK;
}

// ---- numbers ------------------------------------------------------------------------------

// element i, or -1 where it is negative or beyond 2^63
static int64_t label_at(const coh_array *labels, int64_t i) {
  switch (labels->dtype) {
  case COH_DTYPE_I8:
    return ((const int8_t *)labels->data)[i];
  case COH_DTYPE_I16:
    return ((const int16_t *)labels->data)[i];
  case COH_DTYPE_I32:
    return ((const int32_t *)labels->data)[i];
  case COH_DTYPE_I64:
    return ((const int64_t *)labels->data)[i];
  case COH_DTYPE_U16:
    return ((const uint16_t *)labels->data)[i];
  case COH_DTYPE_U32:
    return ((const uint32_t *)labels->data)[i];
  case COH_DTYPE_U64:
    return (int64_t)((const uint64_t *)labels->data)[i];
  default:
    return ((const uint8_t *)labels->data)[i];
  }
}

coh_status coh_dataset_take_labels(coh_dataset *dataset, const char *source,
                                   const coh_array *labels) {
  bool whole = labels->dtype != COH_DTYPE_F32 && labels->dtype != COH_DTYPE_F64 &&
               labels->dtype != COH_DTYPE_F16 && labels->dtype != COH_DTYPE_BF16;
  COH_CHECK(whole, COH_E_DATA, "%s: labels must be whole numbers, not floats", source);
  int64_t n = coh_array_count(labels);
  COH_CHECK(labels->n_dims >= 1 && n == labels->shape[0], COH_E_DATA,
            "%s: labels must be one number a row", source);
  COH_NEW(dataset->labels, n);
  dataset->n_labels = n;
  int64_t highest = 0;
  int64_t most = dataset->class_names ? dataset->n_classes : COH_MAX_CLASSES;
  for (int64_t i = 0; i < n; i++) {
    int64_t label = label_at(labels, i);
    COH_CHECK(label >= 0 && label < most, COH_E_DATA,
              "%s: label %" PRId64 " of row %" PRId64 " is not within 0 to %" PRId64, source,
              label, i, most - 1);
    dataset->labels[i] = (int32_t)label;
    if (label > highest) highest = label;
  }
  return dataset->class_names ? COH_OK : coh_dataset_number_classes(dataset, highest + 1);
}

// ---- words --------------------------------------------------------------------------------

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_number(const void *a, const void *b) {
  int64_t x = 0, y = 0;
  coh_text_to_int(*(const char *const *)a, &x);
  coh_text_to_int(*(const char *const *)b, &y);
  if (x != y) return x < y ? -1 : 1;
  return by_bytes(a, b);
}

static coh_status index_words(coh_dataset *dataset, const char *source, int64_t n,
                              const char *const *words, const char **sorted) {
  bool numbers = true;
  for (int64_t i = 0; i < n; i++) {
    int64_t ignored;
    numbers = numbers && coh_text_to_int(words[i], &ignored);
    COH_CHECK(*words[i], COH_E_DATA, "%s: label %" PRId64 " (counted from 1) is empty", source,
              i + 1);
    sorted[i] = words[i];
  }
  int (*order)(const void *, const void *) = numbers ? by_number : by_bytes;
  qsort(sorted, (size_t)n, sizeof *sorted, order);
  int64_t n_classes = 0;
  for (int64_t i = 0; i < n; i++)
    if (n_classes == 0 || strcmp(sorted[n_classes - 1], sorted[i]) != 0)
      sorted[n_classes++] = sorted[i];
  COH_CHECK(n_classes <= COH_MAX_CLASSES, COH_E_DATA,
            "%s: its labels have %" PRId64 " different values, more than %d classes", source,
            n_classes, COH_MAX_CLASSES);
  COH_NEW(dataset->labels, n);
  dataset->n_labels = n;
  for (int64_t i = 0; i < n; i++) {
    const char **found = bsearch(&words[i], sorted, (size_t)n_classes, sizeof *sorted, order);
    dataset->labels[i] = (int32_t)(found - sorted);
  }
  return coh_dataset_name_classes(dataset, n_classes, sorted);
}

coh_status coh_dataset_take_words(coh_dataset *dataset, const char *source, int64_t n,
                                  const char *const *words) {
  const char **sorted;
  COH_NEW(sorted, n);
  coh_status status = index_words(dataset, source, n, words, sorted);
  coh_free(sorted);
  return status;
}
