/* All pairs: attraction, repulsion and the sum of similarities in one pass over a row of p. */
#include <string.h>

#include "task/tsne/similarity.h"
#include "task/tsne/tsne.h"

enum { LANES = 8 };

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

static inline float fold(vector v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

// positions by dimension, eight a vector; places beyond the end are far away
static void set_columns(coh_tsne *t) {
  int64_t padded = (t->n + LANES - 1) / LANES * LANES;
  for (int64_t a = 0; a < t->dims; a++)
    for (int64_t j = 0; j < padded; j++)
      t->columns[a * padded + j] = j < t->n ? t->y[j * t->stride + a] : 1e18f;
}

static inline __attribute__((always_inline)) float
meet_all(const coh_tsne *t, int dims, float freedom, int64_t i, float *pull, float *push) {
  int64_t padded = (t->n + LANES - 1) / LANES * LANES;
  vector at[COH_TSNE_MAX_DIMS], attract[COH_TSNE_MAX_DIMS] = {{0}};
  vector repel[COH_TSNE_MAX_DIMS] = {{0}}, sum = {0};
  const float *p = t->p.value + i * padded;
  for (int a = 0; a < dims; a++)
    at[a] = t->y[(t->first + i) * t->stride + a] - (vector){0};
  for (int64_t j = 0; j < padded; j += LANES) {
    vector delta[COH_TSNE_MAX_DIMS], squared = {0}, share, w;
    for (int a = 0; a < dims; a++) {
      memcpy(&delta[a], t->columns + a * padded + j, sizeof delta[a]);
      delta[a] = at[a] - delta[a];
      squared += delta[a] * delta[a];
    }
    memcpy(&share, p + j, sizeof share);
    vector inverse = freedom == 1 ? 1 / (1 + squared) : 1 / (1 + squared / freedom);
    w = inverse;
    if (freedom != 1)
      for (int k = 0; k < LANES; k++)
        w[k] = coh_similarity(inverse[k], freedom);
    sum += w;
    vector pulled = share * inverse, pushed = w * inverse;
    for (int a = 0; a < dims; a++) {
      attract[a] += pulled * delta[a];
      repel[a] += pushed * delta[a];
    }
  }
  for (int a = 0; a < dims; a++) {
    pull[a] = fold(attract[a]);
    push[a] = fold(repel[a]);
  }
  return fold(sum) - 1; // without itself
}

static float meet(const coh_tsne *t, int64_t i) {
  float *pull = t->pull + i * t->stride, *push = t->push + i * t->stride;
  float freedom = (float)t->options->freedom;
  if (t->dims == 2 && freedom == 1) return meet_all(t, 2, 1, i, pull, push);
  if (t->dims == 2) return meet_all(t, 2, freedom, i, pull, push);
  if (t->dims == 3) return meet_all(t, 3, freedom, i, pull, push);
  return meet_all(t, 1, freedom, i, pull, push);
}

void coh_tsne_repel_exact(coh_tsne *t) {
  set_columns(t);
  int64_t n_blocks = (t->n_own + COH_TSNE_BLOCK - 1) / COH_TSNE_BLOCK;
#pragma omp parallel for default(none) shared(t, n_blocks) schedule(dynamic) \
    num_threads(t->context->n_threads)
  for (int64_t block = 0; block < n_blocks; block++) {
    int64_t end = (block + 1) * COH_TSNE_BLOCK;
    double sum = 0;
    for (int64_t i = block * COH_TSNE_BLOCK; i < (end < t->n_own ? end : t->n_own); i++)
      sum += (double)meet(t, i);
    t->block_sum[block] = sum;
  }
}
