/* Convolutions of 3x3 windows that move by one pixel, and their two transposes, with fewer
 * multiplications. Internal to la. */
#ifndef COHORT_LA_WINOGRAD_CONVOLUTION_H
#define COHORT_LA_WINOGRAD_CONVOLUTION_H

#include "la/dnnl_convolution.h"

/* Whether this way is the faster one. */
bool coh_convolution_winograd_pays(const coh_convolution_shape *shape);

/* Floats of scratch. */
int64_t coh_convolution_winograd_scratch(const coh_convolution_shape *shape,
                                         coh_convolution_kind kind);

/* first, second, out: as of coh_convolution_run. scratch: 64-byte aligned. */
void coh_convolution_winograd_run(const coh_convolution_shape *shape, coh_convolution_kind kind,
                                  const float *first, const float *second, float *out,
                                  float *scratch);

#endif
