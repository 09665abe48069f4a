/* New rows on a finished map, as a picture: the map in gray, the new rows in their colours. */
#ifndef COHORT_TASK_MAP_MAP_PLACE_H
#define COHORT_TASK_MAP_MAP_PLACE_H

#include "cohort/data.h"

/* Places of the map, (n, dims), and of the new rows, (n_new, dims); borrowed. */
typedef struct coh_map_placed {
  const float *map, *places;
  int64_t n, dims;
  const coh_dataset *rows; /* the new ones */
} coh_map_placed;

/* Write a PNG. Not collective. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_map_placed_write(const coh_map_placed *placed, const char *path);

#endif
