/* Scatter plots of many points in colours of their classes, drawn into an image, with a legend
 * and, where rows are images, some of them as thumbnails in their places. */
#ifndef COHORT_DRAW_SCATTER_H
#define COHORT_DRAW_SCATTER_H

#include <stdint.h>

#include "cohort/status.h"
#include "io/image.h"

/* Points; everything borrowed. */
typedef struct coh_scatter {
  const char *title; /* may be NULL */
  int64_t n;
  const float *x, *y; /* value of point i at x[i * stride] */
  int64_t stride;
  const int32_t *label; /* class of each point, or NULL */
  int64_t n_classes;
  const char *const *class_name; /* n_classes, or NULL */
  int64_t n_behind;              /* so many points, the first, are gray and lie behind */
  int64_t size;                  /* of the square in pixels; 0: 720 */
  float low[2], high[2]; /* what the square spans; all 0: the points, with equal units */
  const char *x_label, *y_label; /* written in the corners; may be NULL */
  /* thumbnails: n_thumbs rows; pixel (w, h) of n_channels bytes each */
  int64_t n_thumbs;
  const int64_t *thumb_point;
  const uint8_t *thumb; /* (n_thumbs, h, w, n_channels) */
  int64_t thumb_width, thumb_height;
  int thumb_channels;
} coh_scatter;

/* Draw. image: out, RGB; caller clears. Points that are not finite are left out.
 * Fails: COH_E_MEMORY, COH_E_INTERNAL (nothing to draw). */
coh_status coh_scatter_draw(const coh_scatter *scatter, coh_image *image);

/* Draw and write it as PNG. Fails: COH_E_IO and the above. */
coh_status coh_scatter_write(const coh_scatter *scatter, const char *path);

/* The colour of a class: ten that are told apart by people with any colour vision as well as
 * ten can be, then hues by the golden angle. */
void coh_class_color(int64_t label, uint8_t rgb[3]);

/* The span of points with some room around them, a square of equal units. */
void coh_scatter_span(int64_t n, const float *x, const float *y, int64_t stride, float low[2],
                      float high[2]);

#endif
