/* How an environment is written: one file in envs/ that defines a coh_env_type, and one line in
 * env.def. The batch (env.c) does what all share: counting steps, time limits, streams of
 * randomness, save and load. */
#ifndef COHORT_ENV_ENV_TYPE_H
#define COHORT_ENV_ENV_TYPE_H

#include <stdbool.h>

#include "cohort/env.h"
#include "env/env_random.h"
#include "env/pixel.h"

enum {
  COH_ENV_MAX_STATE_BYTES = 4096,
  COH_ENV_TILE = 64, /* most environments of a slice */
};

/* What a type's step works on: n <= COH_ENV_TILE environments of a batch, side by side. */
typedef struct coh_env_slice {
  const void *model; /* what prepare made */
  int64_t n;
  void *states;                  /* in/out: n states of state_bytes */
  const int32_t *actions;        /* in: n, within range */
  coh_env_randomness randomness; /* coh_env_random_of(&randomness, i) for environment i */
  uint8_t *observations;         /* out: n rows of observation_bytes */
  size_t observation_bytes;
  float *rewards;      /* out: n */
  uint8_t *terminated; /* out: n, 0 or 1 */
} coh_env_slice;

typedef struct coh_env_type {
  coh_kind kind;      /* first, so that a coh_kind of the registry casts to its type */
  size_t state_bytes; /* of one environment: plain data without pointers, a multiple of 8, at
                         most COH_ENV_MAX_STATE_BYTES */
  bool step_draws;    /* false: step draws no random numbers, only reset does */

  /* Check the options, fill the spec and make the model: what is constant for a batch (the
   * options in use, a map). options: borrowed for the call. spec: zeroed on entry; shape,
   * kind of observation, actions, limits and render size are to be filled. *model: one
   * coh_alloc block unless `release` is given; NULL allowed. */
  coh_status (*prepare)(const void *options, coh_env_spec *spec, void **model);
  void (*release)(void *model); /* NULL: coh_free */

  /* Begin an episode. state: in/out (zero before the first reset). */
  void (*reset)(const void *model, void *state, coh_env_random *random);

  /* Step every environment of the slice; writes all its outputs. */
  void (*step)(const coh_env_slice *slice);

  /* Write one observation row. */
  void (*observe)(const void *model, const void *state, uint8_t *row);

  /* Is every field within bounds? Guards indexing after a load. All zero must be valid. */
  bool (*valid)(const void *model, const void *state);

  /* Draw. The canvas has the spec's render size. */
  void (*render)(const void *model, const void *state, coh_canvas *canvas);
} coh_env_type;

/* A batch whose environments draw from NumPy's legacy generator, environment i seeded with
 * seed + i: what the Python packages do, so that they can be compared bit for bit.
 * Otherwise like coh_env_create. */
coh_status coh_env_create_legacy(const coh_choice *choice, int64_t n_envs, uint64_t seed,
                                 coh_env **env);

#endif
