/* Counter-based randomness: Philox 4x32-10.
 *
 * A draw is a pure function of (seed, purpose, entity, step, draw): there is no generator
 * state to save, and nothing depends on which rank or thread asks.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
#ifndef COHORT_RANDOM_H
#define COHORT_RANDOM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A key: one independent family of streams. */
typedef struct coh_key {
  uint32_t word[2];
} coh_key;

/* Make the key of a purpose under a run's seed. purpose: a fixed name such as "epsilon";
 * different names give unrelated keys. Not collective. */
coh_key coh_key_make(uint64_t seed, const char *purpose);

/* One Philox 4x32-10 block. counter, out: 4 words each; may alias. Not collective. */
void coh_philox(coh_key key, const uint32_t counter[4], uint32_t out[4]);

/* A cursor over the draws of one (entity, step). Plain data: copy it to branch. */
typedef struct coh_stream {
  coh_key key;
  uint32_t counter[4]; /* draw block, step low, step high, entity */
  uint32_t block[4];
  uint32_t used; /* words of block already given, 4 = block is empty */
} coh_stream;

/* Start the stream of an entity (lane, environment, row ...) at a step. Not collective. */
coh_stream coh_stream_begin(coh_key key, uint32_t entity, uint64_t step);

/* Next 32 or 64 uniform bits. */
uint32_t coh_stream_u32(coh_stream *stream);
uint64_t coh_stream_u64(coh_stream *stream);

/* The next n draws of coh_stream_u32, many blocks at a time. */
void coh_stream_fill(coh_stream *stream, int64_t n, uint32_t *out);

/* Next uniform double in [0, 1), 53 bits. */
double coh_stream_uniform(coh_stream *stream);

/* Next unbiased integer in [0, n), 1 <= n < 2^63 (rejection: draws vary in number). */
int64_t coh_stream_below(coh_stream *stream, int64_t n);

/* Next standard normal (Box-Muller, the cosine branch; two uniforms a draw). */
double coh_stream_normal(coh_stream *stream);

#ifdef __cplusplus
}
#endif
#endif
