/* The only calls of BLAS, row-major. Each runs in the calling thread alone, whatever the number
 * of OpenMP threads: lanes are the unit of parallel work. Dimensions fit in 31 bits. Borrowed
 * arrays; outputs do not overlap inputs. Not collective. */
#ifndef COHORT_LA_BLAS_H
#define COHORT_LA_BLAS_H

#include <stdbool.h>
#include <stdint.h>

/* From begin to end OpenBLAS and oneDNN stay in the calling thread. begin returns what end
 * takes. Calls nest. */
int coh_la_serial_begin(void);
void coh_la_serial_end(int before);

/* C (m,n) = alpha op(A) (m,k) op(B) (k,n) + beta C; ld*: floats from row to row as stored. */
void coh_la_sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                  float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                  float beta, float *c, int64_t ldc);
void coh_la_dgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                  double alpha, const double *a, int64_t lda, const double *b, int64_t ldb,
                  double beta, double *c, int64_t ldc);

/* The lower triangle of C (n,n) = A^T A, A (k,n) with rows lda floats apart. */
void coh_la_ssyrk(int64_t n, int64_t k, const float *a, int64_t lda, float *c);

/* y = alpha op(A) x + beta y, A stored (m,n). */
void coh_la_sgemv(bool transpose, int64_t m, int64_t n, float alpha, const float *a,
                  int64_t lda, const float *x, float beta, float *y);
void coh_la_dgemv(bool transpose, int64_t m, int64_t n, double alpha, const double *a,
                  int64_t lda, const double *x, double beta, double *y);

#endif
