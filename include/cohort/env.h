/* Environments: batches of decision problems that are stepped in place.
 *
 * A coh_env holds n environments of one type. Calls write into the caller's arrays; nothing is
 * allocated after create. An environment never restarts by itself: step returns the true last
 * observation of an episode, and coh_env_reset_ended begins the next one when asked.
 * Terminated (the problem ended) and truncated (a time limit cut it) are never mixed up.
 *
 * Environment i of a batch is the run's environment first + i. Its randomness depends on the
 * seed, that global index and its own count of resets and steps only, so a run split over
 * batches, ranks or threads at any place gives the same bits.
 */
#ifndef COHORT_ENV_H
#define COHORT_ENV_H

#include <stddef.h>
#include <stdint.h>

#include "cohort/option.h"
#include "cohort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------- what it is like -- */

typedef enum coh_observation_kind {
  COH_OBSERVATION_REAL,   /* a row is n_values floats */
  COH_OBSERVATION_BINARY, /* a row is n_values bits: value k is bit k % 8 (1 << k % 8) of byte
                             k / 8; unused bits of the last byte are 0. The same order as
                             numpy.packbits(..., bitorder="little"). */
} coh_observation_kind;

/* What a batch is like. Constant during its life; all pointers are borrowed from it. */
typedef struct coh_env_spec {
  coh_observation_kind observation;
  int64_t n_dims;           /* 1: a vector; 3: planes, height x width x channels (NHWC) */
  int64_t shape[3];         /* n, 1, 1 or height, width, channels */
  int64_t n_values;         /* product of shape */
  size_t observation_bytes; /* of one row; rows lie one behind the other */
  int64_t n_actions;        /* actions are 0 .. n_actions - 1 */
  int64_t reward_low,
      reward_high; /* rewards are whole numbers of this range; equal: any real */
  const char *const *action_names;  /* n_actions */
  const char *const *channel_names; /* shape[2] of planes, shape[0] of real vectors, or NULL */
  int64_t time_limit;               /* steps after which an episode is truncated, 0: never */
  double solved_at; /* mean return at which it counts as solved; NaN: none agreed on */
  int64_t render_width, render_height; /* pixels */
  const char *doc;                     /* one sentence */
} coh_env_spec;

/* The registry: src/env/env.def. */
extern const coh_kind_set coh_env_kinds;

/* ---------------------------------------------------------------------------- the batch -- */

typedef struct coh_env coh_env;

/* Make a batch. choice: what an option row of type COH_KIND over coh_env_kinds fills; only read
 * during the call. n_envs: at least 1. first: global index of the batch's first environment;
 * first + n_envs <= 2^32. seed: the run's, or another one for evaluation.
 * Caller destroys *env; every environment needs a reset before its first step.
 * Not collective. Fails: COH_E_CONFIG (an option), COH_E_DATA (a map file), COH_E_MEMORY. */
coh_status coh_env_create(const coh_choice *choice, int64_t n_envs, int64_t first,
                          uint64_t seed, coh_env **env);

/* The same for a type with its default options, by name. Fails also: unknown name. */
coh_status coh_env_create_named(const char *name, int64_t n_envs, int64_t first, uint64_t seed,
                                coh_env **env);

/* Destroy a batch; accepts NULL, sets NULL. */
void coh_env_destroy(coh_env **env);

/* What the batch is like. Borrowed, valid until destroy. */
const coh_env_spec *coh_env_spec_of(const coh_env *env);

/* Number of environments in the batch. */
int64_t coh_env_count(const coh_env *env);

/* Begin an episode in every environment.
 * observations: out, n_envs rows. Not collective; allocates nothing. */
void coh_env_reset(coh_env *env, void *observations);

/* Take one action in every environment.
 * actions: in, n_envs. observations: out, n_envs rows, the observation after the action, also
 * when the episode ended with it. rewards: out, n_envs. terminated, truncated: out, n_envs,
 * 0 or 1, never both 1 (an episode that ends by itself at the time limit is terminated).
 * Not collective; allocates nothing.
 * Fails: COH_E_INTERNAL, nothing stepped: an action out of range, or an environment that has
 * ended (or was never reset). */
coh_status coh_env_step(coh_env *env, const int32_t *actions, void *observations,
                        float *rewards, uint8_t *terminated, uint8_t *truncated);

/* Begin a new episode in those environments whose episode has ended, and only there.
 * observations: in/out, n_envs rows; only the rows of restarted ones are written.
 * Returns how many were restarted. Not collective; allocates nothing. */
int64_t coh_env_reset_ended(coh_env *env, void *observations);

/* Write the current observations, changing nothing. observations: out, n_envs rows. */
void coh_env_observe(const coh_env *env, void *observations);

/* Number of steps so far in the current episode of environment `index` (of the batch). */
int64_t coh_env_age(const coh_env *env, int64_t index);

/* --------------------------------------------------------------------------- save, load -- */

/* Bytes of one environment's whole state: plain data in host byte order. */
size_t coh_env_state_bytes(const coh_env *env);

/* Copy the state of environment `index` out. state: out, coh_env_state_bytes bytes. */
void coh_env_save(const coh_env *env, int64_t index, void *state);

/* Put a saved state into environment `index`, which then continues bit for bit as the saved one
 * would have: its global index and random key come along. state: in, coh_env_state_bytes bytes.
 * Fails: COH_E_CHECKPOINT if the state is of another environment, other options that change
 * its shape, or out of bounds; the environment is then unchanged. */
coh_status coh_env_load(coh_env *env, int64_t index, const void *state);

/* ------------------------------------------------------------------------- for networks -- */

/* Expand n observation rows to floats: bits become 0 or 1, reals are copied.
 * observations: in, n rows as step writes them. values: out, n x spec->n_values. */
void coh_env_expand(const coh_env_spec *spec, int64_t n, const void *observations,
                    float *values);

/* --------------------------------------------------------------------------- for people -- */

/* Draw environment `index`. rgb: out, render_height x render_width x 3 bytes, rows from top. */
void coh_env_render(const coh_env *env, int64_t index, uint8_t *rgb);

#ifdef __cplusplus
}
#endif
#endif
