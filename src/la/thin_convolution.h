/* The data gradient of convolutions with few input channels, where oneDNN is slow: one product
 * and a scatter. Internal to la. */
#ifndef COHORT_LA_THIN_CONVOLUTION_H
#define COHORT_LA_THIN_CONVOLUTION_H

#include "la/dnnl_convolution.h"

/* Whether this way is the faster one. */
bool coh_convolution_thin_pays(const coh_convolution_shape *shape);

/* Floats of scratch. */
int64_t coh_convolution_thin_scratch(const coh_convolution_shape *shape);

/* dx from dy and w; groups must be 1. */
void coh_convolution_thin_run(const coh_convolution_shape *shape, const float *dy,
                              const float *w, float *dx, float *scratch);

#endif
