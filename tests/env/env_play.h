/* A batch with its arrays, played with reproducible actions: what the tests of env/ share. */
#ifndef COHORT_TESTS_ENV_PLAY_H
#define COHORT_TESTS_ENV_PLAY_H

#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "cohort_test.h"
#include "env/env_type.h"

typedef struct env_play {
  coh_env *env;
  const coh_env_spec *spec;
  int64_t n, first, t;
  uint8_t *rows, *terminated, *truncated;
  float *rewards;
  int32_t *actions;
} env_play;

static inline env_play play_begin(const char *name, int64_t n, int64_t first, uint64_t seed) {
  env_play play = {.n = n, .first = first};
  assert_ok(coh_env_create_named(name, n, first, seed, &play.env));
  play.spec = coh_env_spec_of(play.env);
  play.rows = coh_alloc_array((size_t)n, play.spec->observation_bytes);
  play.terminated = coh_alloc_array((size_t)n, 1);
  play.truncated = coh_alloc_array((size_t)n, 1);
  play.rewards = coh_alloc_array((size_t)n, sizeof(float));
  play.actions = coh_alloc_array((size_t)n, sizeof(int32_t));
  coh_env_reset(play.env, play.rows);
  return play;
}

static inline void play_end(env_play *play) {
  coh_free(play->rows);
  coh_free(play->terminated);
  coh_free(play->truncated);
  coh_free(play->rewards);
  coh_free(play->actions);
  coh_env_destroy(&play->env);
}

/* Step once. The action of an environment depends on its global index and the time only. */
static inline void play_step(env_play *play) {
  coh_key key = coh_key_make(99, "actions");
  for (int64_t i = 0; i < play->n; i++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)(play->first + i), (uint64_t)play->t);
    play->actions[i] = (int32_t)coh_stream_below(&stream, play->spec->n_actions);
  }
  play->t++;
  assert_ok(coh_env_step(play->env, play->actions, play->rows, play->rewards, play->terminated,
                         play->truncated));
}

static inline uint8_t *play_row(const env_play *play, int64_t i) {
  return play->rows + (size_t)i * play->spec->observation_bytes;
}

/* Environment i of a and environment j of b saw the same. */
static inline void assert_same(const env_play *a, int64_t i, const env_play *b, int64_t j) {
  assert_memory_equal(play_row(a, i), play_row(b, j), a->spec->observation_bytes);
  assert_memory_equal(&a->rewards[i], &b->rewards[j], sizeof(float));
  assert_int_equal(a->terminated[i], b->terminated[j]);
  assert_int_equal(a->truncated[i], b->truncated[j]);
}

#endif
