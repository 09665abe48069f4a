/* Small subtrees. Most nodes of a tree grown to the end have few rows, so their time decides:
 * COH_TREE_FEW rows stay in registers, a node is a mask of them, and nothing moves
 * before a row has come to its leaf. Draws and cuts are those of larger nodes. */
#ifdef __AVX2__
#include <stdbool.h>

#include "task/fqi/tree_grow.h"

enum { N_COLUMNS = COH_TREE_FEW_FEATURES + 1, TOGETHER = 4, ROWS = COH_TREE_FEW };

// ---- a column of them ---------------------------------------------------------------------

#ifdef __AVX512F__

enum { REGISTERS = ROWS / 16 };

typedef struct rows_of {
  __m512 part[REGISTERS];
} rows_of;

COH_TREE_INLINE __mmask16 part_of(unsigned mask, int k) {
  return (__mmask16)(mask >> 16 * k);
}

COH_TREE_INLINE rows_of load_rows(const float *x) {
  rows_of v;
  for (int k = 0; k < REGISTERS; k++)
    v.part[k] = _mm512_loadu_ps(x + 16 * k);
  return v;
}

COH_TREE_INLINE void store_rows(float *x, rows_of v) {
  for (int k = 0; k < REGISTERS; k++)
    _mm512_storeu_ps(x + 16 * k, v.part[k]);
}

COH_TREE_INLINE __m256 halve(__m512 x) {
  __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
  return _mm256_min_ps(_mm512_castps512_ps256(x), high);
}

// of the rows of a mask the least and the least negative, in a register of candidates each
COH_TREE_INLINE void least_of(rows_of x, unsigned mask, __m256 *least, __m256 *negative) {
  const __m512 none = _mm512_set1_ps(INFINITY), zero = _mm512_set1_ps(-0.0f);
  __m512 low = none, high = none;
  for (int k = 0; k < REGISTERS; k++) {
    __m512 turned = _mm512_sub_ps(zero, x.part[k]);
    low = _mm512_mask_min_ps(low, part_of(mask, k), low, x.part[k]);
    high = _mm512_mask_min_ps(high, part_of(mask, k), high, turned);
  }
  *least = halve(low);
  *negative = halve(high);
}

COH_TREE_INLINE unsigned rows_below(rows_of x, float cut, unsigned mask) {
  unsigned below = 0;
  for (int k = 0; k < REGISTERS; k++) {
    __mmask16 rows = part_of(mask, k);
    below |= (unsigned)_mm512_mask_cmp_ps_mask(rows, x.part[k], _mm512_set1_ps(cut), _CMP_LT_OQ)
             << 16 * k;
  }
  return below;
}

COH_TREE_INLINE rows_of minus(rows_of x, float origin) {
  for (int k = 0; k < REGISTERS; k++)
    x.part[k] = _mm512_sub_ps(x.part[k], _mm512_set1_ps(origin));
  return x;
}

// targets in double, to be summed over several masks
typedef struct sums_of {
  __m512d low[REGISTERS], high[REGISTERS];
} sums_of;

COH_TREE_INLINE sums_of widen(rows_of y) {
  sums_of wide;
  for (int k = 0; k < REGISTERS; k++) {
    wide.low[k] = _mm512_cvtps_pd(_mm512_castps512_ps256(y.part[k]));
    wide.high[k] = _mm512_cvtps_pd(
        _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(y.part[k]), 1)));
  }
  return wide;
}

COH_TREE_INLINE double sum_of(sums_of y, unsigned mask) {
  __m512d sum = _mm512_setzero_pd();
  for (int k = 0; k < REGISTERS; k++) {
    sum = _mm512_mask_add_pd(sum, (__mmask8)part_of(mask, k), sum, y.low[k]);
    sum = _mm512_mask_add_pd(sum, (__mmask8)(part_of(mask, k) >> 8), sum, y.high[k]);
  }
  return _mm512_reduce_add_pd(sum);
}

#else

typedef __m256 rows_of;

COH_TREE_INLINE rows_of load_rows(const float *x) {
  return _mm256_loadu_ps(x);
}

COH_TREE_INLINE void store_rows(float *x, rows_of v) {
  _mm256_storeu_ps(x, v);
}

COH_TREE_INLINE __m256 lanes_of(unsigned mask) {
  __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  __m256i held = _mm256_and_si256(_mm256_set1_epi32((int)mask), bit);
  return _mm256_castsi256_ps(_mm256_cmpeq_epi32(held, bit));
}

// of the rows of a mask the least and the least negative, in a register of candidates each
COH_TREE_INLINE void least_of(rows_of x, unsigned mask, __m256 *least, __m256 *negative) {
  const __m256 none = _mm256_set1_ps(INFINITY), held = lanes_of(mask);
  *least = _mm256_blendv_ps(none, x, held);
  *negative = _mm256_blendv_ps(none, _mm256_xor_ps(x, _mm256_set1_ps(-0.0f)), held);
}

COH_TREE_INLINE unsigned rows_below(rows_of x, float cut, unsigned mask) {
  __m256 less = _mm256_cmp_ps(x, _mm256_set1_ps(cut), _CMP_LT_OQ);
  return (unsigned)_mm256_movemask_ps(less) & mask;
}

COH_TREE_INLINE rows_of minus(rows_of x, float origin) {
  return _mm256_sub_ps(x, _mm256_set1_ps(origin));
}

typedef rows_of sums_of;

COH_TREE_INLINE sums_of widen(rows_of y) {
  return y;
}

COH_TREE_INLINE double sum_of(sums_of y, unsigned mask) {
  __m256d sum = coh_tree_add_lanes(_mm256_setzero_pd(), _mm256_and_ps(lanes_of(mask), y));
  __m128d half = _mm_add_pd(_mm256_castpd256_pd128(sum), _mm256_extractf128_pd(sum, 1));
  return _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)));
}

#endif

// ---- a subtree ----------------------------------------------------------------------------

typedef struct few {
  rows_of column[N_COLUMNS];    // features, then the target
  float value[N_COLUMNS][ROWS]; // the same, one by one
  float range[N_COLUMNS][2];    // of the node at hand: the least, and minus the greatest
  uint32_t id[ROWS];
} few;

typedef struct few_node {
  unsigned mask;
  uint32_t node;
} few_node;

COH_TREE_INLINE __m256 fold(__m256 a, __m256 b) {
  return _mm256_min_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
}

COH_TREE_INLINE __m256 fold_pairs(__m256 a, __m256 b) {
  __m256d x = _mm256_castps_pd(a), y = _mm256_castps_pd(b);
  return _mm256_min_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(x, y)),
                       _mm256_castpd_ps(_mm256_unpackhi_pd(x, y)));
}

// least of each column and of its negative over the rows of a mask, four columns at a time
COH_TREE_INLINE void find_ranges(few *f, int64_t n_columns, unsigned mask) {
  for (int64_t first = 0; first < n_columns; first += TOGETHER) {
    __m256 pair[TOGETHER];
    for (int64_t k = 0; k < TOGETHER; k++) {
      rows_of x = f->column[first + k < n_columns ? first + k : n_columns - 1];
      __m256 least, negative;
      least_of(x, mask, &least, &negative);
      pair[k] = fold(least, negative);
    }
    __m256 a = fold_pairs(pair[0], pair[1]), b = fold_pairs(pair[2], pair[3]);
    __m256 least =
        _mm256_min_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    _mm256_storeu_ps(f->range[first], least);
  }
}

COH_TREE_INLINE float draw_cut(const few *f, coh_tree_growth *w, uint32_t feature) {
  return coh_tree_threshold(w->g, f->range[feature][0], -f->range[feature][1], w->stream);
}

// of two rows; any cut that parts them is as good
COH_TREE_INLINE bool cut_two(few *f, coh_tree_growth *w, int64_t d, unsigned mask) {
  int a = __builtin_ctz(mask), b = __builtin_ctz(mask & (mask - 1));
  for (int64_t k = 0; k <= d; k++) {
    float x = f->value[k][a], y = f->value[k][b];
    f->range[k][0] = x < y ? x : y;
    f->range[k][1] = x < y ? -y : -x;
  }
  return w->options->split == COH_SPLIT_RANDOM || f->range[d][0] != -f->range[d][1];
}

// the best of the candidates' cuts; scores as for larger nodes
COH_TREE_INLINE coh_tree_cut best_cut(const few *f, coh_tree_growth *w, int64_t d,
                                      int64_t n_candidates, unsigned mask) {
  coh_tree_cut best = {.feature = -1, .score = -INFINITY};
  double n = __builtin_popcount(mask);
  uint32_t n_tied = 0;
  sums_of y = widen(minus(f->column[d], f->value[d][__builtin_ctz(mask)]));
  double total = sum_of(y, mask);
  for (int64_t k = 0; k < n_candidates; k++) {
    uint32_t feature = w->g->order[k];
    float cut = draw_cut(f, w, feature);
    unsigned below = rows_below(f->column[feature], cut, mask);
    double left = sum_of(y, below), right = total - left;
    double n_left = __builtin_popcount(below);
    double n_right = n - n_left;
    double score = (left * left * n_right + right * right * n_left) / (n_left * n_right);
    if (coh_tree_is_taken(w->g, score, best.score, &n_tied, w->stream))
      best = (coh_tree_cut){.feature = feature, .threshold = cut, .score = score};
  }
  return best;
}

COH_TREE_INLINE coh_tree_cut find_cut(few *f, coh_tree_growth *w, int64_t d, unsigned mask) {
  coh_tree_cut none = {.feature = -1};
  bool two = (mask & (mask - 1) & ((mask & (mask - 1)) - 1)) == 0;
  bool blind = two || w->options->split == COH_SPLIT_RANDOM;
  if (two) {
    if (!cut_two(f, w, d, mask)) return none;
  } else {
    find_ranges(f, d + 1, mask);
    if (!blind && f->range[d][0] == -f->range[d][1]) return none;
  }
  int64_t n = 0, most = w->options->n_candidates > 0 ? w->options->n_candidates : d;
  for (int64_t k = 0; k < d; k++) {
    w->g->order[n] = (uint32_t)k;
    n += f->range[k][0] < -f->range[k][1];
  }
  n = coh_tree_choose(w->g, n, blind ? 1 : most, w->stream);
  if (n == 0) return none;
  if (!blind) return best_cut(f, w, d, n, mask);
  uint32_t feature = w->g->order[0];
  return (coh_tree_cut){.feature = feature, .threshold = draw_cut(f, w, feature)};
}

COH_TREE_INLINE void load(few *f, const coh_tree_grower *g, int64_t d, int64_t begin) {
  for (int64_t k = 0; k <= d; k++) {
    f->column[k] = load_rows(coh_tree_column(&g->sample, k) + begin);
    store_rows(f->value[k], f->column[k]);
  }
  memcpy(f->id, coh_tree_row_numbers(&g->sample) + begin, sizeof f->id);
}

// a leaf takes the next places
COH_TREE_INLINE int64_t settle(const few *f, coh_tree_growth *w, few_node at, int64_t place) {
  uint32_t *id = coh_tree_row_numbers(&w->g->sample);
  coh_tree_task leaf = {at.node, place, place};
  for (unsigned left = at.mask; left; left &= left - 1)
    id[leaf.end++] = f->id[__builtin_ctz(left)];
  coh_tree_make_leaf(w, &leaf);
  return leaf.end;
}

COH_TREE_INLINE void grow(coh_tree_growth *w, int64_t d, const coh_tree_task *task) {
  few f;
  few_node stack[ROWS]; // the task has 2 to ROWS rows
  int depth = 0;
  int64_t place = task->begin, n_min = w->options->n_min > 2 ? w->options->n_min : 2;
  load(&f, w->g, d, task->begin);
  stack[depth++] = (few_node){~0u >> (32 - (task->end - task->begin)), task->node};
  while (depth > 0) {
    few_node at = stack[--depth];
    coh_tree_cut cut = {.feature = -1};
    if (__builtin_popcount(at.mask) >= n_min) cut = find_cut(&f, w, d, at.mask);
    if (cut.feature < 0) {
      place = settle(&f, w, at, place);
      continue;
    }
    uint32_t left = (uint32_t)w->tree->n_nodes;
    w->tree->n_nodes += 2;
    w->tree->node[at.node] = coh_tree_cut_node(w->tree, cut.threshold, cut.feature, left);
    unsigned mask = rows_below(f.column[cut.feature], cut.threshold, at.mask);
    stack[depth++] = (few_node){at.mask & ~mask, left + 1};
    stack[depth++] = (few_node){mask, left};
  }
}

void coh_tree_grow_few(coh_tree_growth *w, const coh_tree_task *task) {
  switch (w->g->n_features) {
  case 2:
    grow(w, 2, task);
    break;
  case 3:
    grow(w, 3, task);
    break;
  case 5:
    grow(w, 5, task);
    break;
  default:
    grow(w, w->g->n_features, task);
  }
}

#else
typedef int coh_tree_few_is_for_avx2;
#endif
