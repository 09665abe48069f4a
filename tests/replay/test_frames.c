/* Frames: the cold tier gives back what the hot one does, and its pool makes room in order. */
#include "cohort_test.h"

#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "replay/frames.h"

enum { ROW = 50, ENVS = 3 };

// noise: 0 all rows alike, 1 rows of random bytes
static void fill(int64_t env, int64_t row, double noise, uint8_t *out) {
  coh_stream stream = coh_stream_begin(coh_key_make(2, "rows"), (uint32_t)env, (uint64_t)row);
  for (int i = 0; i < ROW; i++)
    out[i] =
        coh_stream_uniform(&stream) < noise ? (uint8_t)coh_stream_u32(&stream) : (uint8_t)i;
}

static void check(coh_frames *frames, int64_t env, int64_t row, double noise) {
  uint8_t expected[ROW];
  const uint8_t *found;
  fill(env, row, noise, expected);
  assert_ok(coh_frames_get(frames, env, row, &found));
  assert_memory_equal(found, expected, ROW);
}

static void both_tiers_give_back_every_row(void **state) {
  (void)state;
  for (int cold = 0; cold < 2; cold++)
    for (int noisy = 0; noisy < 2; noisy++) {
      double noise = noisy ? 1 : 0.05;
      coh_frame_layout layout = {ENVS, 100, ROW, cold == 1, 16, 4, 400};
      coh_packers packers;
      assert_ok(coh_packers_init(&packers, 1, 16 * ROW));
      coh_frames frames;
      assert_ok(coh_frames_init(&frames, &layout, &packers));
      int64_t total = coh_alloc_total();
      for (int64_t row = 0; row < 300; row++)
        for (int64_t env = 0; env < ENVS; env++) {
          uint8_t bytes[ROW];
          fill(env, row, noise, bytes);
          if (row >= 100) coh_frames_release(&frames, env, row - 99);
          assert_ok(coh_frames_put(&frames, env, bytes));
          int64_t other, needless;
          assert_true(coh_frames_settle(&frames, &other, &needless));
          check(&frames, env, row, noise);
          if (row >= 100) check(&frames, env, row - 99, noise);
        }
      for (int64_t env = 0; env < ENVS; env++)
        for (int64_t row = 201; row < 300; row++)
          check(&frames, env, row, noise);
      assert_int_equal(coh_alloc_total(), total);
      // let all go: every block of the pool is free again
      for (int64_t env = 0; env < ENVS; env++)
        coh_frames_release(&frames, env, 300);
      if (cold) assert_int_equal(frames.n_free, layout.n_blocks);
      coh_frames_fini(&frames);
      coh_packers_fini(&packers);
    }
}

static void full_pool_names_the_oldest_chunk(void **state) {
  (void)state;
  // chunks of 16 x 50 random bytes take 13 blocks; the pool has room for three
  coh_frame_layout layout = {ENVS, 200, ROW, true, 16, 4, 40};
  coh_packers packers;
  assert_ok(coh_packers_init(&packers, 1, (size_t)layout.chunk * ROW));
  coh_frames frames;
  assert_ok(coh_frames_init(&frames, &layout, &packers));
  assert_int_equal(coh_frames_chunk_blocks(&layout), 13);
  const int64_t order[] = {1, 0, 2, 0, 2, 1};
  for (int i = 0; i < 6; i++) {
    int64_t env = order[i], begin = frames.next[env], other = -1, needless = -1;
    for (int64_t row = begin; row < begin + 16; row++) {
      uint8_t bytes[ROW];
      fill(env, row, 1, bytes);
      assert_ok(coh_frames_put(&frames, env, bytes));
    }
    bool stored = coh_frames_settle(&frames, &other, &needless);
    assert_int_equal(stored, i < 3);
    if (stored) continue;
    assert_int_equal(other, order[i - 3]);
    assert_int_equal(needless, 16);
    coh_frames_release(&frames, other, needless);
    assert_true(coh_frames_settle(&frames, &other, &needless));
    for (int64_t row = begin; row < begin + 16; row++)
      check(&frames, env, row, 1);
  }
  coh_frames_fini(&frames);
  coh_packers_fini(&packers);
}

static void alike_rows_take_few_bytes(void **state) {
  (void)state;
  coh_frame_layout layout = {1, 4096, ROW, true, 256, 2, 4096};
  coh_packers packers;
  assert_ok(coh_packers_init(&packers, 1, (size_t)layout.chunk * ROW));
  coh_frames frames;
  assert_ok(coh_frames_init(&frames, &layout, &packers));
  for (int64_t row = 0; row < 4096; row++) {
    uint8_t bytes[ROW];
    fill(0, row, 0.01, bytes);
    assert_ok(coh_frames_put(&frames, 0, bytes));
    int64_t other, needless;
    assert_true(coh_frames_settle(&frames, &other, &needless));
  }
  // half a byte differs from the mean row, twice that from the row before
  assert_true(coh_frames_used(&frames) < 4096 * 8);
  coh_frames_fini(&frames);
  coh_packers_fini(&packers);
}

static void nothing_is_left_allocated(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_tiers_give_back_every_row),
      cmocka_unit_test(full_pool_names_the_oldest_chunk),
      cmocka_unit_test(alike_rows_take_few_bytes),
      cmocka_unit_test(nothing_is_left_allocated),
  };
  return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
