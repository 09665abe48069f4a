/* The axes of a chart: ranges from the data, ticks at round numbers with short labels. */
#ifndef COHORT_DRAW_FIGURE_AXIS_H
#define COHORT_DRAW_FIGURE_AXIS_H

#include <stdbool.h>

#include "base/text.h"
#include "draw/figure.h"

typedef struct coh_axis_range {
  double lo, hi;
  bool logarithmic;
} coh_axis_range;

/* What a panel's axes span: the data with some air, or what the axes say. Rare outliers of raw
 * curves do not count. Fails: COH_E_MEMORY. */
coh_status coh_axis_ranges(const coh_panel *panel, coh_axis_range *x, coh_axis_range *y);

/* Write the gnuplot commands of one axis ('x' or 'y'): range, scale and ticks. */
void coh_axis_write(coh_text *script, char axis, const coh_axis_range *range, int max_ticks);

#endif
