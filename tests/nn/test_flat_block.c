/* Flat blocks: the norm in its fixed order, copies and averages; schedules. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/nn.h"
#include "cohort/random.h"

enum { N_FLOATS = 5 * COH_NORM_STRETCH + 48 };

static float *random_block(const char *purpose) {
  float *block = coh_alloc_array(N_FLOATS, sizeof *block);
  assert_non_null(block);
  coh_stream stream = coh_stream_begin(coh_key_make(1, purpose), 0, 0);
  for (int64_t i = 0; i < N_FLOATS; i++)
    block[i] = (float)coh_stream_normal(&stream);
  return block;
}

static void norm_is_the_same_however_it_is_split(void **state) {
  (void)state;
  float *block = random_block("norm");
  int64_t n = coh_norm_stretches(N_FLOATS);
  assert_int_equal(n, 6);
  double whole[6], split[6];
  coh_norm_partials(block, N_FLOATS, 0, n, whole);
  for (int64_t k = n - 1; k >= 0; k--)
    coh_norm_partials(block, N_FLOATS, k, k + 1, split);
  assert_memory_equal(whole, split, sizeof whole);
  double sum = 0;
  for (int64_t i = 0; i < N_FLOATS; i++)
    sum += (double)block[i] * (double)block[i];
  double norm = coh_norm_finish(whole, n);
  assert_true(fabs(norm - sqrt(sum)) < 1e-12 * norm);
  // ((0 1) (2 3)) (4 5), as a binary tree has it
  double tree = ((whole[0] + whole[1]) + (whole[2] + whole[3])) + (whole[4] + whole[5]);
  assert_true(norm == sqrt(tree));
  assert_true(coh_norm_finish(NULL, 0) == 0);
  coh_free(block);
}

static void norm_is_finite_exactly_when_the_floats_are(void **state) {
  (void)state;
  float *block = random_block("finite");
  int64_t n = coh_norm_stretches(N_FLOATS);
  double partial[6];
  for (int64_t i = 0; i < 64; i++)
    block[i * 300] = 3e38f;
  coh_norm_partials(block, N_FLOATS, 0, n, partial);
  assert_true(isfinite(coh_norm_finish(partial, n)));
  const float bad[] = {NAN, INFINITY, -INFINITY};
  for (int k = 0; k < 3; k++) {
    block[N_FLOATS - 1 - 5000 * k] = bad[k];
    coh_norm_partials(block, N_FLOATS, 0, n, partial);
    assert_true(!isfinite(coh_norm_finish(partial, n)));
    block[N_FLOATS - 1 - 5000 * k] = 0;
  }
  coh_free(block);
}

static void polyak_average_is_the_formula_and_the_copy_at_one(void **state) {
  (void)state;
  float *source = random_block("source"), *target = random_block("target"),
        *before = random_block("target");
  coh_block_polyak(target, source, 0.005, N_FLOATS);
  for (int64_t i = 0; i < N_FLOATS; i++) {
    double expected = 0.995 * (double)before[i] + 0.005 * (double)source[i];
    assert_true(fabs(target[i] - expected) < 3e-7 * (1 + fabs(expected)));
  }
  coh_block_polyak(target, source, 1, N_FLOATS);
  assert_memory_equal(target, source, N_FLOATS * sizeof *source);
  coh_block_copy(target, before, N_FLOATS);
  assert_memory_equal(target, before, N_FLOATS * sizeof *before);
  // whole and split give the same bits
  coh_block_polyak(target, source, 0.3, N_FLOATS);
  coh_block_polyak(before, source, 0.3, 1001);
  coh_block_polyak(before + 1001, source + 1001, 0.3, N_FLOATS - 1001);
  assert_memory_equal(target, before, N_FLOATS * sizeof *before);
  coh_free(source);
  coh_free(target);
  coh_free(before);
}

static void schedules_meet_their_corners(void **state) {
  (void)state;
  coh_schedule constant = {0}, warm = {.warmup = 4};
  coh_schedule linear = {.shape = 1, .warmup = 10, .steps = 110, .final = 0.1};
  coh_schedule cosine = {.shape = 2, .steps = 100, .final = 0.5};
  assert_true(coh_schedule_factor(&constant, 0) == 1);
  assert_true(coh_schedule_factor(&constant, INT64_MAX) == 1);
  assert_true(coh_schedule_factor(&warm, 0) == 0.25 && coh_schedule_factor(&warm, 3) == 1);
  assert_true(coh_schedule_factor(&linear, 9) == 1 && coh_schedule_factor(&linear, 10) == 1);
  assert_true(fabs(coh_schedule_factor(&linear, 60) - 0.55) < 1e-15);
  assert_true(coh_schedule_factor(&linear, 110) == 0.1);
  assert_true(coh_schedule_factor(&linear, 1000000) == 0.1);
  assert_true(coh_schedule_factor(&cosine, 0) == 1);
  assert_true(fabs(coh_schedule_factor(&cosine, 50) - 0.75) < 1e-15);
  assert_true(fabs(coh_schedule_factor(&cosine, 25) - (0.75 + 0.25 * sqrt(0.5))) < 1e-15);
  assert_true(coh_schedule_factor(&cosine, 100) == 0.5);
  assert_ok(coh_schedule_check(&linear));
  linear.steps = 10;
  assert_fails(coh_schedule_check(&linear), COH_E_CONFIG, "must end after its warm-up");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(norm_is_the_same_however_it_is_split),
      cmocka_unit_test(norm_is_finite_exactly_when_the_floats_are),
      cmocka_unit_test(polyak_average_is_the_formula_and_the_copy_at_one),
      cmocka_unit_test(schedules_meet_their_corners),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
