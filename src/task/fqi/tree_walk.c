/* Walking trees without branches, many rows at once, so that their loads overlap. Rows that are
 * asked for again and again are arranged first, along a curve through feature space (Morton's):
 * a group of neighbours goes as one while all of it lies on one side of a cut, and meets the
 * nodes that the group before has brought near. */
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "task/fqi/tree_grow.h"

enum { TOGETHER = 16, STEPS_A_LOOK = 4, GROUP = 32, KEY_BITS = 32 };

COH_TREE_INLINE void walk(const coh_tree *tree, int64_t n, int64_t d, const float *x,
                          double *sums) {
  const coh_tree_node *node = tree->node;
  const uint32_t bits = (uint32_t)tree->feature_bits, mask = (1u << bits) - 1;
  uint32_t at[TOGETHER] = {0}, moved = 1;
  while (moved) {
    moved = 0;
    for (int step = 0; step < STEPS_A_LOOK; step++)
      for (int64_t k = 0; k < n; k++) {
        coh_tree_node here = node[at[k]];
        float value = x[k * d + (here.next & mask)];
        uint32_t next = (here.next >> bits) + (uint32_t)(value >= here.threshold);
        moved |= next ^ at[k];
        at[k] = next;
      }
  }
  for (int64_t k = 0; k < n; k++)
    sums[k] += tree->value[at[k]];
}

void coh_tree_add(const coh_tree *tree, int64_t n, int64_t n_features, const float *features,
                  double *sums) {
  int64_t i = 0;
  for (; i + TOGETHER <= n; i += TOGETHER)
    walk(tree, TOGETHER, n_features, features + i * n_features, sums + i);
  if (i < n) walk(tree, n - i, n_features, features + i * n_features, sums + i);
}

// ---- arranged rows ------------------------------------------------------------------------

// place on the curve: bits of the features in turn, the highest of each first
static uint64_t key_of(const coh_tree_rows *rows, const float *features, int64_t i,
                       const float *low, const float *high) {
  int64_t d = rows->n_features < KEY_BITS ? rows->n_features : KEY_BITS;
  int bits = (int)(KEY_BITS / d);
  uint64_t key = 0;
  for (int64_t k = 0; k < d; k++) {
    double width = (double)high[k] - (double)low[k];
    double share =
        width > 0 ? ((double)features[k * rows->n_rows + i] - (double)low[k]) / width : 0;
    uint64_t step = (uint64_t)(share * (double)(((uint64_t)1 << bits) - 1));
    for (int b = 0; b < bits; b++)
      key |= (step >> b & 1) << (b * d + d - 1 - k);
  }
  return key << 32 | (uint64_t)i;
}

static coh_status arrange(coh_tree_rows *rows, const float *features) {
  int64_t n = rows->n_rows, d = rows->n_features;
  uint64_t *key, *sorted = NULL;
  float *low = NULL;
  COH_NEW(key, n);
  sorted = coh_alloc_array((size_t)n, sizeof *sorted);
  low = coh_alloc_array((size_t)(2 * d), sizeof *low);
  if (sorted && low) {
    for (int64_t k = 0; k < d; k++) {
      low[k] = low[d + k] = features[k * n];
      for (int64_t i = 1; i < n; i++) {
        float x = features[k * n + i];
        low[k] = x < low[k] ? x : low[k];
        low[d + k] = x > low[d + k] ? x : low[d + k];
      }
    }
    for (int64_t i = 0; i < n; i++)
      key[i] = key_of(rows, features, i, low, low + d);
    coh_tree_sort(key, sorted, n);
    for (int64_t i = 0; i < rows->stride; i++) // the last group is filled with the last row
      rows->row[i] = (uint32_t)sorted[i < n ? i : n - 1];
  }
  coh_status status = sorted && low ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for keys");
  coh_free(key), coh_free(sorted), coh_free(low);
  return status;
}

static coh_status fill_rows(coh_tree_rows *rows, const float *features) {
  int64_t d = rows->n_features, n_groups = rows->stride / GROUP;
  COH_NEW(rows->columns, d * rows->stride);
  COH_NEW(rows->row, rows->stride);
  COH_NEW(rows->low, n_groups * d);
  COH_NEW(rows->high, n_groups * d);
  if (rows->n_rows == 0) return COH_OK;
  COH_TRY(arrange(rows, features));
  for (int64_t k = 0; k < d; k++) {
    float *column = rows->columns + k * rows->stride;
    for (int64_t i = 0; i < rows->stride; i++)
      column[i] = features[k * rows->n_rows + rows->row[i]];
    for (int64_t g = 0; g < n_groups; g++)
      coh_tree_range(column + g * GROUP, GROUP, &rows->low[g * d + k], &rows->high[g * d + k]);
  }
  return COH_OK;
}

coh_status coh_tree_rows_create(int64_t n_rows, int64_t n_features, const float *features,
                                coh_tree_rows *rows) {
  *rows = (coh_tree_rows){.n_rows = n_rows,
                          .n_features = n_features,
                          .stride = (n_rows + GROUP - 1) / GROUP * GROUP};
  coh_status status = fill_rows(rows, features);
  if (status != COH_OK) coh_tree_rows_clear(rows);
  return status;
}

void coh_tree_rows_clear(coh_tree_rows *rows) {
  coh_free(rows->columns), coh_free(rows->row), coh_free(rows->low), coh_free(rows->high);
  *rows = (coh_tree_rows){0};
}

// how far a group goes as one
COH_TREE_INLINE uint32_t walk_group(const coh_tree *tree, const float *low, const float *high) {
  uint32_t at = 0;
  while (true) {
    float cut = tree->node[at].threshold;
    uint32_t feature = coh_tree_feature(tree, at), left = coh_tree_left(tree, at);
    if (low[feature] >= cut)
      at = left + 1;
    else if (high[feature] < cut && left != at)
      at = left;
    else
      return at;
  }
}

#ifdef __AVX2__

enum { REGISTERS = GROUP / 8, STEPS = 2, MOST_HELD = 4 };

// thresholds and words of eight nodes
COH_TREE_INLINE void load_nodes(const coh_tree *tree, __m256i at, __m256 *cut, __m256i *next) {
#ifdef __AVX512F__
  __m512i both = _mm512_i32gather_epi64(at, (const void *)tree->node, 8);
  *cut = _mm256_castsi256_ps(_mm512_cvtepi64_epi32(both));
  *next = _mm512_cvtepi64_epi32(_mm512_srli_epi64(both, 32));
#else
  *cut = _mm256_i32gather_ps(&tree->node[0].threshold, at, 8);
  *next = _mm256_i32gather_epi32((const int *)(const void *)&tree->node[0].next, at, 8);
#endif
}

// x: the group's columns; of up to MOST_HELD features those stay in registers
COH_TREE_INLINE void walk_eight(const coh_tree *tree, const float *x, int64_t stride,
                                int64_t n_held, __m256 (*held)[REGISTERS], __m256i *at, int r,
                                __m256i *moved) {
  const __m256i mask = _mm256_set1_epi32((1 << tree->feature_bits) - 1);
  __m256 cut, value;
  __m256i went;
  load_nodes(tree, *at, &cut, &went);
  if (n_held > 0) {
    value = held[0][r];
    if (n_held == 2)
      value =
          _mm256_blendv_ps(value, held[1][r], _mm256_castsi256_ps(_mm256_slli_epi32(went, 31)));
    if (n_held > 2) {
      __m256 odd = _mm256_castsi256_ps(_mm256_slli_epi32(went, 31));
      __m256 high = _mm256_castsi256_ps(_mm256_slli_epi32(went, 30));
      value = _mm256_blendv_ps(
          _mm256_blendv_ps(held[0][r], held[1][r], odd),
          n_held > 3 ? _mm256_blendv_ps(held[2][r], held[3][r], odd) : held[2][r], high);
    }
  } else {
    __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i offset =
        _mm256_mullo_epi32(_mm256_and_si256(went, mask), _mm256_set1_epi32((int)stride));
    value = _mm256_i32gather_ps(x + 8 * r, _mm256_add_epi32(offset, lane), 4);
  }
  __m256i right = _mm256_castps_si256(_mm256_cmp_ps(value, cut, _CMP_GE_OQ));
  went = _mm256_sub_epi32(_mm256_srl_epi32(went, _mm_cvtsi32_si128(tree->feature_bits)), right);
  *moved = _mm256_or_si256(*moved, _mm256_xor_si256(went, *at));
  *at = went;
}

COH_TREE_INLINE void walk_groups(const coh_tree *tree, const coh_tree_rows *rows,
                                 int64_t n_held, double *sums) {
  int64_t d = rows->n_features, stride = rows->stride;
  for (int64_t begin = 0, g = 0; begin < stride; begin += GROUP, g++) {
    const float *x = rows->columns + begin;
    uint32_t from = walk_group(tree, rows->low + g * d, rows->high + g * d), leaf[GROUP];
    __m256 held[MOST_HELD][REGISTERS];
    __m256i at[REGISTERS], moved;
    for (int r = 0; r < REGISTERS; r++) {
      at[r] = _mm256_set1_epi32((int)from);
      for (int64_t k = 0; k < n_held; k++)
        held[k][r] = _mm256_loadu_ps(x + k * stride + 8 * r);
    }
    do {
      moved = _mm256_setzero_si256();
      for (int step = 0; step < STEPS; step++)
        for (int r = 0; r < REGISTERS; r++)
          walk_eight(tree, x, stride, n_held, held, &at[r], r, &moved);
    } while (!_mm256_testz_si256(moved, moved));
    for (int r = 0; r < REGISTERS; r++)
      _mm256_storeu_si256((void *)(leaf + 8 * r), at[r]);
    for (int k = 0; k < GROUP; k++)
      sums[begin + k] += tree->value[leaf[k]];
  }
}

void coh_tree_rows_add(const coh_tree *tree, const coh_tree_rows *rows, double *sums) {
  switch (rows->n_features) {
  case 1:
    walk_groups(tree, rows, 1, sums);
    break;
  case 2:
    walk_groups(tree, rows, 2, sums);
    break;
  case 3:
    walk_groups(tree, rows, 3, sums);
    break;
  case 4:
    walk_groups(tree, rows, 4, sums);
    break;
  default:
    walk_groups(tree, rows, 0, sums);
  }
}

#else

void coh_tree_rows_add(const coh_tree *tree, const coh_tree_rows *rows, double *sums) {
  int64_t d = rows->n_features;
  for (int64_t begin = 0, g = 0; begin < rows->stride; begin += GROUP, g++) {
    uint32_t from = walk_group(tree, rows->low + g * d, rows->high + g * d);
    for (int64_t k = begin; k < begin + GROUP; k++) {
      uint32_t at = from, next;
      while ((next = coh_tree_left(tree, at)) != at)
        at = next + (uint32_t)(rows->columns[coh_tree_feature(tree, at) * rows->stride + k] >=
                               tree->node[at].threshold);
      sums[k] += tree->value[at];
    }
  }
}

#endif
