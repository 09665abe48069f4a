/* Test vectors whose sums depend on the order of addition, and the lane tree from its
 * definition, one scalar at a time: the independent reference of the lane sum tests. */
#ifndef COHORT_TESTS_LANE_DATA_H
#define COHORT_TESTS_LANE_DATA_H

#include <math.h>
#include <stdint.h>

/* 64 unrelated bits for (lane, element): the finaliser of splitmix64. */
static inline uint64_t lane_bits(int64_t lane, int64_t element) {
  uint64_t z = (uint64_t)lane * 0x9e3779b97f4a7c15u + (uint64_t)element * 0xd1342543de82ef95u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* A double with a random mantissa, sign and exponent (2^-8 .. 2^7). */
static inline double lane_real(int64_t lane, int64_t element) {
  uint64_t bits = lane_bits(lane, element);
  double mantissa = 1.0 + (double)(bits >> 12) * 0x1p-52;
  double scaled = ldexp(mantissa, (int)(bits & 15) - 8);
  return bits & 16 ? -scaled : scaled;
}

/* Node (level, index) of the tree over n_lanes values: left + right where right has lanes. */
#define DEFINE_LANE_NODE(name, type)                                               \
  static type name(const type *value, int64_t n_lanes, int level, int64_t index) { \
    if (level == 0) return value[index];                                           \
    type left = name(value, n_lanes, level - 1, 2 * index);                        \
    if (((2 * index + 1) << (level - 1)) >= n_lanes) return left;                  \
    return left + name(value, n_lanes, level - 1, 2 * index + 1);                  \
  }

static inline int lane_levels(int64_t n_lanes) {
  int level = 0;
  while (((int64_t)1 << level) < n_lanes)
    level++;
  return level;
}

#endif
