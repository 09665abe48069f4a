/* Columns of rows that move: what growing and walking trees spend their time in.
 *
 * Kernels over a stretch of a column, sixteen rows an instruction where there is AVX-512, eight
 * where there is AVX2. Those of AVX2 may read up to seven rows beyond a stretch (columns are
 * padded) and write back what they found there, and part rows by a table of permutations that
 * bring the rows of a mask to the front, in their order. */
#ifndef COHORT_TASK_FQI_TREE_COLUMNS_H
#define COHORT_TASK_FQI_TREE_COLUMNS_H

#include <stdint.h>
#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "cohort/status.h"

#define COH_TREE_INLINE static inline __attribute__((always_inline))

/* Rows that a small subtree holds in registers (tree_few.c); kernels read no further than that
 * beyond a stretch. */
#ifdef __AVX512F__
enum { COH_TREE_FEW = 16 };
#else
enum { COH_TREE_FEW = 8 };
#endif

/* Columns of floats, `stride` apart; the last holds row numbers, uint32_t, that only move. */
typedef struct coh_tree_columns {
  float *base;
  int64_t stride, n_columns;
} coh_tree_columns;

/* Memory for n rows and what is read beyond. Fails: COH_E_MEMORY. */
coh_status coh_tree_columns_create(int64_t n, int64_t n_columns, coh_tree_columns *columns);
void coh_tree_columns_clear(coh_tree_columns *columns);

COH_TREE_INLINE float *coh_tree_column(const coh_tree_columns *columns, int64_t k) {
  return columns->base + k * columns->stride;
}

COH_TREE_INLINE uint32_t *coh_tree_row_numbers(const coh_tree_columns *columns) {
  return (uint32_t *)(void *)coh_tree_column(columns, columns->n_columns - 1);
}

// ---- ranges -------------------------------------------------------------------------------

#ifdef __AVX512F__

enum { COH_TREE_LANES = 16 };
typedef __m512 coh_tree_lanes;

COH_TREE_INLINE coh_tree_lanes coh_tree_load(const float *x) {
  return _mm512_loadu_ps(x);
}

COH_TREE_INLINE coh_tree_lanes coh_tree_lower(coh_tree_lanes a, coh_tree_lanes b) {
  return _mm512_min_ps(a, b);
}

COH_TREE_INLINE coh_tree_lanes coh_tree_higher(coh_tree_lanes a, coh_tree_lanes b) {
  return _mm512_max_ps(a, b);
}

COH_TREE_INLINE void coh_tree_reduce(coh_tree_lanes lo, coh_tree_lanes hi, float *low,
                                     float *high) {
  *low = _mm512_reduce_min_ps(lo);
  *high = _mm512_reduce_max_ps(hi);
}

#elif defined(__AVX2__)

enum { COH_TREE_LANES = 8 };
typedef __m256 coh_tree_lanes;

COH_TREE_INLINE coh_tree_lanes coh_tree_load(const float *x) {
  return _mm256_loadu_ps(x);
}

COH_TREE_INLINE coh_tree_lanes coh_tree_lower(coh_tree_lanes a, coh_tree_lanes b) {
  return _mm256_min_ps(a, b);
}

COH_TREE_INLINE coh_tree_lanes coh_tree_higher(coh_tree_lanes a, coh_tree_lanes b) {
  return _mm256_max_ps(a, b);
}

COH_TREE_INLINE void coh_tree_reduce(coh_tree_lanes lo, coh_tree_lanes hi, float *low,
                                     float *high) {
  __m128 l = _mm_min_ps(_mm256_castps256_ps128(lo), _mm256_extractf128_ps(lo, 1));
  __m128 h = _mm_max_ps(_mm256_castps256_ps128(hi), _mm256_extractf128_ps(hi, 1));
  l = _mm_min_ps(l, _mm_movehl_ps(l, l));
  h = _mm_max_ps(h, _mm_movehl_ps(h, h));
  *low = _mm_cvtss_f32(_mm_min_ss(l, _mm_movehdup_ps(l)));
  *high = _mm_cvtss_f32(_mm_max_ss(h, _mm_movehdup_ps(h)));
}

#endif

/* Least and greatest of n >= 1 numbers. */
COH_TREE_INLINE void coh_tree_range(const float *x, int64_t n, float *low, float *high) {
#ifdef __AVX2__
  if (n >= COH_TREE_LANES) {
    coh_tree_lanes lo = coh_tree_load(x + n - COH_TREE_LANES), hi = lo; // may overlap others
    for (int64_t i = 0; i + COH_TREE_LANES < n; i += COH_TREE_LANES) {
      coh_tree_lanes v = coh_tree_load(x + i);
      lo = coh_tree_lower(v, lo);
      hi = coh_tree_higher(v, hi);
    }
    coh_tree_reduce(lo, hi, low, high);
    return;
  }
#endif
  float lo = x[0], hi = x[0];
  for (int64_t i = 1; i < n; i++) {
    lo = x[i] < lo ? x[i] : lo;
    hi = x[i] > hi ? x[i] : hi;
  }
  *low = lo;
  *high = hi;
}

// ---- sums and parts -----------------------------------------------------------------------

#ifdef __AVX512F__

COH_TREE_INLINE __mmask16 coh_tree_first_rows(int64_t n) {
  return (__mmask16)((1u << n) - 1);
}

/* sum + the numbers of a mask, in double. */
COH_TREE_INLINE __m512d coh_tree_add_rows(__m512d sum, __mmask16 mask, __m512 y) {
  y = _mm512_maskz_mov_ps(mask, y);
  __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(y), 1));
  return _mm512_add_pd(_mm512_add_pd(sum, _mm512_cvtps_pd(_mm512_castps512_ps256(y))),
                       _mm512_cvtps_pd(high));
}

/* How many of n rows lie below the cut; sum: out, of y - origin over them. */
COH_TREE_INLINE int64_t coh_tree_weigh(const float *x, float cut, const float *y, float origin,
                                       int64_t n, double *sum) {
  __m512 limit = _mm512_set1_ps(cut), zero = _mm512_set1_ps(origin);
  __m512d total = _mm512_setzero_pd();
  int64_t count = 0;
  for (int64_t i = 0; i < n; i += 16) {
    __mmask16 rows = n - i < 16 ? coh_tree_first_rows(n - i) : (__mmask16)0xFFFF;
    __m512 v = _mm512_maskz_loadu_ps(rows, x + i);
    __mmask16 below = _mm512_mask_cmp_ps_mask(rows, v, limit, _CMP_LT_OQ);
    count += __builtin_popcount(below);
    total = coh_tree_add_rows(total, below,
                              _mm512_sub_ps(_mm512_maskz_loadu_ps(rows, y + i), zero));
  }
  *sum = _mm512_reduce_add_pd(total);
  return count;
}

/* Cuts of a node that are weighed together. */
enum { COH_TREE_CUTS = 4 };
typedef struct coh_tree_cuts {
  const float *x[COH_TREE_CUTS]; /* columns from the node's first row */
  float cut[COH_TREE_CUTS];
  int64_t n_below[COH_TREE_CUTS];    /* out */
  double total, left[COH_TREE_CUTS]; /* out: sums of y - origin, of all rows and those below */
} coh_tree_cuts;

/* Weigh n_cuts cuts, with the bits of coh_tree_weigh, in one pass: their sums do not wait for
 * each other, and targets are converted once. n_cuts: a constant where it is inlined. */
COH_TREE_INLINE void coh_tree_weigh_cuts(coh_tree_cuts *c, int64_t n_cuts, const float *y,
                                         float origin, int64_t n) {
  __m512 zero = _mm512_set1_ps(origin);
  __m512d total = _mm512_setzero_pd(), left[COH_TREE_CUTS];
  for (int64_t k = 0; k < n_cuts; k++)
    left[k] = total, c->n_below[k] = 0;
  for (int64_t i = 0; i < n; i += 16) {
    __mmask16 rows = n - i < 16 ? coh_tree_first_rows(n - i) : (__mmask16)0xFFFF;
    __m512 v = _mm512_maskz_sub_ps(rows, _mm512_maskz_loadu_ps(rows, y + i), zero);
    __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(v));
    __m512d high =
        _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1)));
    total = _mm512_add_pd(_mm512_add_pd(total, low), high);
    for (int64_t k = 0; k < n_cuts; k++) {
      __mmask16 below = _mm512_mask_cmp_ps_mask(rows, _mm512_maskz_loadu_ps(rows, c->x[k] + i),
                                                _mm512_set1_ps(c->cut[k]), _CMP_LT_OQ);
      c->n_below[k] += __builtin_popcount(below);
      left[k] = _mm512_mask_add_pd(left[k], (__mmask8)below, left[k], low);
      left[k] = _mm512_mask_add_pd(left[k], (__mmask8)(below >> 8), left[k], high);
    }
  }
  c->total = _mm512_reduce_add_pd(total);
  for (int64_t k = 0; k < n_cuts; k++)
    c->left[k] = _mm512_reduce_add_pd(left[k]);
}

COH_TREE_INLINE void coh_tree_copy(const float *from, int64_t n, float *to) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    _mm512_storeu_ps(to + i, _mm512_loadu_ps(from + i));
  if (i < n) {
    __mmask16 rows = coh_tree_first_rows(n - i);
    _mm512_mask_storeu_ps(to + i, rows, _mm512_maskz_loadu_ps(rows, from + i));
  }
}

/* Part rows begin .. begin + n: those with x < cut first, each side in its order. spare: of as
 * many columns, for n rows. n_columns: as in columns, a constant where it is known. Returns how
 * many lie below. */
COH_TREE_INLINE int64_t coh_tree_part(const coh_tree_columns *columns,
                                      const coh_tree_columns *spare, int64_t n_columns,
                                      int64_t begin, int64_t n, int64_t feature, float cut) {
  float *base = columns->base + begin;
  int64_t stride = columns->stride, n_left = 0, n_right = 0;
  const float *x = base + feature * stride;
  __m512 limit = _mm512_set1_ps(cut);
  for (int64_t i = 0; i < n; i += 16) {
    __mmask16 rows = n - i < 16 ? coh_tree_first_rows(n - i) : (__mmask16)0xFFFF;
    __m512 v = _mm512_maskz_loadu_ps(rows, x + i);
    __mmask16 below = _mm512_mask_cmp_ps_mask(rows, v, limit, _CMP_LT_OQ);
    __mmask16 above = (__mmask16)(rows & ~below);
    int n_below = __builtin_popcount(below);
    __mmask16 kept = coh_tree_first_rows(n_below);
    for (int64_t k = 0; k < n_columns; k++) {
      float *column = base + k * stride;
      v = _mm512_maskz_loadu_ps(rows, column + i);
      _mm512_storeu_ps(spare->base + k * spare->stride + n_right,
                       _mm512_maskz_compress_ps(above, v));
      // never past the rows of this block, which have been read
      _mm512_mask_storeu_ps(column + n_left, kept, _mm512_maskz_compress_ps(below, v));
    }
    n_left += n_below;
    n_right += __builtin_popcount(above);
  }
  for (int64_t k = 0; k < n_columns; k++)
    coh_tree_copy(spare->base + k * spare->stride, n_right, base + k * stride + n_left);
  return n_left;
}

#elif defined(__AVX2__)

/* Byte j of order[mask] is the lane that comes to place j: the mask's ones, then its zeros. */
extern const uint64_t coh_tree_order[256];

COH_TREE_INLINE __m256i coh_tree_places(unsigned mask) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)&coh_tree_order[mask]));
}

/* Lanes below n. */
COH_TREE_INLINE __m256 coh_tree_first_lanes(int64_t n) {
  __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane));
}

COH_TREE_INLINE __m256d coh_tree_add_lanes(__m256d sum, __m256 y) {
  sum = _mm256_add_pd(sum, _mm256_cvtps_pd(_mm256_castps256_ps128(y)));
  return _mm256_add_pd(sum, _mm256_cvtps_pd(_mm256_extractf128_ps(y, 1)));
}

/* How many of n rows lie below the cut; sum: out, of y - origin over them. */
COH_TREE_INLINE int64_t coh_tree_weigh(const float *x, float cut, const float *y, float origin,
                                       int64_t n, double *sum) {
  __m256 limit = _mm256_set1_ps(cut), zero = _mm256_set1_ps(origin);
  __m256d total = _mm256_setzero_pd();
  int64_t count = 0, i = 0;
  for (; i + 8 <= n; i += 8) {
    __m256 below = _mm256_cmp_ps(_mm256_loadu_ps(x + i), limit, _CMP_LT_OQ);
    count += __builtin_popcount((unsigned)_mm256_movemask_ps(below));
    total = coh_tree_add_lanes(
        total, _mm256_and_ps(below, _mm256_sub_ps(_mm256_loadu_ps(y + i), zero)));
  }
  if (i < n) {
    __m256 below = _mm256_and_ps(coh_tree_first_lanes(n - i),
                                 _mm256_cmp_ps(_mm256_loadu_ps(x + i), limit, _CMP_LT_OQ));
    count += __builtin_popcount((unsigned)_mm256_movemask_ps(below));
    total = coh_tree_add_lanes(
        total, _mm256_and_ps(below, _mm256_sub_ps(_mm256_loadu_ps(y + i), zero)));
  }
  __m128d half = _mm_add_pd(_mm256_castpd256_pd128(total), _mm256_extractf128_pd(total, 1));
  *sum = _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)));
  return count;
}

COH_TREE_INLINE unsigned coh_tree_below(const float *x, __m256 limit) {
  return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(x), limit, _CMP_LT_OQ));
}

/* Eight rows at i, or the last `left` of them: each side to its end. */
COH_TREE_INLINE void coh_tree_part_eight(float *base, int64_t stride, float *spare,
                                         int64_t spare_stride, int64_t n_columns, int64_t i,
                                         int64_t left, unsigned mask, int64_t n_left,
                                         int64_t n_right) {
  __m256i to_left = coh_tree_places(mask), to_right = coh_tree_places(~mask & 255u);
  __m256 kept = coh_tree_first_lanes(__builtin_popcount(mask));
  for (int64_t k = 0; k < n_columns; k++) {
    float *column = base + k * stride;
    __m256 v = _mm256_loadu_ps(column + i);
    _mm256_storeu_ps(spare + k * spare_stride + n_right, _mm256_permutevar8x32_ps(v, to_right));
    __m256 below = _mm256_permutevar8x32_ps(v, to_left);
    // the last rows must not run over those of the next node
    if (left < 8) below = _mm256_blendv_ps(_mm256_loadu_ps(column + n_left), below, kept);
    _mm256_storeu_ps(column + n_left, below);
  }
}

COH_TREE_INLINE void coh_tree_copy(const float *from, int64_t n, float *to) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(to + i, _mm256_loadu_ps(from + i));
  if (i < n)
    _mm256_storeu_ps(to + i,
                     _mm256_blendv_ps(_mm256_loadu_ps(to + i), _mm256_loadu_ps(from + i),
                                      coh_tree_first_lanes(n - i)));
}

/* Part rows begin .. begin + n: those with x < cut first, each side in its order. spare: of as
 * many columns, for n rows. n_columns: as in columns, a constant where it is known. Returns how
 * many lie below. */
COH_TREE_INLINE int64_t coh_tree_part(const coh_tree_columns *columns,
                                      const coh_tree_columns *spare, int64_t n_columns,
                                      int64_t begin, int64_t n, int64_t feature, float cut) {
  float *base = columns->base + begin;
  int64_t stride = columns->stride;
  const float *x = base + feature * stride;
  __m256 limit = _mm256_set1_ps(cut);
  if (n <= 8) { // one register a column; what lies beyond keeps its place
    unsigned mask = coh_tree_below(x, limit) & ((1u << n) - 1);
    __m256i places = coh_tree_places(mask);
    for (int64_t k = 0; k < n_columns; k++) {
      float *column = base + k * stride;
      _mm256_storeu_ps(column, _mm256_permutevar8x32_ps(_mm256_loadu_ps(column), places));
    }
    return __builtin_popcount(mask);
  }
  int64_t n_left = 0, n_right = 0, i = 0;
  for (; i + 8 <= n; i += 8) {
    unsigned mask = coh_tree_below(x + i, limit);
    coh_tree_part_eight(base, stride, spare->base, spare->stride, n_columns, i, 8, mask, n_left,
                        n_right);
    n_left += __builtin_popcount(mask);
    n_right += 8 - __builtin_popcount(mask);
  }
  if (i < n) {
    unsigned mask = coh_tree_below(x + i, limit) & ((1u << (n - i)) - 1);
    coh_tree_part_eight(base, stride, spare->base, spare->stride, n_columns, i, n - i, mask,
                        n_left, n_right);
    n_left += __builtin_popcount(mask);
    n_right += n - i - __builtin_popcount(mask);
  }
  for (int64_t k = 0; k < n_columns; k++)
    coh_tree_copy(spare->base + k * spare->stride, n_right, base + k * stride + n_left);
  return n_left;
}

#else

COH_TREE_INLINE int64_t coh_tree_weigh(const float *x, float cut, const float *y, float origin,
                                       int64_t n, double *sum) {
  int64_t count = 0;
  double total = 0;
  for (int64_t i = 0; i < n; i++) {
    int below = x[i] < cut;
    count += below;
    total += below ? (double)(y[i] - origin) : 0;
  }
  *sum = total;
  return count;
}

COH_TREE_INLINE int64_t coh_tree_part(const coh_tree_columns *columns,
                                      const coh_tree_columns *spare, int64_t n_columns,
                                      int64_t begin, int64_t n, int64_t feature, float cut) {
  const float *x = coh_tree_column(columns, feature) + begin;
  int64_t n_left = 0;
  // the feature's own column moves last: it says where the others go
  for (int64_t step = 1; step <= n_columns; step++) {
    int64_t k = (feature + step) % n_columns, n_right = 0;
    float *column = coh_tree_column(columns, k) + begin, *kept = coh_tree_column(spare, k);
    n_left = 0;
    for (int64_t i = 0; i < n; i++) {
      int below = x[i] < cut;
      float v = column[i];
      column[n_left] = v;
      kept[n_right] = v;
      n_left += below;
      n_right += 1 - below;
    }
    memcpy(column + n_left, kept, (size_t)n_right * sizeof(float));
  }
  return n_left;
}

#endif
#endif
