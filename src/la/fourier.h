/* Fast Fourier transforms in single precision of lengths 2^a 3^b 5^c, eight at a time: element
 * j of transform t lies at [8 j + t], real and imaginary parts apart, so that every butterfly
 * is a vector operation. Stockham's autosorting form, radices 4, 2, 3 and 5; unnormalised. A
 * plan is immutable and shared by threads. Not collective. Source: Van Loan, "Computational
 * Frameworks for the Fast Fourier Transform", SIAM 1992. */
#ifndef COHORT_LA_FOURIER_H
#define COHORT_LA_FOURIER_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"

enum { COH_FOURIER_BATCH = 8 };

typedef struct coh_fourier coh_fourier;

/* The smallest length >= n that has a fast transform and is a multiple of `multiple`, itself of
 * the form 2^a 3^b 5^c. */
int64_t coh_fourier_length(int64_t n, int64_t multiple);

/* Make a plan. Caller destroys. Fails: COH_E_INTERNAL (another prime factor), COH_E_MEMORY. */
coh_status coh_fourier_create(int64_t n, coh_fourier **plan);
void coh_fourier_destroy(coh_fourier **plan);

/* Transform eight sequences: out_k = sum_j in_j exp(-+ 2 pi i j k / n), minus unless inverse.
 * re, im: in and out, 8 n floats each, 32-byte aligned; scratch: 16 n floats. */
void coh_fourier_run(const coh_fourier *plan, bool inverse, float *re, float *im,
                     float *scratch);

#endif
