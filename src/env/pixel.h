/* Drawing on a plain RGB canvas: filled shapes with antialiased edges. Coordinates are pixels
 * as reals, x to the right and y down; pixel (i, j) covers [i, i + 1) x [j, j + 1). Shapes are
 * cut at the canvas. Nothing is allocated. */
#ifndef COHORT_ENV_PIXEL_H
#define COHORT_ENV_PIXEL_H

#include <stdint.h>

typedef struct coh_canvas {
  uint8_t *rgb; /* height x width x 3, borrowed */
  int64_t width, height;
} coh_canvas;

typedef struct coh_color {
  uint8_t r, g, b;
} coh_color;

typedef struct coh_point {
  double x, y;
} coh_point;

/* A colour from 0xRRGGBB. */
static inline coh_color coh_rgb(uint32_t hex) {
  return (coh_color){(uint8_t)(hex >> 16), (uint8_t)(hex >> 8), (uint8_t)hex};
}

/* Between two colours: share 0 gives a, 1 gives b. */
coh_color coh_color_mix(coh_color a, coh_color b, double share);

/* Paint the whole canvas. */
void coh_canvas_clear(coh_canvas *canvas, coh_color color);

/* An axis-parallel rectangle with corners rounded by `radius` (0: square). */
void coh_canvas_rect(coh_canvas *canvas, double x0, double y0, double x1, double y1,
                     double radius, coh_color color);

/* A disc. */
void coh_canvas_disc(coh_canvas *canvas, coh_point center, double radius, coh_color color);

/* A line of a given thickness with round ends. */
void coh_canvas_line(coh_canvas *canvas, coh_point from, coh_point to, double thickness,
                     coh_color color);

/* A convex polygon, corners in either turning sense, 3 <= n_points <= 64. */
void coh_canvas_polygon(coh_canvas *canvas, const coh_point *points, int64_t n_points,
                        coh_color color);

#endif
