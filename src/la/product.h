/* Contiguous row-major products C = op(A) op(B), by the kernel that is fastest for the shape.
 */
#ifndef COHORT_LA_PRODUCT_H
#define COHORT_LA_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

/* C (m,n) = op(A) (m,k) op(B) (k,n); A is stored (k,m) and B (n,k) where transposed. The
 * kernel, and so the bits, follow from the shape alone. */
void coh_la_matmul(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                   const float *a, const float *b, float *c);

#endif
