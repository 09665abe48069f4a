/* A map as one HTML file that needs nothing else: pan, zoom (and turning, in three dimensions),
 * a legend that shows and hides classes, and under the pointer the label, the row and, where
 * rows are images, the image. */
#ifndef COHORT_DRAW_MAP_PAGE_H
#define COHORT_DRAW_MAP_PAGE_H

#include <stdint.h>

#include "cohort/status.h"
#include "io/image.h"

/* Points; everything borrowed. */
typedef struct coh_map_page {
  const char *title;
  int64_t n;
  const float *x, *y, *z; /* value of point i at x[i * stride]; finite; z: NULL in a plane */
  int64_t stride;
  const int32_t *label; /* class of each point, or NULL */
  int64_t n_classes;
  const char *const *class_name;
  /* images of every image_step-th point, side by side in rows of `columns`; NULL: none */
  const coh_image *sheet;
  int64_t image_step, n_images, columns, image_width, image_height;
} coh_map_page;

/* Write the page, atomically. Not collective. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_map_page_write(const coh_map_page *page, const char *path);

#endif
