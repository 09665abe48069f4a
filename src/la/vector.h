/* Kernels over flat arrays. Every sum has an order fixed by the lengths alone. Not collective.
 * Arrays are borrowed; x and y may be the same array but not overlap otherwise. */
#ifndef COHORT_LA_VECTOR_H
#define COHORT_LA_VECTOR_H

#include <stdbool.h>
#include <stdint.h>

/* y += alpha x */
void coh_la_axpy(int64_t n, float alpha, const float *x, float *y);

/* x *= alpha */
void coh_la_scale(int64_t n, float alpha, float *x);

/* sum of x; sum of x y; sum of x^2. Lane-wise partial sums over chunks, the chunks in double.
 */
float coh_la_sum(int64_t n, const float *x);
float coh_la_dot(int64_t n, const float *x, const float *y);
double coh_la_sum_squares(int64_t n, const float *x);

/* y (n) = sum of the rows of x (m, n), in chunks of 64 rows. */
void coh_la_sum_rows(int64_t m, int64_t n, const float *x, float *y);

/* No element is infinite or NaN. */
bool coh_la_all_finite(int64_t n, const float *x);

#endif
