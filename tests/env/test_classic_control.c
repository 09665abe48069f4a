/* Classic control against episodes recorded from Gymnasium, and trigonometry against libm. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "cohort_test.h"
#include "env/env_type.h"
#include "env/trig.h"
#include "gymnasium_traces.h"

static int32_t choose(const trace *expected, const float *row, int64_t n_values,
                      int64_t n_actions, uint64_t *x) {
  if (expected->seed % 2 == 0) {
    *x = *x * 6364136223846793005u + 1442695040888963407u;
    return (int32_t)((*x >> 33) % (uint64_t)n_actions);
  }
  if (strcmp(expected->name, "cartpole") == 0) return row[2] + row[3] > 0.0f;
  return row[n_values - 1] > 0.0f ? 2 : 0;
}

static void replay(const trace *expected) {
  coh_env *env;
  float row[8], reward;
  uint8_t terminated = 0, truncated = 0, saved[256];
  assert_ok(coh_env_create_named(expected->name, 1, 0, 0, &env));
  const coh_env_spec *spec = coh_env_spec_of(env);
  size_t n_state = strcmp(expected->name, "mountain_car") == 0 ? 2 : 4;
  coh_env_reset(env, row);
  // the type's own state ends the saved bytes
  coh_env_save(env, 0, saved);
  memcpy(saved + coh_env_state_bytes(env) - n_state * sizeof(double), expected->state,
         n_state * sizeof(double));
  assert_ok(coh_env_load(env, 0, saved));
  coh_env_observe(env, row);
  int n_steps = 0, next_row = 0;
  double total = 0.0;
  uint64_t x = (uint64_t)expected->seed;
  while (!terminated && !truncated) {
    int32_t action = choose(expected, row, spec->n_values, spec->n_actions, &x);
    assert_ok(coh_env_step(env, &action, row, &reward, &terminated, &truncated));
    total += (double)reward;
    if (next_row < expected->n_rows && expected->rows[next_row].step == n_steps) {
      const float *wanted = expected->rows[next_row++].observation;
      // last bits of sine and cosine differ and grow
      for (int k = 0; k < spec->n_values; k++)
        if (fabsf(row[k] - wanted[k]) > 1e-5f)
          fail_msg("%s seed %d step %d value %d: %g, not %g", expected->name, expected->seed,
                   n_steps, k, (double)row[k], (double)wanted[k]);
    }
    n_steps++;
  }
  assert_int_equal(next_row, expected->n_rows);
  assert_int_equal(n_steps, expected->n_steps);
  assert_within(total, expected->total_reward, 0.0);
  assert_int_equal(terminated, expected->terminated);
  assert_int_equal(truncated, expected->truncated);
  coh_env_destroy(&env);
}

static void classic_control_follows_gymnasium(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof traces / sizeof traces[0]; k++)
    replay(&traces[k]);
}

/* Resets are uniform in the documented range: mean and extremes of 4,096 of them. */
static void classic_control_starts_within_bounds(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int value;
    double low, high;
  } starts[] = {{"cartpole", 0, -0.05, 0.05},
                {"cartpole", 3, -0.05, 0.05},
                {"mountain_car", 0, -0.6, -0.4},
                {"acrobot", 4, -0.1, 0.1}};
  enum { N = 4096 };
  static float rows[N * 6];
  for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
    coh_env *env;
    assert_ok(coh_env_create_named(starts[s].name, N, 0, 5, &env));
    coh_env_reset(env, rows);
    int64_t n_values = coh_env_spec_of(env)->n_values;
    double sum = 0.0, least = 1e9, most = -1e9, low = starts[s].low, high = starts[s].high;
    for (int64_t i = 0; i < N; i++) {
      double value = (double)rows[i * n_values + starts[s].value];
      sum += value, least = fmin(least, value), most = fmax(most, value);
    }
    // a mean of N uniform draws lies within 5 standard errors
    assert_within(sum / N, 0.5 * (low + high), 5.0 * (high - low) / sqrt(12.0 * N));
    assert_true(least >= low - 1e-7 && least < low + 0.01 * (high - low));
    assert_true(most <= high + 1e-7 && most > high - 0.01 * (high - low));
    coh_env_destroy(&env);
  }
}

static void sincos_is_within_an_ulp_of_libm(void **state) {
  (void)state;
  coh_stream stream = coh_stream_begin(coh_key_make(1, "angles"), 0, 0);
  for (int k = 0; k < 1000000; k++) {
    double x = (coh_stream_uniform(&stream) - 0.5) * (k % 2 ? 8.0 : 2e4);
    coh_sincos_pair found = coh_sincos(x);
    assert_within(found.sine, sin(x), 2.3e-16);
    assert_within(found.cosine, cos(x), 2.3e-16);
  }
  assert_true(coh_sincos(0.0).sine == 0.0 && coh_sincos(0.0).cosine == 1.0);
}

static void classic_control_frees_what_it_allocates(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(classic_control_follows_gymnasium),
      cmocka_unit_test(classic_control_starts_within_bounds),
      cmocka_unit_test(sincos_is_within_an_ulp_of_libm),
      cmocka_unit_test(classic_control_frees_what_it_allocates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
