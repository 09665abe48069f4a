/* Attraction: the sum over the edges of a row, eight edges at a time. An edge costs 8 bytes of
 * p and one position; positions of a row's neighbours lie near each other by the order of the
 * points. */
#include <math.h>
#include <string.h>

#include "task/tsne/similarity.h"
#include "task/tsne/tsne.h"

enum { LANES = 8, AHEAD = 64 };

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));
typedef float half __attribute__((vector_size(LANES / 2 * sizeof(float))));

static inline float fold(vector v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

#if defined(__AVX2__)
#include <immintrin.h>
// x and y of eight points
static inline void gather2(const float *y, const uint32_t *c, vector *x0, vector *x1) {
  __m128 a = _mm_setzero_ps(), b = a, d = a, e = a;
  a = _mm_loadh_pi(_mm_loadl_pi(a, (const __m64 *)(y + 2 * (size_t)c[0])),
                   (const __m64 *)(y + 2 * (size_t)c[1]));
  b = _mm_loadh_pi(_mm_loadl_pi(b, (const __m64 *)(y + 2 * (size_t)c[4])),
                   (const __m64 *)(y + 2 * (size_t)c[5]));
  d = _mm_loadh_pi(_mm_loadl_pi(d, (const __m64 *)(y + 2 * (size_t)c[2])),
                   (const __m64 *)(y + 2 * (size_t)c[3]));
  e = _mm_loadh_pi(_mm_loadl_pi(e, (const __m64 *)(y + 2 * (size_t)c[6])),
                   (const __m64 *)(y + 2 * (size_t)c[7]));
  __m256 low = _mm256_set_m128(b, a), high = _mm256_set_m128(e, d);
  *x0 = (vector)_mm256_shuffle_ps(low, high, 0x88);
  *x1 = (vector)_mm256_shuffle_ps(low, high, 0xdd);
}
#else
static inline void gather2(const float *y, const uint32_t *c, vector *x0, vector *x1) {
  for (int j = 0; j < LANES; j++) {
    (*x0)[j] = y[2 * (size_t)c[j]];
    (*x1)[j] = y[2 * (size_t)c[j] + 1];
  }
}
#endif

// one row in two dimensions, a = 1
static void attract_row2(const float *all, const uint32_t *column, const float *value,
                         int64_t n_edges, const float *mine, float *pull) {
  vector sum0 = {0}, sum1 = {0};
  const vector x0 = mine[0] - (vector){0}, x1 = mine[1] - (vector){0};
  for (int64_t e = 0; e < n_edges; e += LANES) {
    uint32_t c[LANES];
    vector p = {0}, y0, y1;
    if (e + LANES <= n_edges) {
      __builtin_prefetch(column + e + AHEAD);
      __builtin_prefetch(value + e + AHEAD);
      memcpy(c, column + e, sizeof c);
      memcpy(&p, value + e, sizeof p);
    } else {
      for (int j = 0; j < LANES; j++)
        c[j] = e + j < n_edges ? column[e + j] : column[e];
      for (int j = 0; e + j < n_edges; j++)
        p[j] = value[e + j];
    }
    gather2(all, c, &y0, &y1);
    vector d0 = x0 - y0, d1 = x1 - y1;
    vector w = p / (1 + (d0 * d0 + d1 * d1));
    sum0 += w * d0;
    sum1 += w * d1;
  }
  pull[0] = fold(sum0);
  pull[1] = fold(sum1);
}

// any row, one edge after the other
static void attract_row(const coh_tsne *t, const uint32_t *column, const float *value,
                        int64_t n_edges, const float *mine, float *pull) {
  float inverse_freedom = (float)(1 / t->options->freedom), sum[COH_TSNE_MAX_DIMS] = {0};
  for (int64_t e = 0; e < n_edges; e++) {
    const float *other = t->y + column[e] * t->stride;
    float d[COH_TSNE_MAX_DIMS], squared = 0;
    for (int64_t a = 0; a < t->dims; a++) {
      d[a] = mine[a] - other[a];
      squared += d[a] * d[a];
    }
    float w = value[e] / (1 + squared * inverse_freedom);
    for (int64_t a = 0; a < t->dims; a++)
      sum[a] += w * d[a];
  }
  for (int64_t a = 0; a < t->dims; a++)
    pull[a] = sum[a];
}

static void attract_block(const coh_tsne *t, int64_t from, int64_t to) {
  bool plain = t->dims == 2 && t->options->freedom == 1;
  for (int64_t i = from; i < to; i++) {
    int64_t begin = t->p.begin[i], n = t->p.begin[i + 1] - begin;
    const float *mine = t->y + (t->first + i) * t->stride;
    if (plain)
      attract_row2(t->y, t->p.column + begin, t->p.value + begin, n, mine,
                   t->pull + i * t->stride);
    else
      attract_row(t, t->p.column + begin, t->p.value + begin, n, mine, t->pull + i * t->stride);
  }
}

void coh_tsne_attract(coh_tsne *t) {
  if (!t->p.begin) return; // all pairs: done with the repulsion
  int64_t n_blocks = (t->n_own + COH_TSNE_BLOCK - 1) / COH_TSNE_BLOCK;
#pragma omp parallel for default(none) shared(t, n_blocks) schedule(dynamic, 4) \
    num_threads(t->context->n_threads)
  for (int64_t block = 0; block < n_blocks; block++) {
    int64_t end = (block + 1) * COH_TSNE_BLOCK;
    attract_block(t, block * COH_TSNE_BLOCK, end < t->n_own ? end : t->n_own);
  }
}
