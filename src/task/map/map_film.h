/* An animation of a map as it forms: places of at most COH_FILM_POINTS of its rows, kept while
 * it is optimised and saved with it.
 *
 * A frame is kept every few iterations; when there is no room, every second one is dropped and
 * the pace halved. So the frames do not depend on where the run ends. Nothing is allocated
 * between create and draw. Not collective. */
#ifndef COHORT_TASK_MAP_MAP_FILM_H
#define COHORT_TASK_MAP_MAP_FILM_H

#include "cohort/data.h"
#include "cohort/task.h"

enum { COH_FILM_FRAMES = 64, COH_FILM_POINTS = 2000 };

typedef struct coh_map_film {
  int64_t n_points, n_rows; /* point p is row p * n_rows / n_points */
  float *place;             /* (COH_FILM_FRAMES, n_points, 2) */
  int64_t n_frames, pace;   /* iterations from frame to frame; frame f is iteration f * pace */
} coh_map_film;

coh_status coh_map_film_init(coh_map_film *film, int64_t n_rows);
void coh_map_film_fini(coh_map_film *film);

/* Whether iteration belongs on the film; if so, where its frame goes: (n_points, 2). NULL:
 * not. */
float *coh_map_film_frame(coh_map_film *film, int64_t iteration);

/* Write figures/optimisation.png, an animation with the colours of the labels, and tell
 * results. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_map_film_write(const coh_map_film *film, const coh_dataset *rows,
                              const char *folder, coh_results *results);

#endif
