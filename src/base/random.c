/* Philox 4x32-10 and the draws that are made of it.
 * Source: Salmon et al., SC 2011; key constants are the golden ratio and sqrt(3) - 1. */
#include "cohort/random.h"

#include <math.h>
#include <string.h>

static const uint32_t multiplier[2] = {0xD2511F53u, 0xCD9E8D57u};
static const uint32_t weyl[2] = {0x9E3779B9u, 0xBB67AE85u};

void coh_philox(coh_key key, const uint32_t counter[4], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key.word[0], k1 = key.word[1];
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)multiplier[0] * c0;
    uint64_t p1 = (uint64_t)multiplier[1] * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    k0 += weyl[0];
    k1 += weyl[1];
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* The finaliser of SplitMix64: a bijection that spreads every input bit. */
static uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

coh_key coh_key_make(uint64_t seed, const char *purpose) {
  uint64_t key = mix(seed);
  for (const char *letter = purpose; *letter; letter++)
    key = mix(key ^ (uint64_t)(unsigned char)*letter);
  return (coh_key){{(uint32_t)key, (uint32_t)(key >> 32)}};
}

coh_stream coh_stream_begin(coh_key key, uint32_t entity, uint64_t step) {
  return (coh_stream){
      .key = key,
      .counter = {0, (uint32_t)step, (uint32_t)(step >> 32), entity},
      .used = 4,
  };
}

uint32_t coh_stream_u32(coh_stream *stream) {
  if (stream->used == 4) {
    coh_philox(stream->key, stream->counter, stream->block);
    stream->counter[0]++;
    stream->used = 0;
  }
  return stream->block[stream->used++];
}

// blocks of counter[0] and the next: a lane of each loop is a block, so that they go as vectors
enum { TOGETHER = 32 }; // compilers unroll fewer before they would make vectors of them
static void philox_many(coh_key key, const uint32_t counter[4], uint32_t *out) {
  uint32_t c0[TOGETHER], c1[TOGETHER], c2[TOGETHER], c3[TOGETHER];
  for (uint32_t i = 0; i < TOGETHER; i++) {
    c0[i] = counter[0] + i;
    c1[i] = counter[1], c2[i] = counter[2], c3[i] = counter[3];
  }
  uint32_t k0 = key.word[0], k1 = key.word[1];
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < TOGETHER; i++) {
      uint64_t p0 = (uint64_t)multiplier[0] * c0[i];
      uint64_t p1 = (uint64_t)multiplier[1] * c2[i];
      c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
      c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
      c1[i] = (uint32_t)p1;
      c3[i] = (uint32_t)p0;
    }
    k0 += weyl[0];
    k1 += weyl[1];
  }
  for (int i = 0; i < TOGETHER; i++) {
    out[4 * i] = c0[i], out[4 * i + 1] = c1[i];
    out[4 * i + 2] = c2[i], out[4 * i + 3] = c3[i];
  }
}

void coh_stream_fill(coh_stream *stream, int64_t n, uint32_t *out) {
  int64_t i = 0;
  while (i < n && stream->used < 4)
    out[i++] = stream->block[stream->used++];
  for (; i + 4 * TOGETHER <= n; i += 4 * TOGETHER) {
    philox_many(stream->key, stream->counter, out + i);
    stream->counter[0] += TOGETHER;
  }
  while (i < n)
    out[i++] = coh_stream_u32(stream);
}

uint64_t coh_stream_u64(coh_stream *stream) {
  uint64_t low = coh_stream_u32(stream);
  return low | (uint64_t)coh_stream_u32(stream) << 32;
}

double coh_stream_uniform(coh_stream *stream) {
  return (double)(coh_stream_u64(stream) >> 11) * 0x1p-53;
}

int64_t coh_stream_below(coh_stream *stream, int64_t n) {
  // draws beyond the largest multiple of n would favour small results
  uint64_t bound = (uint64_t)n;
  uint64_t excess = (UINT64_MAX % bound + 1) % bound;
  uint64_t draw;
  do {
    draw = coh_stream_u64(stream);
  } while (draw > UINT64_MAX - excess);
  return (int64_t)(draw % bound);
}

double coh_stream_normal(coh_stream *stream) {
  double radius = sqrt(-2.0 * log(1.0 - coh_stream_uniform(stream)));
  return radius * cos(6.283185307179586476925 * coh_stream_uniform(stream));
}
