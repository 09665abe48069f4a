/* The half of gymnasium_exact.py that runs in C.
 *     gymnasium_trace NAME N_STATE < state, actions > records
 * state: N_STATE doubles, the state of a classic control problem to start from; actions: one
 * byte each. With a third argument `each`, every action is preceded by the state to take it in.
 * A record is the observation's floats, the reward, terminated and truncated.
 *     gymnasium_trace NAME rates OPTIONS POSITION ACTION N
 * takes N times the same move from a cell of a grid and prints each outcome with its count:
 * cell, reward, terminated, count. OPTIONS: "4x4,1" (frozen_lake: map, slippery) or "1". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env/env_type.h"

enum { BATCH = 1000, MAX_CELLS = 64, MAX_BYTES = 4096 };

static int fail(void) {
  fprintf(stderr, "gymnasium_trace: %s\n", coh_error_message());
  return 1;
}

/* Overwrite the type's own part of an environment's state, which ends the saved bytes. */
static coh_status set_state(coh_env *env, int64_t index, const void *state, size_t n_bytes) {
  _Alignas(64) uint8_t saved[MAX_BYTES];
  coh_env_save(env, index, saved);
  memcpy(saved + coh_env_state_bytes(env) - n_bytes, state, n_bytes);
  return coh_env_load(env, index, saved);
}

static int trace(const char *name, size_t n_state, bool each) {
  double state[8];
  uint8_t terminated = 0, truncated = 0;
  float row[8], reward;
  coh_env *env;
  if (n_state > 8 || fread(state, sizeof state[0], n_state, stdin) != n_state) return 2;
  if (coh_env_create_named(name, 1, 0, 0, &env) != COH_OK) return fail();
  coh_env_reset(env, row);
  if (set_state(env, 0, state, n_state * sizeof state[0]) != COH_OK) return fail();
  for (int letter = getchar(); letter != EOF; letter = getchar()) {
    int32_t action = letter;
    if (coh_env_step(env, &action, row, &reward, &terminated, &truncated) != COH_OK)
      return fail();
    fwrite(row, 1, coh_env_spec_of(env)->observation_bytes, stdout);
    fwrite(&reward, sizeof reward, 1, stdout);
    fwrite(&terminated, 1, 1, stdout);
    fwrite(&truncated, 1, 1, stdout);
    if (!each || fread(state, sizeof state[0], n_state, stdin) != n_state) continue;
    coh_env_reset(env, row);
    if (set_state(env, 0, state, n_state * sizeof state[0]) != COH_OK) return fail();
  }
  coh_env_destroy(&env);
  return 0;
}

static coh_status make(const char *name, const char *options, coh_env **env) {
  char text[128], size[8] = "4x4";
  const char *comma = strchr(options, ',');
  if (comma) snprintf(size, sizeof size, "%.*s", (int)(comma - options), options);
  snprintf(text, sizeof text, "{slippery: %s%s%s}",
           strcmp(comma ? comma + 1 : options, "1") == 0 ? "true" : "false",
           comma ? ", map: " : "", comma ? size : "");
  coh_config *config;
  COH_TRY(coh_config_parse("options", text, strlen(text), &config));
  coh_choice choice = {.kind = coh_kind_find(&coh_env_kinds, name)};
  uint64_t storage[16] = {0};
  COH_CHECK(choice.kind && choice.kind->options_size <= sizeof storage, COH_E_CONFIG, "%s?",
            name);
  COH_TRY(coh_options_fill(choice.kind->options, config, storage));
  choice.options = storage;
  coh_status status = coh_env_create(&choice, BATCH, 0, 7, env);
  coh_options_clear(choice.kind->options, storage);
  coh_config_destroy(&config);
  return status;
}

static int64_t lit_bit(const uint8_t *row) {
  int64_t k = 0;
  while (!(row[k / 8] >> k % 8 & 1))
    k++;
  return k;
}

static int rates(char **argv) {
  static uint8_t rows[BATCH * MAX_CELLS / 8], terminated[BATCH], truncated[BATCH];
  static float rewards[BATCH];
  static int32_t actions[BATCH];
  static int64_t count[MAX_CELLS][2];
  static float reward_of[MAX_CELLS][2];
  coh_env *env;
  int64_t position = strtoll(argv[4], NULL, 10), n = strtoll(argv[6], NULL, 10);
  if (make(argv[1], argv[3], &env) != COH_OK) return fail();
  size_t row_bytes = coh_env_spec_of(env)->observation_bytes;
  for (int64_t i = 0; i < BATCH; i++)
    actions[i] = (int32_t)strtol(argv[5], NULL, 10);
  coh_env_reset(env, rows);
  for (int64_t done = 0; done < n; done += BATCH) {
    coh_env_reset_ended(env, rows);
    for (int64_t i = 0; i < BATCH; i++)
      if (set_state(env, i, &position, sizeof position) != COH_OK) return fail();
    if (coh_env_step(env, actions, rows, rewards, terminated, truncated) != COH_OK)
      return fail();
    for (int64_t i = 0; i < BATCH; i++) {
      int64_t cell = lit_bit(rows + (size_t)i * row_bytes);
      // a fall off the cliff may end where a step does too: the reward tells them apart
      int kind = rewards[i] < -50.0f;
      count[cell][kind] += terminated[i] ? (int64_t)1 << 40 : 1;
      reward_of[cell][kind] = rewards[i];
    }
  }
  for (int64_t cell = 0; cell < MAX_CELLS; cell++)
    for (int kind = 0; kind < 2; kind++)
      if (count[cell][kind])
        printf(
            "%lld %g %d %lld\n", (long long)cell, (double)reward_of[cell][kind],
            count[cell][kind] >> 40 ? 1 : 0,
            (long long)(count[cell][kind] >> 40 ? count[cell][kind] >> 40 : count[cell][kind]));
  coh_env_destroy(&env);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 || (argc == 4 && strcmp(argv[3], "each") == 0))
    return trace(argv[1], strtoul(argv[2], NULL, 10), argc == 4);
  if (argc == 7 && strcmp(argv[2], "rates") == 0) return rates(argv);
  fprintf(stderr,
          "usage: gymnasium_trace NAME N_STATE [each] | NAME rates OPTIONS CELL ACTION N\n");
  return 2;
}
