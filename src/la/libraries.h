/* The libraries behind la/, for people: results are bit-equal only between runs that use the same
 * kernels, so a run keeps their names. */
#ifndef COHORT_LA_LIBRARIES_H
#define COHORT_LA_LIBRARIES_H

#include <stdbool.h>

#include "base/text.h"

/* Append "blas: ..." and "onednn: ..." lines: versions and the processor kernels in use. */
void coh_la_describe(coh_text *text);

/* The instruction set that oneDNN uses here, e.g. "AVX2"; whether it multiplies bfloat16 numbers
 * in hardware (AMX, AVX-512 BF16). */
const char *coh_la_processor(void);
bool coh_la_has_bf16(void);

#endif
