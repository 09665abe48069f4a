/* The transforms of repulsion_grid: from charges to forces. Internal. */
#ifndef COHORT_TASK_TSNE_GRID_TRANSFORM_H
#define COHORT_TASK_TSNE_GRID_TRANSFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "la/fourier.h"

enum { COH_GRID_LANES = COH_FOURIER_BATCH };

/* Arrays of one grid. used: nodes that hold points; size: of the transforms, >= 2 used;
 * pitch: floats of a row of nodes, used[1] rounded up to 16. */
typedef struct coh_grid_field {
  int64_t used[2], size[2], pitch;
  bool line;    /* all points have the same second coordinate */
  int64_t half; /* size[0] / 2 + 1 rows of a real transform, rounded up to 8 */
  coh_fourier *plan[2];
  float *charge;            /* (used[0], pitch) */
  float *force[2];          /* (used[0], pitch) */
  float *mid_re, *mid_im;   /* (half, pitch): charges, transformed along axis 0 */
  float *back_re, *back_im; /* (size[0], pitch): forces, still so */
  float *kernel[3];         /* (half / 8, size[1], 8): similarity, and forces over i */
  double *row_z;            /* (half / 8) */
  float *sharp[2];          /* (size): what undoes the blur along each axis */
  float *plane;             /* (size[0], size[1]): for making kernels */
} coh_grid_field;

/* Floats of scratch a thread needs. */
int64_t coh_grid_scratch(const coh_grid_field *field);

/* charge -> force, and the sum of similarities with those of points with themselves.
 * scratch: n_threads arrays. */
double coh_grid_transform(const coh_grid_field *field, int n_threads, float *const *scratch);

/* The transforms of the kernels for a spacing of nodes and degrees of freedom, the splines'
 * blur divided out. scratch: n_threads arrays. */
void coh_grid_kernels(const coh_grid_field *field, double spacing, double freedom,
                      int n_threads, float *const *scratch);

#endif
