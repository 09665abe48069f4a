/* The choice between product kernels, from measurements (bench/bench_graph): one core, GF/s,
 * OpenBLAS against oneDNN: nn 32x128x1024 132 / 228, nt 32x1024x128 106 / 173, tn 1024x128x32
 * 151 / 221, nt 64x120x84 127 / 165; but nn 64x84x120 187 / 182, tn 120x84x64 206 / 175 and
 * less below, where oneDNN's fixed cost shows. */
#include "la/product.h"

#include <oneapi/dnnl/dnnl.h>

#include "la/blas.h"

// oneDNN for products of a million multiplications, a quarter of that with B transposed
static bool prefers_onednn(bool transpose_b, int64_t m, int64_t n, int64_t k) {
  int64_t products = m * n * k;
  return m >= 8 && n >= 8 && products >= (transpose_b ? INT64_C(1) << 18 : INT64_C(1) << 20);
}

void coh_la_matmul(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                   const float *a, const float *b, float *c) {
  int64_t lda = transpose_a ? m : k, ldb = transpose_b ? k : n;
  if (prefers_onednn(transpose_b, m, n, k)) {
    int before = coh_la_serial_begin();
    dnnl_status_t status = dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k,
                                      1.0f, a, lda, b, ldb, 0.0f, c, n);
    coh_la_serial_end(before);
    if (status == dnnl_success) return;
  }
  coh_la_sgemm(transpose_a, transpose_b, m, n, k, 1.0f, a, lda, b, ldb, 0.0f, c, n);
}
