/* Batches of environments: what all types share. Owns the states, the heads (identity, lifetime
 * tick, age), time limits and save/load; the type's step is called once a tile of the batch.
 *
 * A saved state is the head, the type's state and, with the legacy generator, the twister. */
#include "cohort/env.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "env/env_type.h"

struct coh_env {
  const coh_env_type *type;
  coh_env_spec spec;
  void *model;
  int64_t n_envs;
  uint64_t tag;
  coh_env_head *heads;   /* n_envs */
  uint8_t *idle;         /* n_envs: 1 where a reset is due */
  uint8_t *states;       /* n_envs x type->state_bytes */
  coh_twister *twisters; /* n_envs, or NULL: Philox */
};

static void *state_of(const coh_env *env, int64_t i) {
  return env->states + (size_t)i * env->type->state_bytes;
}

/* States fit another batch when the type and the shape of its problem agree. */
static uint64_t tag_of(const coh_env *env) {
  const char *name = env->type->kind.name;
  int64_t shape[] = {(int64_t)env->type->state_bytes, env->spec.n_values, env->spec.n_actions,
                     env->twisters != NULL};
  return coh_checksum_fold(coh_checksum(name, strlen(name)), shape, sizeof shape);
}

/* ---------------------------------------------------------------------- create, destroy -- */

static void complete_spec(coh_env *env) {
  coh_env_spec *spec = &env->spec;
  spec->n_values = 1;
  for (int i = 0; i < 3; i++) {
    if (i >= spec->n_dims) spec->shape[i] = 1;
    spec->n_values *= spec->shape[i];
  }
  spec->observation_bytes = spec->observation == COH_OBSERVATION_BINARY
                                ? (size_t)(spec->n_values + 7) / 8
                                : (size_t)spec->n_values * sizeof(float);
  spec->doc = env->type->kind.doc;
}

static coh_status fill(coh_env *env, const void *options, int64_t first, uint64_t seed,
                       bool legacy) {
  COH_TRY(env->type->prepare(options, &env->spec, &env->model));
  complete_spec(env);
  COH_NEW(env->heads, env->n_envs);
  COH_NEW(env->idle, env->n_envs);
  env->states = coh_alloc_array((size_t)env->n_envs, env->type->state_bytes);
  COH_CHECK(env->states, COH_E_MEMORY, "out of memory for %lld environments of '%s'",
            (long long)env->n_envs, env->type->kind.name);
  if (legacy) COH_NEW(env->twisters, env->n_envs);
  env->tag = tag_of(env);
  coh_key key = coh_key_make(seed, "env");
  for (int64_t i = 0; i < env->n_envs; i++) {
    env->heads[i] =
        (coh_env_head){.tag = env->tag, .key = key, .entity = (uint32_t)(first + i)};
    env->idle[i] = 1;
    if (legacy) coh_twister_seed(&env->twisters[i], (uint32_t)(seed + (uint64_t)i));
  }
  return COH_OK;
}

static coh_status create(const coh_choice *choice, int64_t n_envs, int64_t first, uint64_t seed,
                         bool legacy, coh_env **out) {
  COH_CHECK(n_envs >= 1, COH_E_CONFIG, "a batch needs at least 1 environment, not %lld",
            (long long)n_envs);
  COH_CHECK(first >= 0 && first <= (int64_t)UINT32_MAX + 1 - n_envs, COH_E_CONFIG,
            "environments %lld to %lld: indices must lie within 0 to 2^32 - 1",
            (long long)first, (long long)(first + n_envs - 1));
  coh_env *env;
  COH_NEW(env, 1);
  env->type = (const coh_env_type *)choice->kind;
  env->n_envs = n_envs;
  coh_status status = fill(env, choice->options, first, seed, legacy);
  if (status != COH_OK) {
    coh_env_destroy(&env);
    return status;
  }
  *out = env;
  return COH_OK;
}

coh_status coh_env_create(const coh_choice *choice, int64_t n_envs, int64_t first,
                          uint64_t seed, coh_env **env) {
  return create(choice, n_envs, first, seed, false, env);
}

coh_status coh_env_create_legacy(const coh_choice *choice, int64_t n_envs, uint64_t seed,
                                 coh_env **env) {
  return create(choice, n_envs, 0, seed, true, env);
}

coh_status coh_env_create_named(const char *name, int64_t n_envs, int64_t first, uint64_t seed,
                                coh_env **env) {
  coh_choice choice = {0};
  COH_TRY(coh_choice_make(&coh_env_kinds, name, &choice));
  coh_status status = coh_env_create(&choice, n_envs, first, seed, env);
  coh_choice_clear(&choice);
  return status;
}

void coh_env_destroy(coh_env **env) {
  if (!*env) return;
  if ((*env)->type->release)
    (*env)->type->release((*env)->model);
  else
    coh_free((*env)->model);
  coh_free((*env)->heads);
  coh_free((*env)->idle);
  coh_free((*env)->states);
  coh_free((*env)->twisters);
  COH_DELETE(*env);
}

const coh_env_spec *coh_env_spec_of(const coh_env *env) {
  return &env->spec;
}

int64_t coh_env_count(const coh_env *env) {
  return env->n_envs;
}

int64_t coh_env_age(const coh_env *env, int64_t index) {
  return env->heads[index].age;
}

/* -------------------------------------------------------------------------------- reset -- */

static void reset_one(coh_env *env, int64_t i, uint8_t *rows) {
  uint32_t block[1][4];
  coh_env_randomness source = {.heads = &env->heads[i], .blocks = (const uint32_t(*)[4])block};
  if (env->twisters)
    source.twisters = &env->twisters[i];
  else
    coh_env_blocks(1, source.heads, block);
  coh_env_random random = coh_env_random_of(&source, 0);
  env->type->reset(env->model, state_of(env, i), &random);
  env->heads[i].tick++;
  env->heads[i].age = 0;
  env->idle[i] = 0;
  env->type->observe(env->model, state_of(env, i),
                     rows + (size_t)i * env->spec.observation_bytes);
}

void coh_env_reset(coh_env *env, void *observations) {
  for (int64_t i = 0; i < env->n_envs; i++)
    reset_one(env, i, observations);
}

int64_t coh_env_reset_ended(coh_env *env, void *observations) {
  int64_t n_restarted = 0;
  const uint8_t *found, *end = env->idle + env->n_envs;
  for (const uint8_t *from = env->idle; from < end; from = found + 1) {
    found = memchr(from, 1, (size_t)(end - from));
    if (!found) break;
    reset_one(env, found - env->idle, observations);
    n_restarted++;
  }
  return n_restarted;
}

/* --------------------------------------------------------------------------------- step -- */

static coh_status check_step(const coh_env *env, const int32_t *actions) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < env->n_envs; i++)
    largest = (uint32_t)actions[i] > largest ? (uint32_t)actions[i] : largest;
  COH_CHECK(largest < (uint64_t)env->spec.n_actions, COH_E_INTERNAL,
            "action %d given to '%s', which has actions 0 to %lld", (int)(int32_t)largest,
            env->type->kind.name, (long long)env->spec.n_actions - 1);
  const uint8_t *idle = memchr(env->idle, 1, (size_t)env->n_envs);
  COH_CHECK(!idle, COH_E_INTERNAL, "environment %lld of '%s' was stepped without a reset",
            (long long)(idle - env->idle), env->type->kind.name);
  return COH_OK;
}

/* Count the step, and truncate at the time limit what has not ended by itself. */
static void finish_step(coh_env *env, const uint8_t *terminated, uint8_t *truncated) {
  int64_t limit = env->spec.time_limit ? env->spec.time_limit : INT64_MAX;
  for (int64_t i = 0; i < env->n_envs; i++) {
    coh_env_head *head = &env->heads[i];
    head->tick++;
    head->age++;
    truncated[i] = (uint8_t)((head->age >= limit) & !terminated[i]);
    env->idle[i] = terminated[i] | truncated[i];
  }
}

coh_status coh_env_step(coh_env *env, const int32_t *actions, void *observations,
                        float *rewards, uint8_t *terminated, uint8_t *truncated) {
  COH_TRY(check_step(env, actions));
  uint8_t *rows = observations;
  for (int64_t begin = 0; begin < env->n_envs; begin += COH_ENV_TILE) {
    int64_t n = env->n_envs - begin < COH_ENV_TILE ? env->n_envs - begin : COH_ENV_TILE;
    uint32_t blocks[COH_ENV_TILE][4];
    coh_env_slice slice = {
        .model = env->model,
        .n = n,
        .states = state_of(env, begin),
        .actions = actions + begin,
        .randomness = {.heads = env->heads + begin, .blocks = (const uint32_t(*)[4])blocks},
        .observations = rows + (size_t)begin * env->spec.observation_bytes,
        .observation_bytes = env->spec.observation_bytes,
        .rewards = rewards + begin,
        .terminated = terminated + begin,
    };
    if (env->twisters)
      slice.randomness.twisters = env->twisters + begin;
    else if (env->type->step_draws)
      coh_env_blocks(n, slice.randomness.heads, blocks);
    env->type->step(&slice);
  }
  finish_step(env, terminated, truncated);
  return COH_OK;
}

void coh_env_observe(const coh_env *env, void *observations) {
  uint8_t *rows = observations;
  for (int64_t i = 0; i < env->n_envs; i++)
    env->type->observe(env->model, state_of(env, i),
                       rows + (size_t)i * env->spec.observation_bytes);
}

void coh_env_render(const coh_env *env, int64_t index, uint8_t *rgb) {
  coh_canvas canvas = {rgb, env->spec.render_width, env->spec.render_height};
  env->type->render(env->model, state_of(env, index), &canvas);
}

/* --------------------------------------------------------------------------- save, load -- */

size_t coh_env_state_bytes(const coh_env *env) {
  return sizeof(coh_env_head) + env->type->state_bytes +
         (env->twisters ? sizeof(coh_twister) : 0);
}

void coh_env_save(const coh_env *env, int64_t index, void *state) {
  uint8_t *to = state;
  coh_env_head head = env->heads[index];
  head.idle = env->idle[index];
  memcpy(to, &head, sizeof head);
  memcpy(to + sizeof head, state_of(env, index), env->type->state_bytes);
  if (env->twisters)
    memcpy(to + sizeof head + env->type->state_bytes, &env->twisters[index],
           sizeof(coh_twister));
}

coh_status coh_env_load(coh_env *env, int64_t index, const void *state) {
  const uint8_t *from = state;
  size_t state_bytes = env->type->state_bytes;
  coh_env_head head;
  memcpy(&head, from, sizeof head);
  COH_CHECK(head.tag == env->tag, COH_E_CHECKPOINT,
            "a saved environment state is not of '%s' with these options",
            env->type->kind.name);
  // looked at in an aligned copy, so that a damaged one changes nothing
  _Alignas(64) uint8_t copy[COH_ENV_MAX_STATE_BYTES];
  memcpy(copy, from + sizeof head, state_bytes);
  COH_CHECK(head.idle <= 1 && head.age >= 0 && env->type->valid(env->model, copy),
            COH_E_CHECKPOINT, "a saved environment state of '%s' is damaged",
            env->type->kind.name);
  memcpy(state_of(env, index), copy, state_bytes);
  if (env->twisters)
    memcpy(&env->twisters[index], from + sizeof head + state_bytes, sizeof(coh_twister));
  env->idle[index] = (uint8_t)head.idle;
  head.idle = 0;
  env->heads[index] = head;
  return COH_OK;
}
