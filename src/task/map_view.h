/* What every task that makes a map shows of it beside its own pictures: rows that are images in
 * their places, and a page to move about in. */
#ifndef COHORT_TASK_MAP_VIEW_H
#define COHORT_TASK_MAP_VIEW_H

#include "cohort/data.h"
#include "cohort/task.h"

/* Write figures/thumbnails.png (where rows are images) and figures/map.html, and tell results.
 * y: (n_rows, stride) places, of which the first two are shown. Rank 0. Fails: COH_E_IO,
 * COH_E_MEMORY. */
coh_status coh_map_view_write(const coh_dataset *dataset, const float *y, int64_t stride,
                              const char *folder, coh_results *results);

#endif
