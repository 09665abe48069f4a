/* Two rows at a time: an entry of a packed operand holds the values of a column in both, 16
 * bits each. A tile of the result, 4 x 24, stays in registers over a stretch of rows. */
#include "la/byte_gram.h"

#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

enum { TILE_ROWS = 4, TILE_COLUMNS = 24, PAIRS = 128, LANES = 8, VECTORS = 3 };

int64_t coh_la_byte_gram_pitch(int64_t d) {
  return (d + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
}

int64_t coh_la_byte_gram_scratch(int64_t d) {
  return 2 * PAIRS * coh_la_byte_gram_pitch(d);
}

// columns [first, first + width) of `pairs` pairs of rows; what lies outside of X is zero
static inline __attribute__((always_inline)) void pack(int64_t n, int64_t d, const uint8_t *x,
                                                       int64_t first, int width, int32_t *to) {
  for (int64_t r = 0; r < n; r += 2, to += width) {
    const uint8_t *low = x + r * d + first, *high = low + (r + 1 < n ? d : 0);
    int32_t last = r + 1 < n ? 0x10000 : 0;
    if (first + width <= d) {
      for (int j = 0; j < width; j++)
        to[j] = low[j] + last * high[j];
    } else {
      for (int j = 0; j < width; j++)
        to[j] = first + j < d ? low[j] + last * high[j] : 0;
    }
  }
}

#if defined(__AVX2__)
static void tile(int64_t pairs, const int32_t *rows, const int32_t *columns, int32_t *c,
                 int64_t pitch) {
  __m256i sum[TILE_ROWS][VECTORS];
#pragma GCC unroll 4
  for (int i = 0; i < TILE_ROWS; i++)
#pragma GCC unroll 3
    for (int v = 0; v < VECTORS; v++)
      sum[i][v] = _mm256_setzero_si256();
  for (int64_t r = 0; r < pairs; r++, rows += TILE_ROWS, columns += TILE_COLUMNS) {
    __m256i column[VECTORS];
#pragma GCC unroll 3
    for (int v = 0; v < VECTORS; v++)
      column[v] = _mm256_load_si256((const __m256i *)(const void *)(columns + LANES * v));
#pragma GCC unroll 4
    for (int i = 0; i < TILE_ROWS; i++) {
      __m256i row = _mm256_set1_epi32(rows[i]);
#pragma GCC unroll 3
      for (int v = 0; v < VECTORS; v++) {
        sum[i][v] = _mm256_add_epi32(sum[i][v], _mm256_madd_epi16(row, column[v]));
        // in this order, or all products come first and the sums have to leave the registers
        __asm__ volatile("" : "+x"(sum[i][v]));
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < TILE_ROWS; i++)
#pragma GCC unroll 3
    for (int v = 0; v < VECTORS; v++) {
      __m256i *to = (__m256i *)(void *)(c + i * pitch + LANES * v);
      _mm256_storeu_si256(to, _mm256_add_epi32(_mm256_loadu_si256(to), sum[i][v]));
    }
}
#else
static void tile(int64_t pairs, const int32_t *rows, const int32_t *columns, int32_t *c,
                 int64_t pitch) {
  for (int64_t r = 0; r < pairs; r++, rows += TILE_ROWS, columns += TILE_COLUMNS)
    for (int i = 0; i < TILE_ROWS; i++)
      for (int j = 0; j < TILE_COLUMNS; j++)
        c[i * pitch + j] +=
            (rows[i] & 0xffff) * (columns[j] & 0xffff) + (rows[i] >> 16) * (columns[j] >> 16);
}
#endif

void coh_la_byte_gram(int64_t n, int64_t d, const uint8_t *x, int32_t *c, int32_t *scratch) {
  int64_t pitch = coh_la_byte_gram_pitch(d), padded = (d + TILE_ROWS - 1) / TILE_ROWS;
  int32_t *columns = scratch, *rows = scratch + PAIRS * pitch;
  for (int64_t from = 0; from < n; from += 2 * PAIRS) {
    int64_t count = n - from < 2 * PAIRS ? n - from : 2 * PAIRS, pairs = (count + 1) / 2;
    const uint8_t *stretch = x + from * d;
    for (int64_t i = 0; i < padded; i++)
      pack(count, d, stretch, i * TILE_ROWS, TILE_ROWS, rows + i * TILE_ROWS * PAIRS);
    for (int64_t j = 0; j < pitch; j += TILE_COLUMNS) {
      pack(count, d, stretch, j, TILE_COLUMNS, columns);
      for (int64_t i = j / TILE_ROWS; i < padded; i++)
        tile(pairs, rows + i * TILE_ROWS * PAIRS, columns, c + i * TILE_ROWS * pitch + j,
             pitch);
    }
  }
}
