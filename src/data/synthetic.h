/* What the generators of synthetic data share. Row r is drawn from the stream of (seed, name,
 * r), so a longer dataset begins with the rows of a shorter one. */
#ifndef COHORT_DATA_SYNTHETIC_H
#define COHORT_DATA_SYNTHETIC_H

#include "cohort/random.h"
#include "data/dataset_type.h"

/* Make room for n labelled rows of d floats; classes 0 .. n_classes - 1 are named by numbers.
 * Fails: COH_E_MEMORY, COH_E_CONFIG for more than 2^40 values. */
coh_status coh_synthetic_begin(coh_dataset *dataset, int64_t n, int64_t d, int64_t n_classes);

/* Make room for n_modes centres (to be filled) of a mixture of round Gaussians. */
coh_status coh_synthetic_modes(coh_dataset *dataset, int64_t n_modes, double std);

/* Draw every row of the mixture: a mode by equal chance, normal noise about its centre; the
 * label is the mode. After coh_synthetic_begin and _modes, with the centres filled. */
void coh_synthetic_mixture(coh_dataset *dataset, uint64_t seed);

/* The stream of a row. */
coh_stream coh_synthetic_stream(const coh_dataset *dataset, uint64_t seed, int64_t row);

/* Rows common to the option tables of generators: how many rows, and the seed. */
#define COH_SYNTHETIC_ROWS(options_struct, default_n)                                     \
  {.name = "n",                                                                           \
   .type = COH_INT,                                                                       \
   .offset = offsetof(options_struct, n),                                                 \
   .initial = default_n,                                                                  \
   .min = 1,                                                                              \
   .max = 1e12,                                                                           \
   .unit = "rows",                                                                        \
   .doc = "Rows to draw."},                                                               \
  {                                                                                       \
    .name = "data_seed", .type = COH_INT, .offset = offsetof(options_struct, data_seed),  \
    .initial = "1", .min = 0, .max = 9e15,                                                \
    .doc = "Seed of the data, apart from the run's: runs of all seeds see the same data." \
  }

#endif
