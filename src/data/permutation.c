/* Permutations that are computed: a Feistel network over the bits of n - 1, walked until the
 * value lies below n again (fewer than two steps on average from n = 256 on).
 * Rounds change the left and the right part in turn, so parts of unequal width work as well.
 * Source: Luby, Rackoff 1988 (rounds); Black, Rogaway 2002 (cycle walking). */
#include "cohort/data.h"
#include "cohort/random.h"

enum {
  N_ROUNDS = 10,
  MIN_BITS = 8 // narrower parts have too few functions to choose from
};

coh_permutation coh_permutation_make(int64_t n, uint64_t seed, const char *purpose,
                                     uint64_t epoch) {
  uint32_t bits = MIN_BITS;
  while (bits < 62 && (uint64_t)n > UINT64_C(1) << bits)
    bits++;
  coh_permutation made = {.n = n, .left_bits = bits / 2, .right_bits = bits - bits / 2};
  coh_stream stream = coh_stream_begin(coh_key_make(seed, purpose), 0, epoch);
  for (int r = 0; r < N_ROUNDS; r++)
    made.round_key[r] = coh_stream_u64(&stream);
  return made;
}

// 33 well mixed bits of (x, key); parts are at most 31 bits wide
static inline uint64_t mixed(uint64_t x, uint64_t key) {
  x = (x ^ key) * UINT64_C(0x9E3779B97F4A7C15);
  x = (x ^ x >> 32) * UINT64_C(0xBF58476D1CE4E5B9);
  return x >> 31;
}

int64_t coh_permutation_at(const coh_permutation *permutation, int64_t i) {
  const uint32_t right_bits = permutation->right_bits;
  const uint64_t left_mask = (UINT64_C(1) << permutation->left_bits) - 1;
  const uint64_t right_mask = (UINT64_C(1) << right_bits) - 1;
  if (permutation->n <= 1) return 0;
  uint64_t x = (uint64_t)i;
  do {
    uint64_t left = x >> right_bits, right = x & right_mask;
    for (int r = 0; r < N_ROUNDS; r += 2) {
      left ^= mixed(right, permutation->round_key[r]) & left_mask;
      right ^= mixed(left, permutation->round_key[r + 1]) & right_mask;
    }
    x = left << right_bits | right;
  } while (x >= (uint64_t)permutation->n);
  return (int64_t)x;
}
