/* A small training set: so many rows of every class of another dataset. */
#include "data/dataset_type.h"

typedef struct few_options {
  coh_choice of;
  int64_t n, data_seed;
} few_options;

static const coh_option options_table[] = {
    {.name = "of",
     .type = COH_KIND,
     .offset = offsetof(few_options, of),
     .initial = "fashion_mnist",
     .kinds = &coh_dataset_kinds,
     .doc = "Where the rows are from."},
    {.name = "n",
     .type = COH_INT,
     .offset = offsetof(few_options, n),
     .initial = "20",
     .min = 1,
     .max = 1e9,
     .unit = "rows",
     .doc = "Rows of every class; those for n are among those for n + 1."},
    {.name = "data_seed",
     .type = COH_INT,
     .offset = offsetof(few_options, data_seed),
     .initial = "1",
     .min = 0,
     .max = 9e15,
     .doc = "Seed of the choice, apart from the run's."},
    {.name = NULL}};

static coh_status load(const void *options, coh_dataset *dataset) {
  const few_options *o = options;
  coh_dataset *whole = NULL, *chosen = NULL;
  COH_TRY(coh_dataset_create(&o->of, &whole));
  coh_status status = coh_dataset_per_class(whole, o->n, (uint64_t)o->data_seed, &chosen);
  coh_dataset_destroy(&whole);
  COH_TRY(status);
  dataset->rows = chosen->rows;
  dataset->labels = chosen->labels;
  dataset->n_labels = chosen->n_labels;
  dataset->n_classes = chosen->n_classes;
  dataset->class_names = chosen->class_names;
  // what has moved is no longer the chosen ones'
  chosen->rows = (coh_array){0};
  chosen->labels = NULL;
  chosen->class_names = NULL;
  chosen->n_classes = 0;
  coh_dataset_destroy(&chosen);
  return COH_OK;
}

const coh_dataset_type coh_dataset_type_few = {
    .kind = {.name = "few",
             .doc = "So many rows of every class of another dataset: a small training set.",
             .options = options_table,
             .options_size = sizeof(few_options)},
    .load = load,
};
