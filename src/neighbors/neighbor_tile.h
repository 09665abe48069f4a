/* Tiles of keys: TILE_QUERIES queries against TILE_ROWS references, in registers from the first
 * product to the comparison with the thresholds, so that keys that are too small never reach
 * memory. Operands are packed so that a step reads what it needs in a row. A key is one chain
 * of additions in the order of the values: its bits do not depend on the tile. Internal to
 * neighbors. (Goto, van de Geijn, ACM TOMS 34, 2008, for the shape of the kernel.) */
#ifndef COHORT_NEIGHBORS_NEIGHBOR_TILE_H
#define COHORT_NEIGHBORS_NEIGHBOR_TILE_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { TILE_LANES = 16 };
#else
enum { TILE_LANES = 8 };
#endif
enum { TILE_QUERIES = 6, TILE_ROWS = 2 * TILE_LANES };

typedef float tile_vector __attribute__((vector_size(TILE_LANES * sizeof(float))));

// sum += a b, in one rounding where the processor has it (the library is built without
// contraction)
static inline void tile_add_product(float a, const tile_vector *b, tile_vector *sum) {
#if defined(__AVX512F__)
  *sum = (tile_vector)_mm512_fmadd_ps(_mm512_set1_ps(a), (__m512)*b, (__m512)*sum);
#elif defined(__AVX2__) && defined(__FMA__)
  *sum = (tile_vector)_mm256_fmadd_ps(_mm256_set1_ps(a), (__m256)*b, (__m256)*sum);
#else
  *sum += a * *b;
#endif
}

/* queries: (n_values, TILE_QUERIES); rows: (n_values, TILE_ROWS); key: out, two vectors a
 * query.
 */
static inline __attribute__((always_inline)) void tile_keys(int64_t n_values,
                                                            const float *queries,
                                                            const float *rows,
                                                            tile_vector key[TILE_QUERIES][2]) {
  tile_vector sum[TILE_QUERIES][2] = {{{0}}};
  for (int64_t c = 0; c < n_values; c++, queries += TILE_QUERIES, rows += TILE_ROWS) {
    tile_vector r0, r1;
    memcpy(&r0, rows, sizeof r0);
    memcpy(&r1, rows + TILE_LANES, sizeof r1);
#pragma GCC unroll 6
    for (int q = 0; q < TILE_QUERIES; q++) {
      tile_add_product(queries[q], &r0, &sum[q][0]);
      tile_add_product(queries[q], &r1, &sum[q][1]);
    }
  }
#pragma GCC unroll 6
  for (int q = 0; q < TILE_QUERIES; q++) {
    key[q][0] = sum[q][0];
    key[q][1] = sum[q][1];
  }
}

/* A bit for every lane that is above the threshold. */
static inline uint32_t tile_above(const tile_vector *v, float threshold) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask((__m512)*v, _mm512_set1_ps(threshold), _CMP_GT_OQ);
#elif defined(__AVX2__)
  __m256 above = _mm256_cmp_ps((__m256)*v, _mm256_set1_ps(threshold), _CMP_GT_OQ);
  return (uint32_t)_mm256_movemask_ps(above);
#else
  uint32_t bits = 0;
  for (int i = 0; i < TILE_LANES; i++)
    bits |= (uint32_t)((*v)[i] > threshold) << i;
  return bits;
#endif
}

#endif
