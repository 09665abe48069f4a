/* What every task that makes a map shows of it: the picture by label, rows that are images in
 * their places, a page to move about in, files for TensorBoard's projector. */
#ifndef COHORT_TASK_MAP_MAP_VIEW_H
#define COHORT_TASK_MAP_MAP_VIEW_H

#include "cohort/data.h"
#include "cohort/task.h"

/* A finished map. Everything borrowed. */
typedef struct coh_map_view {
  const coh_dataset *rows;   /* labels and their names */
  const coh_dataset *images; /* the same rows as people know them; may be `rows` */
  const float *y;            /* (n_rows, dims), of which up to three are shown */
  int64_t dims;
  const char *folder; /* of the run */
  bool has_picture;   /* whether a map.png is wanted */
} coh_map_view;

/* Write figures/map.png, figures/thumbnails.png (where rows are images), figures/map.html and
 * results/projector, and tell results. Rank 0. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_map_view_write(const coh_map_view *view, coh_results *results);

/* Places in a plane: the first two dimensions, or, of a line, a band for each class. seen: out,
 * (n_rows, 2). */
void coh_map_view_places(const coh_map_view *view, float *seen);

/* ---- TensorBoard: map_projector.c */

/* Write results/projector: tensors.tsv, metadata.tsv, projector_config.pbtxt and, where rows
 * are images, sprite.png. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_map_projector_write(const coh_map_view *view, coh_results *results);

#endif
