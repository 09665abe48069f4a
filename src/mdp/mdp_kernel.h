/* The innermost loops: one row, one state. Header only, so that every sweep inlines them. */
#ifndef COHORT_MDP_MDP_KERNEL_H
#define COHORT_MDP_MDP_KERNEL_H

#include <stdint.h>

/* sum of probability * values[next], in an order fixed by the row's length. */
static inline double coh_mdp_row_sum(const uint32_t *next, const double *probability, int64_t n,
                                     const double *values) {
  double sum[4] = {0.0, 0.0, 0.0, 0.0};
  int64_t k = 0;
  for (; k + 4 <= n; k += 4)
    for (int i = 0; i < 4; i++)
      sum[i] += probability[k + i] * values[next[k + i]];
  for (; k < n; k++)
    sum[k & 3] += probability[k] * values[next[k]];
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

#endif
