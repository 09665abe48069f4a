/* The best of all cuts of a node: for each feature the rows in order (a radix sort of keys that
 * carry the row's place), then one pass over the places between different values. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/fqi/tree_grow.h"

enum { FEW = 48, DIGIT_BITS = 11, N_DIGITS = 1 << DIGIT_BITS };

// floats as unsigned numbers of the same order
static uint32_t ordered_bits(float x) {
  uint32_t bits;
  x += 0.0f; // -0 is 0
  memcpy(&bits, &x, sizeof bits);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static void sort_few(uint64_t *key, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    uint64_t moved = key[i];
    int64_t k = i;
    for (; k > 0 && key[k - 1] > moved; k--)
      key[k] = key[k - 1];
    key[k] = moved;
  }
}

// in three digits
void coh_tree_sort(uint64_t *key, uint64_t *spare, int64_t n) {
  for (int shift = 32; shift < 64; shift += DIGIT_BITS) {
    int64_t start[N_DIGITS + 1] = {0};
    for (int64_t i = 0; i < n; i++)
      start[(key[i] >> shift & (N_DIGITS - 1)) + 1]++;
    for (int d = 0; d < N_DIGITS; d++)
      start[d + 1] += start[d];
    for (int64_t i = 0; i < n; i++)
      spare[start[key[i] >> shift & (N_DIGITS - 1)]++] = key[i];
    uint64_t *other = key;
    key = spare;
    spare = other;
  }
}

// the cut lies halfway between neighbours
static void scan(const coh_tree_grower *g, int64_t feature, int64_t begin, const uint64_t *key,
                 int64_t n, double total, coh_tree_cut *best) {
  const float *x = coh_tree_column(&g->sample, feature) + begin;
  const float *y = coh_tree_column(&g->sample, g->n_features) + begin;
  double left = 0;
  for (int64_t i = 0; i + 1 < n; i++) {
    left += (double)(y[(uint32_t)key[i]] - y[0]);
    if (key[i] >> 32 == key[i + 1] >> 32) continue;
    double right = total - left, n_left = (double)(i + 1);
    double score = left * left / n_left + right * right / ((double)n - n_left);
    if (score <= best->score) continue;
    float low = x[(uint32_t)key[i]], high = x[(uint32_t)key[i + 1]];
    float middle = low + 0.5f * (high - low);
    *best = (coh_tree_cut){feature, middle > low ? middle : high, score};
  }
}

coh_status coh_tree_best_cut(coh_tree_grower *g, int64_t begin, int64_t n, coh_tree_cut *best) {
  if (!g->key) {
    COH_NEW(g->key, g->n_rows);
    COH_NEW(g->spare_key, g->n_rows);
  }
  const float *y = coh_tree_column(&g->sample, g->n_features) + begin;
  double total = 0;
  for (int64_t i = 0; i < n; i++)
    total += (double)(y[i] - y[0]);
  *best = (coh_tree_cut){.feature = -1, .score = -INFINITY};
  for (int64_t f = 0; f < g->n_features; f++) {
    if (g->low[f] == g->high[f]) continue;
    const float *x = coh_tree_column(&g->sample, f) + begin;
    for (int64_t i = 0; i < n; i++)
      g->key[i] = (uint64_t)ordered_bits(x[i]) << 32 | (uint64_t)i;
    if (n <= FEW)
      sort_few(g->key, n);
    else
      coh_tree_sort(g->key, g->spare_key, n);
    scan(g, f, begin, n <= FEW ? g->key : g->spare_key, n, total, best);
  }
  return COH_OK;
}
