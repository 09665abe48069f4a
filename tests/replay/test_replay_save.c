/* Saving and loading lanes: the same bits afterwards; damage is found, never followed. */
#include "cohort_test.h"

#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "replay_model.h"
#include "replay_stream.h"

static coh_replay_config config_of(int tier, int stack) {
  coh_replay_config config = model_config(2, 4, 400, 16);
  if (tier == COH_REPLAY_COLD) model_make_cold(&config);
  config.options.chunk = 8;
  config.options.prioritized = true;
  config.n_step = 3;
  config.stack = stack;
  return config;
}

// play some rounds with errors that depend on the rows; returns a checksum of all that came
static uint64_t play(model *m, coh_replay *replay, uint64_t first, uint64_t n_rounds) {
  const coh_replay_config *config = &m->config;
  uint64_t sum = 0;
  int64_t n = config->batch / config->n_lanes;
  model_buffers buffers;
  model_buffers_begin(&buffers, config, n);
  float errors[16];
  size_t n_bytes = (size_t)(n * config->stack) * config->row_bytes;
  for (uint64_t update = first; update < first + n_rounds; update++) {
    model_step(m, replay, 0, config->n_lanes);
    assert_ok(coh_replay_refresh(replay));
    assert_ok(coh_replay_draw(replay, update, 0.4));
    for (int64_t lane = 0; lane < config->n_lanes; lane++) {
      assert_ok(coh_replay_gather(replay, update, lane, &buffers.rows));
      const uint8_t *parts[] = {
          buffers.rows.packed_states, buffers.rows.packed_next, (uint8_t *)buffers.rows.weights,
          (uint8_t *)buffers.rows.returns, (uint8_t *)buffers.rows.transitions};
      size_t sizes[] = {n_bytes, n_bytes, (size_t)n * 4, (size_t)n * 4, (size_t)n * 8};
      for (int p = 0; p < 5; p++)
        for (size_t k = 0; k < sizes[p]; k++)
          sum = sum * 0x100000001b3u + parts[p][k];
      for (int64_t i = 0; i < n; i++)
        errors[lane * n + i] = (float)(buffers.rows.transitions[i] % 17) * 0.3f;
    }
    assert_ok(coh_replay_write_back(replay, update, errors));
  }
  model_buffers_end(&buffers);
  return sum;
}

static void a_loaded_replay_goes_on_with_the_same_bits(void **state) {
  (void)state;
  for (int tier = COH_REPLAY_HOT; tier <= COH_REPLAY_COLD; tier++)
    for (int stack = 1; stack <= 3; stack += 2)
      for (int length = 5; length <= 250; length += 245) {
        coh_replay_config config = config_of(tier, stack);
        coh_replay *original, *loaded;
        assert_ok(coh_replay_create(&config, &original));
        assert_ok(coh_replay_create(&config, &loaded));
        model m;
        model_begin(&m, &config, 0.07);
        for (int i = 0; i < 5; i++)
          model_step(&m, original, 0, 2);
        play(&m, original, 0, (uint64_t)length);
        stream saved[2] = {{0}}, again[2] = {{0}};
        for (int lane = 0; lane < 2; lane++) {
          assert_ok(coh_replay_save_lane(original, lane, stream_write, saved + lane));
          assert_ok(coh_replay_load_lane(loaded, lane, stream_read, saved + lane));
          assert_int_equal(saved[lane].at, saved[lane].n_bytes);
          assert_ok(coh_replay_save_lane(loaded, lane, stream_write, again + lane));
          assert_int_equal(saved[lane].n_bytes, again[lane].n_bytes);
          assert_memory_equal(saved[lane].data, again[lane].data, saved[lane].n_bytes);
        }
        coh_replay_stats a, b;
        coh_replay_stats_of(original, &a);
        coh_replay_stats_of(loaded, &b);
        assert_int_equal(a.bytes_used, b.bytes_used);
        assert_int_equal(a.n_appended, b.n_appended);
        assert_int_equal(a.n_sampleable, b.n_sampleable);
        // the model's environments are functions of a count, which is put back for the copy
        model_env *before = coh_alloc_array(4, sizeof *before);
        memcpy(before, m.env, 4 * sizeof *before);
        uint64_t expected = play(&m, original, 1000, 150);
        memcpy(m.env, before, 4 * sizeof *before);
        assert_int_equal(play(&m, loaded, 1000, 150), expected);
        coh_free(before);
        for (int lane = 0; lane < 2; lane++) {
          coh_free(saved[lane].data);
          coh_free(again[lane].data);
        }
        model_end(&m);
        coh_replay_destroy(&original);
        coh_replay_destroy(&loaded);
      }
}

static void another_config_is_refused(void **state) {
  (void)state;
  coh_replay_config config = config_of(COH_REPLAY_HOT, 1), other = config;
  coh_replay *replay;
  assert_ok(coh_replay_create(&config, &replay));
  model m;
  model_begin(&m, &config, 0.1);
  for (int i = 0; i < 50; i++)
    model_step(&m, replay, 0, 2);
  stream saved = {0};
  assert_ok(coh_replay_save_lane(replay, 0, stream_write, &saved));
  assert_fails(coh_replay_load_lane(replay, 1, stream_read, &saved), COH_E_CHECKPOINT,
               "lane 0 where that of lane 1 belongs");
  coh_replay_destroy(&replay);
  other.n_step = 2;
  assert_ok(coh_replay_create(&other, &replay));
  saved.at = 0;
  assert_fails(coh_replay_load_lane(replay, 0, stream_read, &saved), COH_E_CHECKPOINT,
               "n_step is 3 there and 2 here");
  coh_replay_destroy(&replay);
  coh_free(saved.data);
  model_end(&m);
}

static void damage_is_refused_or_harmless(void **state) {
  (void)state;
  for (int tier = COH_REPLAY_HOT; tier <= COH_REPLAY_COLD; tier++) {
    coh_replay_config config = config_of(tier, 2);
    config.options.capacity = 100;
    coh_replay *replay;
    assert_ok(coh_replay_create(&config, &replay));
    model m;
    model_begin(&m, &config, 0.1);
    for (int i = 0; i < 60; i++)
      model_step(&m, replay, 0, 2);
    stream saved = {0};
    assert_ok(coh_replay_save_lane(replay, 0, stream_write, &saved));
    for (size_t cut = 0; cut < saved.n_bytes; cut += 7) {
      stream part = {saved.data, cut, cut, 0};
      assert_int_equal(coh_replay_load_lane(replay, 0, stream_read, &part), COH_E_CHECKPOINT);
    }
    coh_stream random = coh_stream_begin(coh_key_make(8, "damage"), 0, 0);
    int n_refused = 0;
    for (int trial = 0; trial < 3000; trial++) {
      // flip a bit, most often among the counters of the first bytes
      size_t range = trial % 3 ? 600 : saved.n_bytes;
      size_t at = coh_stream_u32(&random) % range;
      uint8_t bit = (uint8_t)(1u << (coh_stream_u32(&random) % 8));
      saved.data[at] ^= bit;
      saved.at = 0;
      coh_status status = coh_replay_load_lane(replay, 0, stream_read, &saved);
      saved.data[at] ^= bit;
      assert_true(status == COH_OK || status == COH_E_CHECKPOINT);
      n_refused += status != COH_OK;
      // whatever was loaded can be sampled and appended to within bounds
      model_step(&m, replay, 0, 2);
      assert_ok(coh_replay_refresh(replay));
      if (coh_replay_sampleable(replay) > 0) {
        coh_replay_rows rows = {0};
        assert_ok(coh_replay_draw(replay, (uint64_t)trial, 1));
        assert_ok(coh_replay_gather(replay, (uint64_t)trial, 0, &rows));
      }
    }
    assert_true(n_refused > 300);
    coh_free(saved.data);
    coh_replay_destroy(&replay);
    model_end(&m);
  }
}

static void nothing_is_left_allocated(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_loaded_replay_goes_on_with_the_same_bits),
      cmocka_unit_test(another_config_is_refused),
      cmocka_unit_test(damage_is_refused_or_harmless),
      cmocka_unit_test(nothing_is_left_allocated),
  };
  return cmocka_run_group_tests_name("replay_save", tests, NULL, NULL);
}
