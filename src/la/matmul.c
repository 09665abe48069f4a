/* The choice between product kernels. */
#include "la/matmul.h"

#include "la/blas.h"

int64_t coh_la_matmul_scratch(bool transpose_a, bool transpose_b, int64_t m, int64_t n,
                              int64_t k) {
  (void)transpose_a, (void)transpose_b, (void)m, (void)n, (void)k;
  return 0;
}

void coh_la_matmul(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                   const float *a, const float *b, float *c, float *scratch) {
  (void)scratch;
  coh_la_sgemm(transpose_a, transpose_b, m, n, k, 1.0f, a, transpose_a ? m : k, b,
               transpose_b ? k : n, 0.0f, c, n);
}
