/* Where the rows of a map come from: a dataset, or what a layer of a network gives for it. */
#ifndef COHORT_TASK_MAP_MAP_SOURCE_H
#define COHORT_TASK_MAP_MAP_SOURCE_H

#include "cohort/data.h"

typedef struct coh_map_source {
  coh_choice data;
  char *network, *part, *layer;
} coh_map_source;

/* The rows of an option table for `source`, a member of the struct `owner`. */
#define COH_MAP_SOURCE_OPTIONS(owner, source)                                                  \
  {.name = "data",                                                                             \
   .type = COH_KIND,                                                                           \
   .offset = offsetof(owner, source.data),                                                     \
   .kinds = &coh_dataset_kinds,                                                                \
   .doc = "Rows; with labels, pictures are coloured by them."},                                \
      {.name = "network",                                                                      \
       .type = COH_STRING,                                                                     \
       .offset = offsetof(owner, source.network),                                              \
       .initial = "''",                                                                        \
       .doc =                                                                                  \
           "A model.safetensors of any run: rows are what a layer of its network gives for "   \
           "the data."},                                                                       \
      {.name = "part",                                                                         \
       .type = COH_STRING,                                                                     \
       .offset = offsetof(owner, source.part),                                                 \
       .initial = "''",                                                                        \
       .doc = "Which network of that file, where it holds several, e.g. discriminator."},      \
  {                                                                                            \
    .name = "layer", .type = COH_STRING, .offset = offsetof(owner, source.layer),              \
    .initial = "penultimate",                                                                  \
    .doc = "The layer: a name or a kind as `cohort explain RUN layers` shows, penultimate or " \
           "output."                                                                           \
  }

/* Open the dataset, and run the network over it where there is one. rows: out, caller destroys.
 * images: out, the same rows as people know them: NULL where that is `rows`; else caller
 * destroys. Not collective. Fails: COH_E_CONFIG, COH_E_DATA, COH_E_MEMORY. */
coh_status coh_map_source_open(const coh_map_source *source, int n_threads, coh_dataset **rows,
                               coh_dataset **images);

/* The same source with other data: for rows to be placed on a map. */
coh_status coh_map_source_like(const coh_map_source *source, const coh_choice *data,
                               int n_threads, coh_dataset **rows);

#endif
