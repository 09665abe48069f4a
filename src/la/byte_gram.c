/* Entries of packed operands hold the values of a column in several rows at once, which one
 * instruction multiplies and adds: two rows as 16-bit numbers, or, with AVX-512 VNNI, four as
 * bytes, of which one operand has to be signed:
 *   sum of x_i x_j = sum of (x_i - 128) x_j + 128 sum of x_j
 * A tile of the result stays in registers over a stretch of rows. */
#include "la/byte_gram.h"

#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512VNNI__)
enum { DEPTH = 4, TILE_ROWS = 8, LANES = 16 }; // rows an entry
#else
enum { DEPTH = 2, TILE_ROWS = 4, LANES = 8 };
#endif
enum { VECTORS = 3, TILE_COLUMNS = VECTORS * LANES, ENTRIES = 256 / DEPTH };

static int64_t round_up(int64_t n, int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

int64_t coh_la_byte_gram_pitch(int64_t d) {
  return round_up(d, TILE_COLUMNS);
}

int64_t coh_la_byte_gram_size(int64_t d) {
  return round_up(d, TILE_ROWS) * coh_la_byte_gram_pitch(d);
}

// packed columns of a tile, packed rows of all tiles, sums of columns
int64_t coh_la_byte_gram_scratch(int64_t d) {
  int64_t width = coh_la_byte_gram_pitch(d);
  return ENTRIES * (TILE_COLUMNS + width) + width;
}

// columns [first, first + width) of n rows; what lies outside of X counts as a byte 0. flip:
// exclusive-or of every entry, which makes bytes signed (x - 128)
static inline __attribute__((always_inline)) void pack(int64_t n, int64_t d, const uint8_t *x,
                                                       int64_t first, int width, uint32_t flip,
                                                       uint32_t *to) {
  const int bits = 32 / DEPTH;
  for (int64_t r = 0; r < n; r += DEPTH, to += width) {
    int64_t have = n - r < DEPTH ? n - r : DEPTH;
    int64_t inside = d - first < width ? d - first : width;
    if (have == DEPTH && inside == width) {
      const uint8_t *from = x + r * d + first;
      for (int j = 0; j < width; j++) {
        uint32_t entry = 0;
        for (int k = 0; k < DEPTH; k++)
          entry |= (uint32_t)from[k * d + j] << (bits * k);
        to[j] = entry ^ flip;
      }
      continue;
    }
    for (int j = 0; j < width; j++)
      to[j] = flip;
    for (int64_t k = 0; k < have; k++)
      for (int64_t j = 0; j < inside; j++)
        to[j] ^= (uint32_t)x[(r + k) * d + first + j] << (bits * k);
  }
}

#if defined(__AVX512VNNI__)
enum { FLIP = INT32_MIN | 0x808080 };

static void tile(int64_t entries, const uint32_t *rows, const uint32_t *columns,
                 const int32_t *sums, int32_t *c, int64_t pitch) {
  __m512i sum[TILE_ROWS][VECTORS];
#pragma GCC unroll 3
  for (int v = 0; v < VECTORS; v++) {
    __m512i most = _mm512_slli_epi32(_mm512_loadu_si512(sums + LANES * v), 7);
#pragma GCC unroll 8
    for (int i = 0; i < TILE_ROWS; i++)
      sum[i][v] = most;
  }
  for (int64_t r = 0; r < entries; r++, rows += TILE_ROWS, columns += TILE_COLUMNS) {
    __m512i column[VECTORS];
#pragma GCC unroll 3
    for (int v = 0; v < VECTORS; v++)
      column[v] = _mm512_loadu_si512(columns + LANES * v);
#pragma GCC unroll 8
    for (int i = 0; i < TILE_ROWS; i++) {
      __m512i row = _mm512_set1_epi32((int32_t)rows[i]);
#pragma GCC unroll 3
      for (int v = 0; v < VECTORS; v++)
        sum[i][v] = _mm512_dpbusd_epi32(sum[i][v], column[v], row);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < TILE_ROWS; i++)
#pragma GCC unroll 3
    for (int v = 0; v < VECTORS; v++) {
      int32_t *to = c + i * pitch + LANES * v;
      _mm512_storeu_si512(to, _mm512_add_epi32(_mm512_loadu_si512(to), sum[i][v]));
    }
}
#elif defined(__AVX2__)
enum { FLIP = 0 };

static void tile(int64_t entries, const uint32_t *rows, const uint32_t *columns,
                 const int32_t *sums, int32_t *c, int64_t pitch) {
  (void)sums;
  __m256i sum[TILE_ROWS][VECTORS];
#pragma GCC unroll 4
  for (int i = 0; i < TILE_ROWS; i++)
#pragma GCC unroll 3
    for (int v = 0; v < VECTORS; v++)
      sum[i][v] = _mm256_setzero_si256();
  for (int64_t r = 0; r < entries; r++, rows += TILE_ROWS, columns += TILE_COLUMNS) {
    __m256i column[VECTORS];
#pragma GCC unroll 3
    for (int v = 0; v < VECTORS; v++)
      column[v] = _mm256_loadu_si256((const __m256i *)(const void *)(columns + LANES * v));
#pragma GCC unroll 4
    for (int i = 0; i < TILE_ROWS; i++) {
      __m256i row = _mm256_set1_epi32((int32_t)rows[i]);
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
enum { FLIP = 0 };

static void tile(int64_t entries, const uint32_t *rows, const uint32_t *columns,
                 const int32_t *sums, int32_t *c, int64_t pitch) {
  (void)sums;
  for (int64_t r = 0; r < entries; r++, rows += TILE_ROWS, columns += TILE_COLUMNS)
    for (int i = 0; i < TILE_ROWS; i++)
      for (int j = 0; j < TILE_COLUMNS; j++)
        c[i * pitch + j] += (int32_t)((rows[i] & 0xffff) * (columns[j] & 0xffff) +
                                      (rows[i] >> 16) * (columns[j] >> 16));
}
#endif

void coh_la_byte_gram(int64_t n, int64_t d, const uint8_t *x, int32_t *c, int32_t *column_sums,
                      int32_t *scratch) {
  int64_t pitch = coh_la_byte_gram_pitch(d), n_tiles = (d + TILE_ROWS - 1) / TILE_ROWS;
  uint32_t *columns = (uint32_t *)scratch, *rows = columns + ENTRIES * TILE_COLUMNS;
  int32_t *sums = scratch + ENTRIES * (TILE_COLUMNS + pitch);
  for (int64_t from = 0; from < n; from += DEPTH * ENTRIES) {
    int64_t count = n - from < DEPTH * ENTRIES ? n - from : DEPTH * ENTRIES;
    int64_t entries = (count + DEPTH - 1) / DEPTH;
    const uint8_t *stretch = x + from * d;
    for (int64_t i = 0; i < n_tiles; i++)
      pack(count, d, stretch, i * TILE_ROWS, TILE_ROWS, (uint32_t)FLIP,
           rows + i * TILE_ROWS * ENTRIES);
    memset(sums, 0, (size_t)pitch * sizeof *sums);
    for (int64_t r = 0; r < count; r++)
      for (int64_t j = 0; j < d; j++)
        sums[j] += stretch[r * d + j];
    for (int64_t j = 0; j < d; j++)
      column_sums[j] += sums[j];
    for (int64_t j = 0; j < pitch; j += TILE_COLUMNS) {
      pack(count, d, stretch, j, TILE_COLUMNS, 0, columns);
      for (int64_t i = j / TILE_ROWS; i < n_tiles; i++)
        tile(entries, rows + i * TILE_ROWS * ENTRIES, columns, sums + j,
             c + i * TILE_ROWS * pitch + j, pitch);
    }
  }
}
