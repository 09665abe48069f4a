/* The replay against a model that keeps whole histories in lists. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "replay_model.h"

/* Random play: append, publish, draw, compare all rows, write errors back; then again. */
static void play(const coh_replay_config *config, double end_rate, int64_t n_rounds) {
  model m;
  model_begin(&m, config, end_rate);
  coh_replay *replay;
  assert_ok(coh_replay_create(config, &replay));
  int64_t n = config->batch / config->n_lanes;
  model_buffers buffers;
  model_buffers_begin(&buffers, config, n);
  float *errors = coh_alloc_array((size_t)config->batch, sizeof *errors);
  coh_stream stream = coh_stream_begin(coh_key_make(9, "play"), 0, 0);
  int64_t allocations = coh_alloc_total();
  for (int64_t i = 0; i <= config->n_step; i++)
    model_step(&m, replay, 0, config->n_lanes);
  for (int64_t round = 0; round < n_rounds; round++) {
    int64_t n_steps = coh_stream_below(&stream, 8);
    for (int64_t i = 0; i < n_steps; i++)
      model_step(&m, replay, 0, config->n_lanes);
    assert_ok(coh_replay_refresh(replay));
    model_note_refresh(&m);
    uint64_t update = (uint64_t)round;
    assert_ok(coh_replay_draw(replay, update, 0.7));
    for (int64_t lane = 0; lane < config->n_lanes; lane++)
      model_check_lane(&m, replay, update, 0.7, lane, &buffers);
    // some more steps, so that some of the rows are gone when their errors come
    int64_t env[64], number[64];
    uint32_t mass;
    for (int64_t j = 0; j < config->batch; j++)
      model_pick(&m, update, j, env + j, number + j, &mass);
    if (round % 3 == 0) model_step(&m, replay, 0, config->n_lanes);
    for (int64_t j = 0; j < config->batch; j++) {
      errors[j] = (float)(coh_stream_normal(&stream) * 3);
      model_set_error(&m, env[j], number[j], errors[j]);
    }
    assert_ok(coh_replay_write_back(replay, update, errors));
  }
  assert_int_equal(coh_alloc_total(), allocations); // nothing is allocated in a step
  coh_replay_stats stats;
  coh_replay_stats_of(replay, &stats);
  int64_t stored = 0, sampleable = 0;
  for (int64_t i = 0; i < config->n_envs; i++) {
    int64_t first, end;
    model_window(&m, i, &first, &end);
    stored += m.env[i].n - first;
    sampleable += end - first;
  }
  assert_int_equal(stats.n_transitions, stored);
  assert_int_equal(stats.n_sampleable, sampleable);
  assert_int_equal(stats.n_early, 0);
  if (config->options.tier == COH_REPLAY_COLD) assert_true(stats.n_decoded > 0);
  coh_free(errors);
  model_buffers_end(&buffers);
  coh_replay_destroy(&replay);
  model_end(&m);
}

static void every_row_equals_the_model(void **state) {
  (void)state;
  for (int n_step = 1; n_step <= 4; n_step += 3)
    for (int stack = 1; stack <= 4; stack += 3)
      for (int prioritized = 0; prioritized < 2; prioritized++)
        for (int tier = COH_REPLAY_HOT; tier <= COH_REPLAY_COLD; tier++) {
          coh_replay_config config = model_config(2, 4, 4 * 40, 8);
          config.n_step = n_step;
          config.stack = stack;
          config.options.prioritized = prioritized;
          if (tier == COH_REPLAY_COLD) model_make_cold(&config);
          config.options.chunk = 8;
          config.options.episode = 1;
          play(&config, 0.15, 30);
        }
}

static void long_episodes_and_one_step_episodes_equal_the_model(void **state) {
  (void)state;
  coh_replay_config config = model_config(1, 3, 90, 6);
  config.n_step = 3;
  config.options.episode = 1;
  config.options.prioritized = true;
  play(&config, 0.0, 40);
  play(&config, 1.0, 40);
}

static void whole_rewards_and_many_blocks_equal_the_model(void **state) {
  (void)state;
  for (int tier = COH_REPLAY_HOT; tier <= COH_REPLAY_COLD; tier++) {
    coh_replay_config config = model_config(2, 4, 4 * 150, 8);
    config.n_step = 3;
    config.stack = 2;
    config.reward_low = -2, config.reward_high = 9;
    config.n_actions = 6;
    config.options.prioritized = true;
    config.options.episode = 1;
    if (tier == COH_REPLAY_COLD) model_make_cold(&config);
    play(&config, 0.15, 100);
  }
}

static coh_replay *make(const coh_replay_config *config) {
  coh_replay *replay;
  assert_ok(coh_replay_create(config, &replay));
  return replay;
}

static void put(coh_replay *replay, uint8_t frame, float reward, int end, uint8_t final_frame) {
  uint8_t bytes[6], last[6];
  memset(bytes, frame, sizeof bytes);
  memset(last, final_frame, sizeof last);
  coh_transition transition = {.frame = bytes,
                               .action = frame,
                               .reward = reward,
                               .terminated = end == 1,
                               .truncated = end == 2,
                               .final_frame = last};
  assert_ok(coh_replay_append(replay, 0, 0, &transition));
}

static void keeps_the_last_frame_at_truncation(void **state) {
  (void)state;
  coh_replay_config config = model_config(1, 1, 20, 64);
  config.n_step = 3;
  coh_replay *replay = make(&config);
  // rewards 1 2 4 8, cut after the fourth step in frame 99; another episode follows
  for (int i = 0; i < 4; i++)
    put(replay, (uint8_t)(10 + i), (float)(1 << i), i == 3 ? 2 : 0, 99);
  put(replay, 50, 100, 1, 77);
  assert_ok(coh_replay_refresh(replay));
  assert_int_equal(coh_replay_sampleable(replay), 5);
  assert_ok(coh_replay_draw(replay, 0, 0));
  model_buffers buffers;
  model_buffers_begin(&buffers, &config, 64);
  assert_ok(coh_replay_gather(replay, 0, 0, &buffers.rows));
  const double g = 0.9;
  const double returns[] = {1 + 2 * g + 4 * g * g, 2 + 4 * g + 8 * g * g, 4 + 8 * g, 8, 100};
  const double discounts[] = {g * g * g, g * g * g, g * g, g, 0};
  const uint8_t next[] = {13, 99, 99, 99, 0}; // and nothing beyond a terminal step
  int seen[5] = {0};
  for (int i = 0; i < 64; i++) {
    int action = buffers.rows.actions[i], k = action == 50 ? 4 : action - 10;
    seen[k]++;
    assert_float_equal(buffers.rows.returns[i], returns[k], 1e-5);
    assert_float_equal(buffers.rows.discounts[i], discounts[k], 1e-6);
    assert_int_equal(((uint8_t *)buffers.rows.packed_next)[i * 6], next[k]);
  }
  for (int k = 0; k < 5; k++)
    assert_true(seen[k] > 0);
  model_buffers_end(&buffers);
  coh_replay_destroy(&replay);
}

static void a_window_must_be_complete(void **state) {
  (void)state;
  coh_replay_config config = model_config(1, 1, 20, 4);
  config.n_step = 3;
  coh_replay *replay = make(&config);
  for (int i = 0; i < 3; i++)
    put(replay, 1, 0, 0, 0);
  assert_ok(coh_replay_refresh(replay));
  assert_int_equal(coh_replay_sampleable(replay), 0);
  assert_fails(coh_replay_draw(replay, 0, 0), COH_E_INTERNAL, "nothing to sample");
  put(replay, 1, 0, 0, 0);
  assert_ok(coh_replay_refresh(replay));
  assert_int_equal(coh_replay_sampleable(replay), 1);
  put(replay, 1, 0, 1, 0);
  assert_fails(coh_replay_draw(replay, 0, 0), COH_E_INTERNAL, "changed since");
  assert_ok(coh_replay_refresh(replay));
  assert_int_equal(coh_replay_sampleable(replay), 5);
  coh_replay_destroy(&replay);
}

static void short_episodes_evict_early_and_say_so(void **state) {
  (void)state;
  coh_replay_config config = model_config(1, 1, 100, 32);
  config.options.episode = 10; // but every step is cut off
  coh_replay *replay = make(&config);
  for (int i = 0; i < 500; i++)
    put(replay, (uint8_t)i, (float)i, 2, 0);
  coh_replay_stats stats;
  coh_replay_stats_of(replay, &stats);
  assert_in_range(stats.n_transitions, 55, 99);
  assert_int_equal(stats.n_early, 500 - stats.n_transitions);
  // those that are left are the newest, whole and in order
  assert_ok(coh_replay_refresh(replay));
  assert_ok(coh_replay_draw(replay, 0, 0));
  model_buffers buffers;
  model_buffers_begin(&buffers, &config, 32);
  assert_ok(coh_replay_gather(replay, 0, 0, &buffers.rows));
  for (int i = 0; i < 32; i++) {
    assert_true(buffers.rows.returns[i] >= (float)(500 - stats.n_transitions));
    assert_int_equal(((uint8_t *)buffers.rows.packed_states)[i * 6],
                     (uint8_t)buffers.rows.returns[i]);
  }
  model_buffers_end(&buffers);
  coh_replay_destroy(&replay);
}

static void frames_that_do_not_compress_evict_early(void **state) {
  (void)state;
  coh_replay_config config = model_config(2, 4, 4000, 8);
  config.options.tier = COH_REPLAY_COLD;
  config.options.chunk = 16;
  config.row_bytes = 512;
  config.n_values = 128;
  config.expand = NULL;
  config.options.memory = 1500000; // the rows alone are 2 MB
  coh_replay *replay = make(&config);
  uint8_t frame[512];
  for (int t = 0; t < 3000; t++)
    for (int64_t i = 0; i < 4; i++) {
      coh_stream stream = coh_stream_begin(coh_key_make(4, "noise"), (uint32_t)i, (uint64_t)t);
      for (int k = 0; k < 512; k++)
        frame[k] = (uint8_t)coh_stream_u32(&stream);
      frame[3] = frame[7] = 0; // floats, but not NaN
      coh_transition transition = {.frame = frame, .action = t % 200, .reward = (float)t};
      assert_ok(coh_replay_append(replay, i / 2, i % 2, &transition));
    }
  coh_replay_stats stats;
  coh_replay_stats_of(replay, &stats);
  assert_in_range(stats.n_transitions, 100, 3999);
  assert_true(stats.n_early > 0);
  assert_ok(coh_replay_refresh(replay));
  uint8_t packed[4 * 512];
  int32_t actions[4];
  float returns[4];
  uint64_t transitions[4];
  coh_replay_rows rows = {.packed_states = packed,
                          .actions = actions,
                          .returns = returns,
                          .transitions = transitions};
  for (uint64_t update = 0; update < 50; update++) {
    assert_ok(coh_replay_draw(replay, update, 0));
    for (int64_t lane = 0; lane < 2; lane++) {
      assert_ok(coh_replay_gather(replay, update, lane, &rows));
      for (int j = 0; j < 4; j++) {
        int64_t t = (int64_t)(uint32_t)transitions[j];
        int64_t env =
            (int64_t)(transitions[j] >> 48) * 2 + (int64_t)(transitions[j] >> 32 & 0xffff);
        coh_stream stream =
            coh_stream_begin(coh_key_make(4, "noise"), (uint32_t)env, (uint64_t)t);
        for (int k = 0; k < 512; k++)
          frame[k] = (uint8_t)coh_stream_u32(&stream);
        frame[3] = frame[7] = 0;
        assert_memory_equal(packed + j * 512, frame, 512);
        assert_int_equal(actions[j], t % 200);
        assert_true(returns[j] == (float)t); // exact: small integers
      }
    }
  }
  coh_replay_destroy(&replay);
}

static void memory_bound_is_kept_or_refused(void **state) {
  (void)state;
  coh_replay *replay = NULL;
  coh_replay_config config = model_config(2, 4, 100000, 8);
  config.row_bytes = 125;
  config.n_values = 1000;
  config.options.episode = 16;
  config.options.chunk = 256;
  config.options.tier = COH_REPLAY_HOT;
  config.options.memory = 10000000;
  assert_fails(coh_replay_create(&config, &replay), COH_E_CONFIG, "memory: allows 10000000");
  config.options.tier = COH_REPLAY_AUTO;
  replay = make(&config);
  coh_replay_stats stats;
  coh_replay_stats_of(replay, &stats);
  assert_int_equal(stats.tier, COH_REPLAY_COLD);
  assert_in_range(stats.bytes_reserved, 1, 10000000);
  coh_replay_destroy(&replay);
  config.options.memory = 1000000;
  assert_fails(coh_replay_create(&config, &replay), COH_E_CONFIG, "cold tier");
  assert_null(replay);
  config.options.memory = 20000000;
  replay = make(&config);
  coh_replay_stats_of(replay, &stats);
  assert_int_equal(stats.tier, COH_REPLAY_HOT);
  assert_in_range(stats.bytes_reserved, 1, 20000000);
  coh_replay_destroy(&replay);
  config = model_config(2, 4, 7, 8);
  assert_fails(coh_replay_create(&config, &replay), COH_E_CONFIG, "at least 8");
  config = model_config(2, 5, 100, 8);
  assert_fails(coh_replay_create(&config, &replay), COH_E_CONFIG, "2 lanes");
  config = model_config(2, 4, 100, 9);
  assert_fails(coh_replay_create(&config, &replay), COH_E_CONFIG, "batch of 9");
}

static void wrong_calls_fail(void **state) {
  (void)state;
  coh_replay_config config = model_config(2, 4, 100, 8);
  coh_replay *replay = make(&config);
  uint8_t frame[6] = {0};
  coh_transition transition = {.frame = frame, .final_frame = frame};
  assert_fails(coh_replay_append(replay, 2, 0, &transition), COH_E_INTERNAL, "lane 2");
  assert_fails(coh_replay_append(replay, 0, 2, &transition), COH_E_INTERNAL, "environment 2");
  transition.action = 300;
  assert_fails(coh_replay_append(replay, 0, 0, &transition), COH_E_INTERNAL, "action 300");
  transition = (coh_transition){
      .frame = frame, .final_frame = frame, .terminated = true, .truncated = true};
  assert_fails(coh_replay_append(replay, 0, 0, &transition), COH_E_INTERNAL, "both");
  coh_replay_rows rows = {0};
  assert_fails(coh_replay_gather(replay, 0, 0, &rows), COH_E_INTERNAL, "drawn last");
  coh_replay_destroy(&replay);
  config.reward_high = 1;
  replay = make(&config);
  transition = (coh_transition){.frame = frame, .reward = 0.5f};
  assert_fails(coh_replay_append(replay, 0, 0, &transition), COH_E_INTERNAL, "reward 0.5");
  coh_replay_destroy(&replay);
}

static void option_table_has_sound_defaults(void **state) {
  (void)state;
  coh_replay_options options;
  assert_ok(coh_options_fill(coh_replay_option_table, NULL, &options));
  assert_int_equal(options.capacity, 100000);
  assert_int_equal(options.memory, 1 << 30);
  assert_int_equal(options.tier, COH_REPLAY_AUTO);
  assert_int_equal(options.chunk, 64);
  assert_false(options.prioritized);
  coh_options_clear(coh_replay_option_table, &options);
}

static void nothing_is_left_allocated(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_equals_the_model),
      cmocka_unit_test(long_episodes_and_one_step_episodes_equal_the_model),
      cmocka_unit_test(whole_rewards_and_many_blocks_equal_the_model),
      cmocka_unit_test(keeps_the_last_frame_at_truncation),
      cmocka_unit_test(a_window_must_be_complete),
      cmocka_unit_test(short_episodes_evict_early_and_say_so),
      cmocka_unit_test(frames_that_do_not_compress_evict_early),
      cmocka_unit_test(memory_bound_is_kept_or_refused),
      cmocka_unit_test(wrong_calls_fail),
      cmocka_unit_test(option_table_has_sound_defaults),
      cmocka_unit_test(nothing_is_left_allocated),
  };
  return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
