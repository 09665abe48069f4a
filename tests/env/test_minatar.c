/* The five games against hashes of what the Python package does. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort_test.h"
#include "env/env_type.h"
#include "env/minatar.h"
#include "minatar_hashes.h"

/* Fold bytes, padded with zeros to whole words, as tests/peers/minatar_exact.py does. */
static uint64_t fold(uint64_t hash, const uint8_t *bytes, size_t n_bytes) {
  for (size_t k = 0; k < n_bytes; k += 8) {
    uint64_t word = 0;
    memcpy(&word, bytes + k, n_bytes - k < 8 ? n_bytes - k : 8);
    hash ^= word;
    hash = (hash << 29 | hash >> 35) * 0x100000001B3u;
  }
  return hash;
}

static uint64_t fold_record(uint64_t hash, const uint8_t *row, size_t n_bytes, float reward,
                            uint8_t terminal) {
  uint8_t record[COH_MINATAR_MAX_ROW_BYTES + 8];
  if (n_bytes > COH_MINATAR_MAX_ROW_BYTES) return 0;
  memcpy(record, row, n_bytes);
  memcpy(record + n_bytes, &reward, sizeof reward);
  record[n_bytes + sizeof reward] = terminal;
  return fold(hash, record, n_bytes + sizeof reward + 1);
}

/* Make as if the episode had not ended. */
static void revive(coh_env *env) {
  _Alignas(64) static uint8_t saved[2 * COH_ENV_MAX_STATE_BYTES];
  coh_env_head head;
  assert_true(coh_env_state_bytes(env) <= sizeof saved);
  coh_env_save(env, 0, saved);
  memcpy(&head, saved, sizeof head);
  head.idle = 0;
  memcpy(saved, &head, sizeof head);
  assert_ok(coh_env_load(env, 0, saved));
}

/* The hash of all records of a run. actions: n_steps bytes, 0x80 added where a loss is undone.
 */
static uint64_t hash_of_run(const char *game, uint64_t seed, const uint8_t *actions,
                            int64_t n_steps) {
  char name[64] = "minatar_";
  coh_choice choice = {0};
  coh_env *env;
  uint8_t row[COH_MINATAR_MAX_ROW_BYTES], terminated, truncated;
  float reward;
  strncat(name, game, 32);
  assert_ok(coh_choice_make(&coh_env_kinds, name, &choice));
  assert_ok(coh_env_create_legacy(&choice, 1, seed, &env));
  coh_choice_clear(&choice);
  size_t n_bytes = coh_env_spec_of(env)->observation_bytes;
  coh_env_reset(env, row);
  uint64_t hash = fold_record(0xCBF29CE484222325u, row, n_bytes, 0.0f, 0);
  for (int64_t t = 0; t < n_steps; t++) {
    int32_t action = actions[t] & 0x7F;
    assert_ok(coh_env_step(env, &action, row, &reward, &terminated, &truncated));
    hash = fold_record(hash, row, n_bytes, reward, terminated);
    if (terminated && actions[t] & 0x80) revive(env);
    if (coh_env_reset_ended(env, row)) hash = fold_record(hash, row, n_bytes, 0.0f, 0);
  }
  coh_env_destroy(&env);
  return hash;
}

static void minatar_games_equal_the_python_package(void **state) {
  (void)state;
  static uint8_t actions[HASH_N_STEPS];
  for (size_t g = 0; g < sizeof minatar_hashes / sizeof minatar_hashes[0]; g++) {
    for (uint64_t seed = 0; seed < HASH_N_SEEDS; seed++) {
      uint64_t x = seed;
      for (int t = 0; t < HASH_N_STEPS; t++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        actions[t] = (uint8_t)((x >> 33) % 6);
      }
      if (hash_of_run(minatar_hashes[g].game, seed, actions, HASH_N_STEPS) !=
          minatar_hashes[g].hash[seed])
        fail_msg("%s differs from the Python package with seed %d", minatar_hashes[g].game,
                 (int)seed);
    }
  }
}

/* Full density and speed, cleared waves and walls, rescues. */
static void minatar_games_equal_the_python_package_far_into_a_run(void **state) {
  (void)state;
  enum { N_GAMES = sizeof minatar_play_hashes / sizeof minatar_play_hashes[0] };
  for (int g = 0; g < N_GAMES; g++) {
    char path[512];
    static uint8_t actions[HASH_N_STEPS];
    snprintf(path, sizeof path, "%s/tests/env/play/%s.actions", COHORT_SOURCE_DIR,
             minatar_play_hashes[g].game);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(actions, 1, sizeof actions, file), sizeof actions);
    fclose(file);
    if (hash_of_run(minatar_play_hashes[g].game, 3, actions, HASH_N_STEPS) !=
        minatar_play_hashes[g].hash)
      fail_msg("%s differs from the Python package", minatar_play_hashes[g].game);
  }
}

/* Steps until the first end of an episode in which the player does nothing. */
static int64_t steps_of_idling(const char *name, const char *options, bool *truncated) {
  coh_config *config;
  coh_choice choice = {.kind = coh_kind_find(&coh_env_kinds, name)};
  coh_minatar_options filled;
  assert_ok(coh_config_parse("options", options, strlen(options), &config));
  assert_ok(coh_options_fill(choice.kind->options, config, &filled));
  coh_config_destroy(&config);
  choice.options = &filled;
  coh_env *env;
  assert_ok(coh_env_create(&choice, 1, 0, 1, &env));
  uint8_t row[COH_MINATAR_MAX_ROW_BYTES], over = 0, cut = 0;
  float reward;
  int32_t action = COH_MINATAR_NONE;
  int64_t n_steps = 0;
  coh_env_reset(env, row);
  while (!over && !cut) {
    assert_ok(coh_env_step(env, &action, row, &reward, &over, &cut));
    n_steps++;
  }
  *truncated = cut;
  coh_env_destroy(&env);
  return n_steps;
}

static void minatar_freeway_terminates_after_2501_steps(void **state) {
  (void)state;
  bool truncated;
  assert_int_equal(steps_of_idling("minatar_freeway", "{}", &truncated), 2501);
  assert_false(truncated);
}

static void minatar_max_steps_truncates(void **state) {
  (void)state;
  bool truncated;
  assert_int_equal(steps_of_idling("minatar_freeway", "{max_steps: 100}", &truncated), 100);
  assert_true(truncated);
  assert_int_equal(steps_of_idling("minatar_seaquest", "{max_steps: 777}", &truncated), 777);
  assert_true(truncated);
  // an episode that ends by itself at the limit is terminated
  assert_int_equal(steps_of_idling("minatar_freeway", "{max_steps: 2501}", &truncated), 2501);
  assert_false(truncated);
}

/* With sticky = 1 the action before the first, none, is repeated for ever. */
static void minatar_sticky_actions_repeat(void **state) {
  (void)state;
  coh_minatar_options options = {.sticky = 1.0};
  coh_choice choice = {coh_kind_find(&coh_env_kinds, "minatar_breakout"), &options};
  coh_env *env;
  uint8_t first[COH_MINATAR_MAX_ROW_BYTES], row[COH_MINATAR_MAX_ROW_BYTES], over, cut;
  float reward;
  int32_t action = COH_MINATAR_LEFT;
  assert_ok(coh_env_create(&choice, 1, 0, 1, &env));
  coh_env_reset(env, first);
  assert_ok(coh_env_step(env, &action, row, &reward, &over, &cut));
  // the paddle is channel 0 on the bottom row: the last 40 bits
  for (int x = 0; x < 10; x++) {
    int bit = (90 + x) * 4;
    assert_int_equal(first[bit / 8] >> bit % 8 & 1, row[bit / 8] >> bit % 8 & 1);
  }
  coh_env_destroy(&env);
}

static void minatar_frees_what_it_allocates(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(minatar_games_equal_the_python_package),
      cmocka_unit_test(minatar_games_equal_the_python_package_far_into_a_run),
      cmocka_unit_test(minatar_freeway_terminates_after_2501_steps),
      cmocka_unit_test(minatar_max_steps_truncates),
      cmocka_unit_test(minatar_sticky_actions_repeat),
      cmocka_unit_test(minatar_frees_what_it_allocates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
