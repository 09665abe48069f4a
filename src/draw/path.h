/* Paths over images: what an agent walked, drawn on a map. */
#ifndef COHORT_DRAW_PATH_H
#define COHORT_DRAW_PATH_H

#include <stdbool.h>

#include "io/image.h"

/* A way through points in pixels. */
typedef struct coh_path {
  const double *x, *y; /* n_points, borrowed */
  int64_t n_points;
  double width; /* of the pen, pixels */
  uint8_t rgb[3];
  bool has_ends; /* a disc where it starts, a ring where it stops */
} coh_path;

/* Draw onto an RGB image with smooth edges, clipped at its border. */
void coh_path_draw(const coh_path *path, coh_image *image);

#endif
