/* What every registered environment keeps to; found by walking the registry. */
#include <math.h>

#include "env_play.h"

enum { N = 70, N_STEPS = 700 }; /* more than one tile of the batch; beyond most time limits */

#define FOR_EVERY_ENVIRONMENT(name)                               \
  const char *name;                                               \
  for (int64_t kind_ = 0; kind_ < coh_env_kinds.n_kinds; kind_++) \
    if ((name = coh_env_kinds.kinds[kind_]->name) != NULL)

static void env_declares_itself_in_full(void **state) {
  (void)state;
  FOR_EVERY_ENVIRONMENT(name) {
    env_play play = play_begin(name, 1, 0, 1);
    const coh_env_spec *spec = play.spec;
    assert_true(spec->n_dims == 1 || spec->n_dims == 3);
    assert_int_equal(spec->n_values, spec->shape[0] * spec->shape[1] * spec->shape[2]);
    size_t bytes = spec->observation == COH_OBSERVATION_BINARY
                       ? (size_t)(spec->n_values + 7) / 8
                       : (size_t)spec->n_values * 4;
    assert_int_equal(spec->observation_bytes, bytes);
    assert_true(spec->n_actions >= 2 && spec->time_limit >= 0);
    for (int64_t k = 0; k < spec->n_actions; k++)
      assert_true(spec->action_names[k][0]);
    int64_t n_channels = spec->n_dims == 3 ? spec->shape[2] : spec->shape[0];
    for (int64_t k = 0; spec->channel_names && k < n_channels; k++)
      assert_true(spec->channel_names[k][0]);
    assert_true(strlen(spec->doc) > 10);
    assert_int_equal(coh_env_count(play.env), 1);
    const coh_env_type *type = (const coh_env_type *)coh_kind_find(&coh_env_kinds, name);
    assert_true(type->state_bytes % 8 == 0 && type->state_bytes <= COH_ENV_MAX_STATE_BYTES);
    play_end(&play);
  }
}

static void env_is_a_function_of_the_seed(void **state) {
  (void)state;
  FOR_EVERY_ENVIRONMENT(name) {
    env_play a = play_begin(name, N, 0, 7), b = play_begin(name, N, 0, 7);
    for (int t = 0; t < N_STEPS; t++) {
      play_step(&a);
      play_step(&b);
      for (int64_t i = 0; i < N; i++)
        assert_same(&a, i, &b, i);
      assert_int_equal(coh_env_reset_ended(a.env, a.rows), coh_env_reset_ended(b.env, b.rows));
      assert_memory_equal(a.rows, b.rows, N * a.spec->observation_bytes);
    }
    play_end(&a);
    play_end(&b);
  }
}

static void env_does_not_depend_on_the_split_of_the_batch(void **state) {
  (void)state;
  static const int64_t begin[] = {0, 1, 66, N};
  FOR_EVERY_ENVIRONMENT(name) {
    env_play whole = play_begin(name, N, 1000, 3), part[3];
    for (int p = 0; p < 3; p++)
      part[p] = play_begin(name, begin[p + 1] - begin[p], 1000 + begin[p], 3);
    for (int t = 0; t < N_STEPS / 2; t++) {
      play_step(&whole);
      for (int p = 0; p < 3; p++)
        play_step(&part[p]);
      for (int again = 0; again < 2; again++) { // before and after the restart of the ended
        for (int p = 0; p < 3; p++)
          for (int64_t i = 0; i < part[p].n; i++)
            assert_same(&whole, begin[p] + i, &part[p], i);
        coh_env_reset_ended(whole.env, whole.rows);
        for (int p = 0; p < 3; p++)
          coh_env_reset_ended(part[p].env, part[p].rows);
      }
    }
    play_end(&whole);
    for (int p = 0; p < 3; p++)
      play_end(&part[p]);
  }
}

/* Environments with different indices or seeds draw differently, where they draw at all. */
static void env_streams_differ(void **state) {
  (void)state;
  env_play a = play_begin("cartpole", 2, 0, 7), b = play_begin("cartpole", 2, 0, 8);
  size_t n_bytes = a.spec->observation_bytes;
  assert_memory_not_equal(play_row(&a, 0), play_row(&a, 1), n_bytes);
  assert_memory_not_equal(play_row(&a, 0), play_row(&b, 0), n_bytes);
  // a second reset is another draw
  uint8_t before[64];
  memcpy(before, play_row(&a, 0), n_bytes);
  coh_env_reset(a.env, a.rows);
  assert_memory_not_equal(before, play_row(&a, 0), n_bytes);
  play_end(&a);
  play_end(&b);
}

static void env_outputs_are_finite_and_in_shape(void **state) {
  (void)state;
  FOR_EVERY_ENVIRONMENT(name) {
    env_play play = play_begin(name, N, 0, 11);
    float *values = coh_alloc_array((size_t)N * (size_t)play.spec->n_values, sizeof(float));
    for (int t = 0; t < N_STEPS; t++) {
      memset(play.terminated, 7, N), memset(play.truncated, 7, N);
      memset(play.rewards, 0xFF, N * sizeof(float)); // not a number
      memset(play.rows, 0xFF, N * play.spec->observation_bytes);
      play_step(&play);
      coh_env_expand(play.spec, N, play.rows, values);
      bool binary = play.spec->observation == COH_OBSERVATION_BINARY;
      for (int64_t k = 0; k < N * play.spec->n_values; k++)
        assert_true(binary ? values[k] == 0.0f || values[k] == 1.0f : isfinite(values[k]));
      for (int64_t i = 0; i < N; i++) {
        assert_true(isfinite(play.rewards[i]));
        if (play.spec->reward_high > play.spec->reward_low) {
          float reward = play.rewards[i];
          assert_true(reward >= (float)play.spec->reward_low &&
                      reward <= (float)play.spec->reward_high && reward == rintf(reward));
        }
        assert_true(play.terminated[i] <= 1 && play.truncated[i] <= 1);
        assert_true(play.terminated[i] + play.truncated[i] <= 1);
        if (binary && play.spec->n_values % 8)
          assert_int_equal(play_row(&play, i)[play.spec->observation_bytes - 1] >>
                               play.spec->n_values % 8,
                           0);
      }
      coh_env_reset_ended(play.env, play.rows);
    }
    coh_free(values);
    play_end(&play);
  }
}

static void env_restarts_only_when_asked(void **state) {
  (void)state;
  FOR_EVERY_ENVIRONMENT(name) {
    env_play play = play_begin(name, N, 0, 5);
    uint8_t *rows = coh_alloc_array(N, play.spec->observation_bytes);
    for (int t = 0; t < N_STEPS; t++) {
      play_step(&play);
      int64_t n_ended = 0;
      // what step wrote is the state the environment is still in, ended or not
      coh_env_observe(play.env, rows);
      assert_memory_equal(rows, play.rows, N * play.spec->observation_bytes);
      for (int64_t i = 0; i < N; i++)
        n_ended += play.terminated[i] | play.truncated[i];
      if (n_ended) {
        assert_int_equal(coh_env_step(play.env, play.actions, play.rows, play.rewards,
                                      play.terminated, play.truncated),
                         COH_E_INTERNAL);
      }
      assert_int_equal(coh_env_reset_ended(play.env, rows), n_ended);
      for (int64_t i = 0; i < N; i++) {
        bool ended = play.terminated[i] | play.truncated[i];
        if (ended) assert_int_equal(coh_env_age(play.env, i), 0);
        if (!ended)
          assert_memory_equal(rows + (size_t)i * play.spec->observation_bytes,
                              play_row(&play, i), play.spec->observation_bytes);
      }
      assert_int_equal(coh_env_reset_ended(play.env, rows), 0);
    }
    coh_free(rows);
    play_end(&play);
  }
}

static void env_time_limit_truncates(void **state) {
  (void)state;
  FOR_EVERY_ENVIRONMENT(name) {
    env_play play = play_begin(name, N, 0, 2);
    int64_t age[N] = {0};
    for (int t = 0; t < N_STEPS; t++) {
      play_step(&play);
      for (int64_t i = 0; i < N; i++) {
        assert_int_equal(coh_env_age(play.env, i), ++age[i]);
        bool at_limit = play.spec->time_limit && age[i] == play.spec->time_limit;
        assert_int_equal(play.truncated[i], at_limit && !play.terminated[i]);
        if (play.truncated[i] | play.terminated[i]) age[i] = 0;
      }
      coh_env_reset_ended(play.env, play.rows);
    }
    play_end(&play);
  }
}

static void env_continues_exactly_after_load(void **state) {
  (void)state;
  FOR_EVERY_ENVIRONMENT(name) {
    env_play a = play_begin(name, N, 0, 7);
    for (int t = 0; t < 150; t++) {
      play_step(&a);
      if (t < 149) coh_env_reset_ended(a.env, a.rows); // some are saved in their end
    }
    // into another batch, seed and place
    env_play b = play_begin(name, 3, 500, 12345);
    static const int64_t from[] = {41, 0, 69};
    uint8_t *saved = coh_alloc_array(1, coh_env_state_bytes(a.env));
    for (int64_t j = 0; j < 3; j++) {
      coh_env_save(a.env, from[j], saved);
      assert_ok(coh_env_load(b.env, j, saved));
    }
    coh_env_observe(b.env, b.rows);
    for (int64_t j = 0; j < 3; j++)
      assert_memory_equal(play_row(&a, from[j]), play_row(&b, j), a.spec->observation_bytes);
    for (int t = 0; t < 300; t++) {
      coh_env_reset_ended(a.env, a.rows);
      coh_env_reset_ended(b.env, b.rows);
      play_step(&a);
      for (int64_t j = 0; j < 3; j++)
        b.actions[j] = a.actions[from[j]];
      assert_ok(coh_env_step(b.env, b.actions, b.rows, b.rewards, b.terminated, b.truncated));
      for (int64_t j = 0; j < 3; j++)
        assert_same(&a, from[j], &b, j);
    }
    coh_free(saved);
    play_end(&a);
    play_end(&b);
  }
}

/* Loads of damaged states are refused or harmless: never out of bounds (run under ASan). */
static void env_survives_damaged_states(void **state) {
  (void)state;
  coh_stream stream = coh_stream_begin(coh_key_make(1, "damage"), 0, 0);
  FOR_EVERY_ENVIRONMENT(name) {
    env_play play = play_begin(name, 1, 0, 7);
    size_t n_bytes = coh_env_state_bytes(play.env);
    uint8_t *saved = coh_alloc_array(2, n_bytes), *damaged = saved + n_bytes;
    uint8_t *rgb =
        coh_alloc_array((size_t)(play.spec->render_width * play.spec->render_height), 3);
    for (int t = 0; t < 100; t++) {
      play_step(&play);
      coh_env_reset_ended(play.env, play.rows);
    }
    coh_env_save(play.env, 0, saved);
    for (int trial = 0; trial < 300; trial++) {
      memcpy(damaged, saved, n_bytes);
      for (int k = 0; k < 1 + trial % 4; k++)
        damaged[sizeof(coh_env_head) +
                (size_t)coh_stream_below(&stream, (int64_t)(n_bytes - sizeof(coh_env_head)))] =
            (uint8_t)coh_stream_u32(&stream);
      if (coh_env_load(play.env, 0, damaged) != COH_OK) continue;
      if (trial % 50 == 0) coh_env_render(play.env, 0, rgb);
      for (int t = 0; t < 5; t++) {
        play_step(&play);
        coh_env_reset_ended(play.env, play.rows);
      }
    }
    saved[0] ^= 1; // the tag
    assert_fails(coh_env_load(play.env, 0, saved), COH_E_CHECKPOINT, name);
    coh_free(saved);
    coh_free(rgb);
    play_end(&play);
  }
}

static void env_renders_within_its_picture(void **state) {
  (void)state;
  FOR_EVERY_ENVIRONMENT(name) {
    env_play play = play_begin(name, 1, 0, 7);
    size_t n_bytes = (size_t)(play.spec->render_width * play.spec->render_height * 3);
    enum { GUARD = 64 };
    uint8_t *block = coh_alloc_array(n_bytes + 2 * GUARD, 1),
            *first = coh_alloc_array(n_bytes, 1);
    uint8_t *rgb = block + GUARD;
    memset(block, 0xAB, n_bytes + 2 * GUARD);
    coh_env_render(play.env, 0, first);
    bool moved = false;
    for (int t = 0; t < 40; t++) {
      play_step(&play);
      coh_env_reset_ended(play.env, play.rows);
      if (t % 10 != 9) continue;
      coh_env_render(play.env, 0, rgb);
      moved |= memcmp(rgb, first, n_bytes) != 0;
    }
    assert_true(moved);
    for (int k = 0; k < GUARD; k++) {
      assert_int_equal(block[k], 0xAB);
      assert_int_equal(rgb[n_bytes + (size_t)k], 0xAB);
    }
    coh_free(block);
    coh_free(first);
    play_end(&play);
  }
}

static void env_allocates_nothing_in_a_step(void **state) {
  (void)state;
  FOR_EVERY_ENVIRONMENT(name) {
    env_play play = play_begin(name, N, 0, 7);
    int64_t before = coh_alloc_total();
    for (int t = 0; t < 100; t++) {
      play_step(&play);
      coh_env_reset_ended(play.env, play.rows);
    }
    coh_env_reset(play.env, play.rows);
    assert_int_equal(coh_alloc_total(), before);
    play_end(&play);
  }
}

static void env_frees_what_it_allocates(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(env_declares_itself_in_full),
      cmocka_unit_test(env_is_a_function_of_the_seed),
      cmocka_unit_test(env_does_not_depend_on_the_split_of_the_batch),
      cmocka_unit_test(env_streams_differ),
      cmocka_unit_test(env_outputs_are_finite_and_in_shape),
      cmocka_unit_test(env_restarts_only_when_asked),
      cmocka_unit_test(env_time_limit_truncates),
      cmocka_unit_test(env_continues_exactly_after_load),
      cmocka_unit_test(env_survives_damaged_states),
      cmocka_unit_test(env_renders_within_its_picture),
      cmocka_unit_test(env_allocates_nothing_in_a_step),
      cmocka_unit_test(env_frees_what_it_allocates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
