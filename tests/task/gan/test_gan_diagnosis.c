/* The diagnosis of made curves, one a state; and the walk between latents. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "cohort/random.h"
#include "task/gan/gan_diagnosis.h"
#include "task/gan/gan_show.h"

// noise of a deviation, from -1.7 to 1.7 deviations
static double noise(int i, uint32_t of, double deviation) {
  coh_stream stream = coh_stream_begin(coh_key_make(1, "test"), of, (uint64_t)i);
  return deviation * sqrt(12) * (coh_stream_uniform(&stream) - 0.5);
}

static coh_gan_state diagnosis_of(const coh_gan_history *h) {
  return coh_gan_diagnose(h, 1, NAN);
}

static void nothing_is_known_before_the_first_row(void **state) {
  (void)state;
  coh_gan_history h = {0};
  assert_int_equal(diagnosis_of(&h), COH_GAN_UNKNOWN);
}

static void a_noisy_standstill_is_balance(void **state) {
  (void)state;
  for (uint32_t seed = 0; seed < 40; seed += 4) {
    coh_gan_history h = {0};
    for (int i = 0; i < 200; i++)
      coh_gan_remember(&h, 0.7 + noise(i, seed, 0.03), 0.6 + noise(i, seed + 1, 0.2),
                       0.9 + noise(i, seed + 2, 0.3), 0.01);
    assert_int_equal((int)h.n, COH_GAN_HISTORY);
    assert_int_equal(diagnosis_of(&h), COH_GAN_BALANCED);
  }
}

static void a_trend_is_no_oscillation(void **state) {
  (void)state;
  coh_gan_history h = {0};
  for (int i = 0; i < 100; i++)
    coh_gan_remember(&h, 0.8, 0.7 - 0.004 * i, 0.7 + 0.02 * i, 0.01);
  assert_int_equal(diagnosis_of(&h), COH_GAN_BALANCED);
}

static void losses_that_swing_with_a_period_oscillate(void **state) {
  (void)state;
  for (int period = 6; period <= 20; period += 7) {
    coh_gan_history h = {0};
    for (int i = 0; i < 128; i++) {
      double phase = 2 * 3.14159265358979 * i / period;
      coh_gan_remember(&h, 0.7 + 0.2 * sin(phase), 0.7 + 0.4 * sin(phase) + noise(i, 1, 0.05),
                       0.9 + 0.5 * cos(phase) + noise(i, 2, 0.05), 0.01);
    }
    assert_int_equal(diagnosis_of(&h), COH_GAN_OSCILLATING);
  }
}

static void pairs_that_are_all_told_apart_are_a_victory(void **state) {
  (void)state;
  coh_gan_history h = {0};
  for (int i = 0; i < 60; i++)
    coh_gan_remember(&h, i < 30 ? 0.8 : 0.998, 0.7 / (1 + i), 0.7 + 0.1 * i, 0.02);
  assert_int_equal(diagnosis_of(&h), COH_GAN_DISCRIMINATOR_WON);
}

static void a_victory_without_a_slope_is_saturation(void **state) {
  (void)state;
  coh_gan_history h = {0};
  for (int i = 0; i < 60; i++)
    coh_gan_remember(&h, i < 20 ? 0.8 : 1, i < 20 ? 0.7 : 1e-6, i < 20 ? -0.7 : -1e-6,
                     i < 20 ? 0.02 : 1e-6);
  assert_int_equal(diagnosis_of(&h), COH_GAN_SATURATED);
}

static void rows_that_are_alike_are_a_collapse(void **state) {
  (void)state;
  coh_gan_history h = {0};
  for (int i = 0; i < 60; i++)
    coh_gan_remember(&h, 0.7, 0.6, 0.9, 0.01);
  assert_int_equal(coh_gan_diagnose(&h, 0.1, NAN), COH_GAN_COLLAPSED);
  assert_int_equal(coh_gan_diagnose(&h, 0.9, 3.0 / 25), COH_GAN_COLLAPSED);
  assert_int_equal(coh_gan_diagnose(&h, NAN, NAN), COH_GAN_BALANCED);
}

static void chance_is_neither(void **state) {
  (void)state;
  coh_gan_history h = {0};
  for (int i = 0; i < 60; i++)
    coh_gan_remember(&h, 0.5, 0.69, 0.69, NAN);
  assert_int_equal(diagnosis_of(&h), COH_GAN_CANNOT_TELL);
  for (int k = COH_GAN_UNKNOWN; k <= COH_GAN_OSCILLATING; k++)
    assert_true(strlen(coh_gan_state_text((coh_gan_state)k)) > 10);
}

static void a_walk_keeps_to_the_circle(void **state) {
  (void)state;
  const float a[3] = {2, 0, 0}, b[3] = {0, 2, 0};
  float p[3];
  for (int k = 0; k <= 4; k++) {
    coh_gan_between(a, b, 3, k / 4.0, p);
    assert_within(p[0], 2 * cos(k * 3.14159265358979 / 8), 1e-6);
    assert_within(p[1], 2 * sin(k * 3.14159265358979 / 8), 1e-6);
    assert_within(p[2], 0, 0);
  }
  coh_gan_between(a, a, 3, 0.3, p); // no angle at all
  assert_within(p[0], 2, 1e-6);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_known_before_the_first_row),
      cmocka_unit_test(a_noisy_standstill_is_balance),
      cmocka_unit_test(a_trend_is_no_oscillation),
      cmocka_unit_test(losses_that_swing_with_a_period_oscillate),
      cmocka_unit_test(pairs_that_are_all_told_apart_are_a_victory),
      cmocka_unit_test(a_victory_without_a_slope_is_saturation),
      cmocka_unit_test(rows_that_are_alike_are_a_collapse),
      cmocka_unit_test(chance_is_neither),
      cmocka_unit_test(a_walk_keeps_to_the_circle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
