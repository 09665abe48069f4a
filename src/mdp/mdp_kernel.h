/* The innermost loops: one row, one state. Header only, so that every sweep inlines them. */
#ifndef COHORT_MDP_MDP_KERNEL_H
#define COHORT_MDP_MDP_KERNEL_H

#include <stdint.h>

/* sum of probability * values[next], in an order fixed by the row's length. */
static inline double coh_mdp_row_sum(const uint32_t *next, const double *probability, int64_t n,
                                     const double *values) {
  double even = 0.0, odd = 0.0;
  int64_t k = 0;
  for (; k + 2 <= n; k += 2) {
    even += probability[k] * values[next[k]];
    odd += probability[k + 1] * values[next[k + 1]];
  }
  if (k < n) even += probability[k] * values[next[k]];
  return even + odd;
}

#endif
