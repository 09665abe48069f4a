/* Draws of environments beyond the inlined fast path, and MT19937 as NumPy's RandomState uses
 * it: init_genrand for an integer seed, 53-bit doubles from two words, bounded integers by
 * masking to the next 2^k - 1 and rejecting. */
#include "env/env_random.h"

enum { SHIFT_SIZE = 397 };

void coh_twister_seed(coh_twister *twister, uint32_t seed) {
  twister->word[0] = seed;
  for (uint32_t i = 1; i < COH_TWISTER_WORDS; i++) {
    uint32_t before = twister->word[i - 1];
    twister->word[i] = 1812433253u * (before ^ before >> 30) + i;
  }
  twister->used = COH_TWISTER_WORDS;
  twister->reserved = 0;
}

static void refill(coh_twister *twister) {
  uint32_t *word = twister->word;
  for (uint32_t i = 0; i < COH_TWISTER_WORDS; i++) {
    uint32_t next = word[(i + 1) % COH_TWISTER_WORDS];
    uint32_t joined = (word[i] & 0x80000000u) | (next & 0x7FFFFFFFu);
    uint32_t twist = (joined & 1u) ? 0x9908B0DFu : 0u;
    word[i] = word[(i + SHIFT_SIZE) % COH_TWISTER_WORDS] ^ joined >> 1 ^ twist;
  }
  twister->used = 0;
}

uint32_t coh_twister_u32(coh_twister *twister) {
  if (twister->used >= COH_TWISTER_WORDS) refill(twister);
  uint32_t y = twister->word[twister->used++];
  y ^= y >> 11;
  y ^= y << 7 & 0x9D2C5680u;
  y ^= y << 15 & 0xEFC60000u;
  return y ^ y >> 18;
}

double coh_env_uniform_slow(coh_env_random *random) {
  if (!random->twister) return coh_stream_uniform(&random->stream);
  uint32_t high = coh_twister_u32(random->twister) >> 5;
  uint32_t low = coh_twister_u32(random->twister) >> 6;
  return ((double)high * 67108864.0 + (double)low) / 9007199254740992.0;
}

int64_t coh_env_below_slow(coh_env_random *random, int64_t n) {
  if (!random->twister) return coh_stream_below(&random->stream, n);
  if (n <= 1) return 0;
  uint32_t largest = (uint32_t)(n - 1), mask = largest;
  for (int shift = 1; shift < 32; shift *= 2)
    mask |= mask >> shift;
  uint32_t draw;
  do {
    draw = coh_twister_u32(random->twister) & mask;
  } while (draw > largest);
  return draw;
}

void coh_env_blocks(int64_t n, const coh_env_head *heads, uint32_t (*blocks)[4]) {

  for (int64_t i = 0; i < n; i++) {
    uint64_t tick = heads[i].tick;
    uint32_t counter[4] = {0, (uint32_t)tick, (uint32_t)(tick >> 32), heads[i].entity};
    coh_philox(heads[i].key, counter, blocks[i]);
  }
}
