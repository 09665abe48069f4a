/* How a dataset is written: one file in datasets/ that defines a coh_dataset_type, and one line
 * in dataset.def. Its load fills rows (and labels, names, modes) of an empty coh_dataset;
 * dataset.c checks them and completes the spec. */
#ifndef COHORT_DATA_DATASET_TYPE_H
#define COHORT_DATA_DATASET_TYPE_H

#include "cohort/data.h"
#include "io/map.h"

struct coh_dataset {
  coh_dataset_spec spec; /* name .. class_names: completed by dataset.c */
  char *name;            /* owned, like all that follows */
  char *source;          /* stands in messages: a path; NULL: the name */
  coh_array rows; /* (n), (n, d), (n, h, w) or (n, h, w, c); data in map if there is one */
  coh_map map;
  int32_t *labels;
  int64_t n_labels, n_classes;
  char **class_names; /* n_classes */
  float *modes;       /* spec.n_modes x values of a row */
};

typedef struct coh_dataset_type {
  coh_kind kind; /* first, so that a coh_kind of the registry casts to its type */

  /* Fill the empty dataset. options: borrowed for the call. On failure what was filled is
   * released by the caller. */
  coh_status (*load)(const void *options, coh_dataset *dataset);
} coh_dataset_type;

/* Most bytes that a dataset's own option `memory` lets it take, unless it says otherwise. */
#define COH_DATASET_MEMORY "16GiB"

/* Remember where the rows come from. Fails: COH_E_MEMORY. */
coh_status coh_dataset_set_source(coh_dataset *dataset, const char *source);

/* Take labels from an array of whole numbers from 0, as many as its count; sides beyond the
 * first must be 1. Classes are named by their numbers unless the dataset has names already,
 * which must suffice. source: for messages. Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_dataset_take_labels(coh_dataset *dataset, const char *source,
                                   const coh_array *labels);

/* Take labels from words: classes are the distinct ones, in numeric order if all are whole
 * numbers, else in byte order. words: n, borrowed. Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_dataset_take_words(coh_dataset *dataset, const char *source, int64_t n,
                                  const char *const *words);

/* Name the classes. names: n, copied. Fails: COH_E_MEMORY. */
coh_status coh_dataset_name_classes(coh_dataset *dataset, int64_t n, const char *const *names);

/* Name n classes "0", "1", ... Fails: COH_E_MEMORY. */
coh_status coh_dataset_number_classes(coh_dataset *dataset, int64_t n);

/* Check and complete what load filled. Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_dataset_finish(coh_dataset *dataset);

/* Convert n elements of any type to floats. */
void coh_dataset_to_floats(coh_dtype dtype, const void *from, int64_t n, float *to);

#endif
