/* Kernels over flat arrays, written so that the compiler vectorises them without being allowed
 * to reorder a sum: partial sums are explicit lanes. */
#include "la/vector.h"

#include <string.h>

#include "la/vectorise.h"

enum { LANES = 32, CHUNK = 2048, ROWS = 64 };

void coh_la_axpy(int64_t n, float alpha, const float *x, float *y) {
  COH_VECTOR_LOOP for (int64_t i = 0; i < n; i++) y[i] += alpha * x[i];
}

void coh_la_scale(int64_t n, float alpha, float *x) {
  COH_VECTOR_LOOP for (int64_t i = 0; i < n; i++) x[i] *= alpha;
}

// the lanes of a partial sum added pairwise
static float fold(float *lane) {
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int j = 0; j < width; j++)
      lane[j] += lane[j + width];
  return lane[0];
}

// sum over one chunk of x y, or of x where y is NULL
static inline __attribute__((always_inline)) float chunk_sum(int64_t n, const float *x,
                                                             const float *y) {
  float lane[LANES] = {0};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++)
      lane[j] += y ? x[i + j] * y[i + j] : x[i + j];
  for (int j = 0; i + j < n; j++)
    lane[j] += y ? x[i + j] * y[i + j] : x[i + j];
  return fold(lane);
}

float coh_la_sum(int64_t n, const float *x) {
  double total = 0.0;
  for (int64_t i = 0; i < n; i += CHUNK)
    total += (double)chunk_sum(n - i < CHUNK ? n - i : CHUNK, x + i, NULL);
  return (float)total;
}

float coh_la_dot(int64_t n, const float *x, const float *y) {
  double total = 0.0;
  for (int64_t i = 0; i < n; i += CHUNK)
    total += (double)chunk_sum(n - i < CHUNK ? n - i : CHUNK, x + i, y + i);
  return (float)total;
}

double coh_la_sum_squares(int64_t n, const float *x) {
  double total = 0.0;
  for (int64_t i = 0; i < n; i += CHUNK)
    total += (double)chunk_sum(n - i < CHUNK ? n - i : CHUNK, x + i, x + i);
  return total;
}

// the sum of `rows` rows of `width` columns, rows `stride` apart; width is a constant where
// inlined
static inline __attribute__((always_inline)) void
add_rows(int64_t rows, int64_t stride, int width, const float *x, float *y) {
  float lane[LANES] = {0};
  for (int64_t i = 0; i < rows; i++)
    for (int j = 0; j < width; j++)
      lane[j] += x[i * stride + j];
  for (int j = 0; j < width; j++)
    y[j] += lane[j];
}

void coh_la_sum_rows(int64_t m, int64_t n, const float *x, float *y) {
  memset(y, 0, (size_t)n * sizeof *y);
  for (int64_t i = 0; i < m; i += ROWS) {
    int64_t rows = m - i < ROWS ? m - i : ROWS, j = 0;
    const float *block = x + i * n;
    for (; j + 32 <= n; j += 32)
      add_rows(rows, n, 32, block + j, y + j);
    for (; j + 16 <= n; j += 16)
      add_rows(rows, n, 16, block + j, y + j);
    if (j < n) add_rows(rows, n, (int)(n - j), block + j, y + j);
  }
}

bool coh_la_all_finite(int64_t n, const float *x) {
  // the exponent field is all ones exactly for infinities and NaNs
  for (int64_t i = 0; i < n; i += CHUNK) {
    int64_t end = n - i < CHUNK ? n : i + CHUNK;
    uint32_t bad = 0;
    for (int64_t j = i; j < end; j++) {
      uint32_t bits;
      memcpy(&bits, &x[j], sizeof bits);
      bad |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    if (bad) return false;
  }
  return true;
}
