/* The Euclidean norm of a flat block, in an order that the block's length alone fixes: sixteen
 * running sums in double inside a stretch, added pairwise; then a binary tree over stretches.
 * Squares of floats cannot overflow a double, so a partial is finite exactly when its floats
 * are. */
#include <math.h>

#include "base/float_mode.h"
#include "cohort/nn.h"

enum { N_SUMS = 16 };

int64_t coh_norm_stretches(int64_t n_floats) {
  return (n_floats + COH_NORM_STRETCH - 1) / COH_NORM_STRETCH;
}

static __attribute__((noinline)) double sum_of_squares(const float *x, int64_t n) {
  double sum[N_SUMS] = {0};
  int64_t i = 0;
  for (; i + N_SUMS <= n; i += N_SUMS)
    for (int64_t j = 0; j < N_SUMS; j++)
      sum[j] += (double)x[i + j] * (double)x[i + j];
  for (int64_t j = 0; i < n; i++, j++)
    sum[j] += (double)x[i] * (double)x[i];
  for (int64_t width = N_SUMS / 2; width > 0; width /= 2)
    for (int64_t j = 0; j < width; j++)
      sum[j] += sum[j + width];
  return sum[0];
}

void coh_norm_partials(const float *block, int64_t n_floats, int64_t first, int64_t last,
                       double *partial) {
  coh_float_mode mode = coh_float_mode_begin();
  for (int64_t k = first; k < last; k++) {
    int64_t begin = k * COH_NORM_STRETCH, left = n_floats - begin;
    partial[k] =
        sum_of_squares(block + begin, left < COH_NORM_STRETCH ? left : COH_NORM_STRETCH);
  }
  coh_float_mode_end(mode);
}

// the left child holds the largest power of two of stretches that leaves some to the right
static double tree_sum(const double *partial, int64_t n) {
  if (n == 1) return partial[0];
  int64_t left = 1;
  while (left * 2 < n)
    left *= 2;
  return tree_sum(partial, left) + tree_sum(partial + left, n - left);
}

double coh_norm_finish(const double *partial, int64_t n_stretches) {
  return n_stretches == 0 ? 0 : sqrt(tree_sum(partial, n_stretches));
}
