/* The batch: what it refuses, and expanding observations. */
#include "env_play.h"

static void env_create_names_what_is_wrong(void **state) {
  (void)state;
  coh_env *env = NULL;
  assert_fails(coh_env_create_named("cartpoel", 1, 0, 0, &env), COH_E_CONFIG, "cartpole");
  assert_fails(coh_env_create_named("cartpole", 0, 0, 0, &env), COH_E_CONFIG, "at least 1");
  assert_fails(coh_env_create_named("cartpole", 2, UINT32_MAX, 0, &env), COH_E_CONFIG, "2^32");
  assert_fails(coh_env_create_named("cartpole", 1, -1, 0, &env), COH_E_CONFIG, "2^32");
  assert_null(env);
  coh_env_destroy(&env);
  assert_ok(coh_env_create_named("cartpole", 1, UINT32_MAX, 0, &env));
  coh_env_destroy(&env);
  assert_null(env);
}

static void env_step_refuses_bad_actions(void **state) {
  (void)state;
  env_play play = play_begin("cartpole", 3, 0, 0);
  float row[12];
  memcpy(row, play.rows, sizeof row);
  const int32_t bad[] = {2, -1, INT32_MAX, INT32_MIN};
  for (int k = 0; k < 4; k++) {
    play.actions[1] = bad[k];
    assert_fails(coh_env_step(play.env, play.actions, play.rows, play.rewards, play.terminated,
                              play.truncated),
                 COH_E_INTERNAL, "cartpole");
  }
  coh_env_observe(play.env, play.rows);
  assert_memory_equal(row, play.rows, sizeof row);
  play_end(&play);
}

static void env_step_needs_a_reset_first(void **state) {
  (void)state;
  coh_env *env;
  int32_t action = 0;
  float row[4], reward;
  uint8_t terminated, truncated;
  assert_ok(coh_env_create_named("cartpole", 1, 0, 0, &env));
  assert_fails(coh_env_step(env, &action, row, &reward, &terminated, &truncated),
               COH_E_INTERNAL, "without a reset");
  assert_int_equal(coh_env_reset_ended(env, row), 1);
  assert_ok(coh_env_step(env, &action, row, &reward, &terminated, &truncated));
  coh_env_destroy(&env);
}

static void env_load_refuses_another_environments_state(void **state) {
  (void)state;
  env_play a = play_begin("minatar_breakout", 1, 0, 0),
           b = play_begin("minatar_asterix", 1, 0, 0);
  uint8_t saved[4096];
  coh_env_save(a.env, 0, saved);
  assert_fails(coh_env_load(b.env, 0, saved), COH_E_CHECKPOINT, "minatar_asterix");
  play_end(&a);
  play_end(&b);
}

/* Against single bits, for widths around the sizes of the fast paths. */
static void env_expand_gives_the_bits_in_order(void **state) {
  (void)state;
  enum { ROWS = 3, MAX_VALUES = 1100 };
  static uint8_t bits[ROWS * (MAX_VALUES + 7) / 8 + ROWS];
  static float values[ROWS * MAX_VALUES + 1];
  coh_stream stream = coh_stream_begin(coh_key_make(1, "bits"), 0, 0);
  for (size_t k = 0; k < sizeof bits; k++)
    bits[k] = (uint8_t)coh_stream_u32(&stream);
  static const int64_t widths[] = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 400, 600, 700, 1000};
  for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
    coh_env_spec spec = {.observation = COH_OBSERVATION_BINARY,
                         .n_values = widths[w],
                         .observation_bytes = (size_t)(widths[w] + 7) / 8};
    values[ROWS * widths[w]] = 42.0f;
    coh_env_expand(&spec, ROWS, bits, values);
    for (int64_t i = 0; i < ROWS; i++)
      for (int64_t k = 0; k < widths[w]; k++) {
        int bit = bits[(size_t)i * spec.observation_bytes + (size_t)k / 8] >> k % 8 & 1;
        assert_true(values[i * widths[w] + k] == (float)bit);
      }
    assert_true(values[ROWS * widths[w]] == 42.0f);
  }
}

static void env_expand_copies_reals(void **state) {
  (void)state;
  coh_env_spec spec = {
      .observation = COH_OBSERVATION_REAL, .n_values = 3, .observation_bytes = 12};
  const float rows[6] = {1.5f, -2.0f, 3.0f, 4.0f, 5.0f, 6.25f};
  float values[6];
  coh_env_expand(&spec, 2, rows, values);
  assert_memory_equal(rows, values, sizeof rows);
}

static void env_frees_what_it_allocates(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(env_create_names_what_is_wrong),
      cmocka_unit_test(env_step_refuses_bad_actions),
      cmocka_unit_test(env_step_needs_a_reset_first),
      cmocka_unit_test(env_load_refuses_another_environments_state),
      cmocka_unit_test(env_expand_gives_the_bits_in_order),
      cmocka_unit_test(env_expand_copies_reals),
      cmocka_unit_test(env_frees_what_it_allocates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
