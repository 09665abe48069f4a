/* The innermost loops: sums of probability * value over one row. Header only, so that every
 * sweep inlines them. However a row is stored, products go to four sums in turn, which are
 * added in one order: equal numbers give equal bits. */
#ifndef COHORT_MDP_MDP_KERNEL_H
#define COHORT_MDP_MDP_KERNEL_H

#include <stdint.h>
#include <string.h>

typedef double coh_mdp_two __attribute__((vector_size(2 * sizeof(double))));
typedef double coh_mdp_four __attribute__((vector_size(4 * sizeof(double))));
typedef float coh_mdp_four_single __attribute__((vector_size(4 * sizeof(float))));

static inline coh_mdp_four coh_mdp_load_four(const double *from) {
  coh_mdp_four four;
  memcpy(&four, from, sizeof four);
  return four;
}

static inline coh_mdp_four coh_mdp_load_single(const float *from) {
  coh_mdp_four_single four;
  memcpy(&four, from, sizeof four);
  return __builtin_convertvector(four, coh_mdp_four);
}

static inline double coh_mdp_add_four(coh_mdp_four sum) {
  coh_mdp_two low, high;
  memcpy(&low, &sum, sizeof low);
  memcpy(&high, (const char *)&sum + sizeof low, sizeof high);
  low += high;
  return low[0] + low[1];
}

/* The same for four rows at once: their sums. */
static inline coh_mdp_four coh_mdp_add_rows(const coh_mdp_four row[4]) {
  coh_mdp_four first = __builtin_shufflevector(row[0], row[2], 0, 1, 4, 5) +
                       __builtin_shufflevector(row[0], row[2], 2, 3, 6, 7);
  coh_mdp_four last = __builtin_shufflevector(row[1], row[3], 0, 1, 4, 5) +
                      __builtin_shufflevector(row[1], row[3], 2, 3, 6, 7);
  return __builtin_shufflevector(first, last, 0, 4, 2, 6) +
         __builtin_shufflevector(first, last, 1, 5, 3, 7);
}

/* load(probability + k) * values at next[k] .. next[k + 3] */
#define COH_MDP_PRODUCTS(load, k)                                                   \
  (load(probability + (k)) * (coh_mdp_four){values[next[k]], values[next[(k) + 1]], \
                                            values[next[(k) + 2]], values[next[(k) + 3]]})

/* name_parts(next, probability, n, values): four sums whose sum is that of probability *
 * values[next]; name(...): their sum. The last one to three products are added as a vector. */
#define COH_MDP_ROW_SUM(name, column, number, load)                                      \
  static inline coh_mdp_four name##_parts(const column *next, const number *probability, \
                                          int64_t n, const double *values) {             \
    coh_mdp_four sum = {0.0, 0.0, 0.0, 0.0};                                             \
    int64_t k = 0;                                                                       \
    if (n >= 4) {                                                                        \
      sum = COH_MDP_PRODUCTS(load, 0);                                                   \
      for (k = 4; k + 4 <= n; k += 4)                                                    \
        sum += COH_MDP_PRODUCTS(load, k);                                                \
    }                                                                                    \
    if (n & 3) {                                                                         \
      double last[3] = {probability[k] * values[next[k]], 0.0, 0.0};                     \
      if ((n & 3) > 1) last[1] = probability[k + 1] * values[next[k + 1]];               \
      if ((n & 3) > 2) last[2] = probability[k + 2] * values[next[k + 2]];               \
      sum += (coh_mdp_four){last[0], last[1], last[2], 0.0};                             \
    }                                                                                    \
    return sum;                                                                          \
  }                                                                                      \
  static inline double name(const column *next, const number *probability, int64_t n,    \
                            const double *values) {                                      \
    return coh_mdp_add_four(name##_parts(next, probability, n, values));                 \
  }

COH_MDP_ROW_SUM(coh_mdp_row_sum, uint32_t, double, coh_mdp_load_four)

/* columns as distances; values: from the row's own state on */
COH_MDP_ROW_SUM(coh_mdp_near_sum, int16_t, double, coh_mdp_load_four)
COH_MDP_ROW_SUM(coh_mdp_single_sum, int16_t, float, coh_mdp_load_single)

#undef COH_MDP_ROW_SUM
#undef COH_MDP_PRODUCTS

#endif
