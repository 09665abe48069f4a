/* The randomness of environments: Philox streams, or NumPy's legacy generator (MT19937) where
 * a reference implementation is reproduced bit for bit. A game draws from a coh_env_random and
 * does not know which it is.
 * Source: Matsumoto, Nishimura, "Mersenne Twister", ACM TOMACS 8, 1998. */
#ifndef COHORT_ENV_ENV_RANDOM_H
#define COHORT_ENV_ENV_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "cohort/random.h"

enum { COH_TWISTER_WORDS = 624 };

typedef struct coh_twister {
  uint32_t word[COH_TWISTER_WORDS];
  uint32_t used, reserved;
} coh_twister;

/* What all environments share: identity, count of lifetime draws, age. Part of a saved state.
 */
typedef struct coh_env_head {
  uint64_t tag;    /* of the type and its shape */
  uint64_t tick;   /* resets and steps in its whole life: the step of its streams */
  int64_t age;     /* steps of the current episode */
  coh_key key;     /* of the seed */
  uint32_t entity; /* global index */
  uint32_t idle;   /* 1: needs a reset; only current in saved states */
} coh_env_head;

/* Where the environments of a slice get their randomness from. */
typedef struct coh_env_randomness {
  const coh_env_head *heads;
  const uint32_t (*blocks)[4]; /* first Philox block of each environment's current stream */
  coh_twister *twisters;       /* NULL: Philox */
} coh_env_randomness;

typedef struct coh_env_random {
  coh_stream stream;
  coh_twister *twister; /* NULL: Philox */
} coh_env_random;

void coh_twister_seed(coh_twister *twister, uint32_t seed);
uint32_t coh_twister_u32(coh_twister *twister);

/* Compute the first Philox block of n environments' current streams; vectorises. */
void coh_env_blocks(int64_t n, const coh_env_head *heads, uint32_t (*blocks)[4]);

/* The randomness of environment i for its current step. */
static inline coh_env_random coh_env_random_of(const coh_env_randomness *from, int64_t i) {
  coh_env_random random = {.twister = NULL};
  if (from->twisters) {
    random.twister = &from->twisters[i];
    return random;
  }
  const coh_env_head *head = &from->heads[i];
  random.stream.key = head->key;
  random.stream.counter[0] = 1; // block 0 is at hand
  random.stream.counter[1] = (uint32_t)head->tick;
  random.stream.counter[2] = (uint32_t)(head->tick >> 32);
  random.stream.counter[3] = head->entity;
  for (int k = 0; k < 4; k++)
    random.stream.block[k] = from->blocks[i][k];
  return random;
}

/* The slow ways: beyond the first block, or from the twister. */
double coh_env_uniform_slow(coh_env_random *random);
int64_t coh_env_below_slow(coh_env_random *random, int64_t n);

/* Next uniform double in [0, 1), 53 bits. */
static inline double coh_env_uniform(coh_env_random *random) {
  coh_stream *stream = &random->stream;
  if (random->twister || stream->used > 2) return coh_env_uniform_slow(random);
  uint64_t low = stream->block[stream->used], high = stream->block[stream->used + 1];
  stream->used += 2;
  return (double)((low | high << 32) >> 11) * 0x1p-53;
}

/* Next unbiased integer in [0, n). Draws nothing for n = 1 from the twister, like NumPy. */
static inline int64_t coh_env_below(coh_env_random *random, int64_t n) {
  return coh_env_below_slow(random, n);
}

/* Next uniform double in [low, high). */
static inline double coh_env_uniform_in(coh_env_random *random, double low, double high) {
  return low + (high - low) * coh_env_uniform(random);
}

#endif
