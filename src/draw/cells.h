/* A world of cells as a heat map, with arrows and a way through it: values and policies. */
#ifndef COHORT_DRAW_CELLS_H
#define COHORT_DRAW_CELLS_H

#include <stdint.h>

#include "io/image.h"

/* Cells row by row; arrays are borrowed. */
typedef struct coh_cells {
  int64_t n_rows, n_cols;
  const double *value; /* infinite: a colour of its own; NaN: gray */
  const uint8_t *wall; /* 1: dark, nothing else is drawn there; may be NULL */
  const int8_t *arrow; /* 0 up, 1 right, 2 down, 3 left, -1 none; may be NULL */
  const int64_t *way;  /* n_way cells in order, disc to ring; may be NULL */
  int64_t n_way;
  double low, high; /* that the colours span */
  int64_t room;     /* pixels of the longer side, about */
} coh_cells;

/* The least and the greatest finite value that is no wall's; 0 and 1 where there is none, high
 * above low. */
void coh_cells_range(const coh_cells *cells, double *low, double *high);

/* image: out, RGB; caller clears. Arrows are left out where cells are too small for them.
 * Fails: COH_E_MEMORY. */
coh_status coh_cells_draw(const coh_cells *cells, coh_image *image);

#endif
