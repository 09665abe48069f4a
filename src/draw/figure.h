/* Figures: one way to draw charts, one way to lay out images.
 *
 * A chart is described, written as NAME.gp (a gnuplot script) and NAME.dat beside it, and drawn
 * by gnuplot to NAME.svg and NAME.png. Anyone can edit the script and run `gnuplot NAME.gp`. */
#ifndef COHORT_DRAW_FIGURE_H
#define COHORT_DRAW_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"
#include "io/image.h"

/* ---- charts --------------------------------------------------------------------------- */

typedef enum coh_series_style {
  COH_SERIES_LINE,     /* a line; with lo and hi also a band */
  COH_SERIES_SMOOTHED, /* the raw values thin and pale, a running mean over them bold */
  COH_SERIES_POINTS,   /* points; with lo and hi error bars */
  COH_SERIES_STEPS,    /* a staircase (schedules) */
  COH_SERIES_MARKED,   /* a line with points (evaluations); with lo and hi a band */
  COH_SERIES_BARS,     /* vertical bars (histograms, comparisons) */
  COH_SERIES_SPANS,    /* horizontal bars from lo to hi at height y (timelines) */
} coh_series_style;

/* One curve; everything borrowed. Points that are not finite are gaps. */
typedef struct coh_series {
  const char
      *label; /* in the legend, which a titled panel of one curve lacks; NULL: not there */
  coh_series_style style;
  int64_t n;
  const double *x, *y;
  const double *lo, *hi; /* interval around y, both or neither */
  int color;             /* 0: the next of the palette; k: the palette's k-th (1..8) */
} coh_series;

/* A reference line with its name written on it, e.g. a random agent's return. */
typedef struct coh_reference {
  double y;
  const char *label;
} coh_reference;

/* A dashed line down at x with its name beside it, e.g. where overfitting begins. */
typedef struct coh_mark {
  double x;
  const char *label;
} coh_mark;

typedef struct coh_axis {
  const char *label; /* with the unit: "environment steps", "loss (nats)" */
  bool logarithmic;
  double min, max; /* both 0: from the data */
} coh_axis;

typedef struct coh_panel {
  const char *title; /* may be NULL */
  coh_axis x, y;
  const coh_series *series;
  int64_t n_series;
  const coh_reference *references;
  int64_t n_references;
  const coh_mark *marks;
  int64_t n_marks;
  bool no_y_ticks; /* the references name what there is on the y axis */
} coh_panel;

typedef struct coh_chart {
  const char *title; /* may be NULL (the report has captions) */
  const coh_panel *panels;
  int64_t n_panels;
  int columns;       /* panels a row; 0: 1 for one, 2 for more */
  int width, height; /* of one panel in pixels; 0: 720 x 400 alone, 560 x 350 in a grid */
} coh_chart;

/* Write FOLDER/NAME.gp and .dat, and draw .svg and .png. drawn: out, false when gnuplot is not
 * installed or fails, which is logged as a warning and is not an error; may be NULL. Points
 * beyond 1,600 a series are thinned to minima and maxima of equal stretches. Not collective.
 * Fails: COH_E_IO, COH_E_MEMORY, COH_E_INTERNAL for a chart of nothing. */
coh_status coh_chart_write(const coh_chart *chart, const char *folder, const char *name,
                           bool *drawn);

/* The running mean behind COH_SERIES_SMOOTHED: weights that fall linearly to zero n/40 (at
 * least 2) neighbours away; values that are not finite are left out. smooth: out, n. */
void coh_chart_smooth(const double *y, int64_t n, double *smooth);

/* ---- tables of counts ------------------------------------------------------------------ */

/* A square table of counts as a picture, e.g. a confusion matrix: row i, column j holds how
 * often i was taken for j. Colour is the count's share of its row; where there is room each
 * cell shows that share in per cent and, below it, the count. */
typedef struct coh_matrix {
  const char *title;          /* may be NULL */
  const char *rows, *columns; /* what they are: "true class", "taken for" */
  const char *const *name;    /* n */
  const int64_t *count;       /* n x n, row-major */
  int64_t n;
} coh_matrix;

/* Write FOLDER/NAME.gp and .dat and draw them, as coh_chart_write does. */
coh_status coh_matrix_write(const coh_matrix *matrix, const char *folder, const char *name,
                            bool *drawn);

/* ---- images --------------------------------------------------------------------------- */

/* A grid of equally large images with labels, e.g. samples or feature maps. */
typedef struct coh_grid {
  const char *title;          /* may be NULL */
  const uint8_t *const *cell; /* n_cells images, borrowed, row-major, n_channels bytes a pixel;
                                 NULL leaves a cell empty */
  int64_t n_cells;
  int64_t width, height; /* of one image */
  int n_channels;        /* 1 or 3 */
  int columns;           /* 0: about as wide as high */
  int scale;             /* whole-number enlargement, nearest neighbour; 0: up to about 96 px */
  const char *const *label;     /* under each cell, ASCII; NULL: none */
  const char *const *row_label; /* left of each row; NULL: none */
} coh_grid;

/* Draw a grid. image: out, RGB; caller clears. Fails: COH_E_MEMORY, COH_E_INTERNAL. */
coh_status coh_grid_draw(const coh_grid *grid, coh_image *image);

/* Draw and write it as PNG. Fails: COH_E_IO and the above. */
coh_status coh_grid_write(const coh_grid *grid, const char *path);

/* Turn floats in [lo, hi] (clamped; NaN shows as lo) into bytes, e.g. a generator's samples. */
void coh_image_from_floats(const float *values, int64_t n, float lo, float hi, uint8_t *bytes);

/* Turn floats into RGB by a perceptual colour map (dark blue, teal, yellow) for heat maps of
 * values and saliency; lo..hi spans the map, NaN is gray. rgb: out, 3 n bytes. */
void coh_image_from_values(const float *values, int64_t n, float lo, float hi, uint8_t *rgb);

/* Turn signed floats into RGB: blue below zero, white at zero, red above; limit is full colour
 * (0: the largest magnitude). rgb: out, 3 n bytes. */
void coh_image_from_signed(const float *values, int64_t n, float limit, uint8_t *rgb);

/* Lay a heat map over an image: the image is dimmed to gray, the map glows from red to yellow
 * where it is high. map: map_height x map_width floats, high is `limit` (0: its largest value),
 * values below 0 show nothing. image: RGB, in/out, of any size; the map is enlarged to it,
 * smoothly. */
void coh_image_overlay(const float *map, int64_t map_width, int64_t map_height, float limit,
                       uint8_t *image, int64_t width, int64_t height);

/* Copy an image enlarged by a whole number (nearest neighbour), e.g. game frames before they
 * become an animation. to: out; caller clears. Fails: COH_E_MEMORY. */
coh_status coh_image_enlarge(const coh_image *from, int scale, coh_image *to);

/* ---- text in images: a 5 x 7 pixel font of printable ASCII, 6 x 10 a cell -------------- */

enum { COH_FONT_WIDTH = 6, COH_FONT_HEIGHT = 10 };

/* Draw text with its upper left corner at (x, y), each dot scale x scale pixels, clipped at the
 * border; other bytes show as a box. */
void coh_font_draw(coh_image *image, int64_t x, int64_t y, int scale, const uint8_t rgb[3],
                   const char *text);

#endif
