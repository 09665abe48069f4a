/* The greedy choice among action values. */
#ifndef COHORT_TASK_GREEDY_H
#define COHORT_TASK_GREEDY_H

#include <stdint.h>

/* Index of the first largest of n >= 1 values. */
static inline int64_t coh_greedy(const double *values, int64_t n) {
  int64_t best = 0;
  for (int64_t k = 1; k < n; k++)
    if (values[k] > values[best]) best = k;
  return best;
}

#endif
