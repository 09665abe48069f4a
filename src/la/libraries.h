/* The libraries behind la/, for people: results are bit-equal only between runs that use the same
 * kernels, so a run keeps their names. */
#ifndef COHORT_LA_LIBRARIES_H
#define COHORT_LA_LIBRARIES_H

#include "base/text.h"

/* Append "blas: ..." and "onednn: ..." lines: versions and the processor kernels in use. */
void coh_la_describe(coh_text *text);

#endif
