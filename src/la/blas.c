/* BLAS (OpenBLAS, openmp build). Its threads follow OpenMP's count for the calling thread, so
 * that count is 1 during a call: the bits of a product must not depend on how many threads are
 * about. */
#include "la/blas.h"

#include <cblas.h>
#include <omp.h>

int coh_la_serial_begin(void) {
  int before = omp_get_max_threads();
  if (before != 1) omp_set_num_threads(1);
  return before;
}

void coh_la_serial_end(int before) {
  if (before != 1) omp_set_num_threads(before);
}

static CBLAS_TRANSPOSE side(bool transpose) {
  return transpose ? CblasTrans : CblasNoTrans;
}

void coh_la_sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                  float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                  float beta, float *c, int64_t ldc) {
  int before = coh_la_serial_begin();
  cblas_sgemm(CblasRowMajor, side(transpose_a), side(transpose_b), (blasint)m, (blasint)n,
              (blasint)k, alpha, a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
  coh_la_serial_end(before);
}

void coh_la_dgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                  double alpha, const double *a, int64_t lda, const double *b, int64_t ldb,
                  double beta, double *c, int64_t ldc) {
  int before = coh_la_serial_begin();
  cblas_dgemm(CblasRowMajor, side(transpose_a), side(transpose_b), (blasint)m, (blasint)n,
              (blasint)k, alpha, a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
  coh_la_serial_end(before);
}

void coh_la_ssyrk(int64_t n, int64_t k, const float *a, int64_t lda, float *c) {
  int before = coh_la_serial_begin();
  cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, (blasint)n, (blasint)k, 1, a, (blasint)lda,
              0, c, (blasint)n);
  coh_la_serial_end(before);
}

void coh_la_sgemv(bool transpose, int64_t m, int64_t n, float alpha, const float *a,
                  int64_t lda, const float *x, float beta, float *y) {
  int before = coh_la_serial_begin();
  cblas_sgemv(CblasRowMajor, side(transpose), (blasint)m, (blasint)n, alpha, a, (blasint)lda, x,
              1, beta, y, 1);
  coh_la_serial_end(before);
}

void coh_la_dgemv(bool transpose, int64_t m, int64_t n, double alpha, const double *a,
                  int64_t lda, const double *x, double beta, double *y) {
  int before = coh_la_serial_begin();
  cblas_dgemv(CblasRowMajor, side(transpose), (blasint)m, (blasint)n, alpha, a, (blasint)lda, x,
              1, beta, y, 1);
  coh_la_serial_end(before);
}
