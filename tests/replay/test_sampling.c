/* Sampling: exact probabilities, importance weights, write-back. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "replay_model.h"

/* A replay of one environment with n transitions that can all be sampled. */
static coh_replay *filled(const coh_replay_config *config, model *m, int64_t n) {
  coh_replay *replay;
  assert_ok(coh_replay_create(config, &replay));
  model_begin(m, config, 1.0);
  for (int64_t i = 0; i < n; i++)
    model_step(m, replay, 0, config->n_lanes);
  return replay;
}

/* Give every transition an error: draw until all were seen, write back by number. */
static void set_all_errors(coh_replay *replay, const coh_replay_config *config,
                           const float *error, int64_t n, model_buffers *buffers) {
  int64_t n_seen = 0, batch = config->batch;
  bool *seen = coh_alloc_array((size_t)n, sizeof *seen);
  float *errors = coh_alloc_array((size_t)batch, sizeof *errors);
  for (uint64_t update = 1000000; n_seen < n; update++) {
    assert_ok(coh_replay_refresh(replay));
    assert_ok(coh_replay_draw(replay, update, 0));
    assert_ok(coh_replay_gather(replay, update, 0, &buffers->rows));
    for (int64_t j = 0; j < batch; j++) {
      uint32_t number = (uint32_t)buffers->rows.transitions[j];
      n_seen += !seen[number];
      seen[number] = true;
      errors[j] = error[number];
    }
    assert_ok(coh_replay_write_back(replay, update, errors));
  }
  assert_ok(coh_replay_refresh(replay));
  coh_free(seen);
  coh_free(errors);
}

static void frequencies_match_the_priorities(void **state) {
  (void)state;
  enum { N = 50, DRAWS = 100000 };
  coh_replay_config config = model_config(1, 1, N, 1);
  config.options.prioritized = true;
  config.options.episode = 1;
  model m;
  coh_replay *replay = filled(&config, &m, N);
  float error[N];
  double priority[N], total = 0;
  for (int i = 0; i < N; i++) {
    error[i] = (float)(i % 7 + 1) * (i % 2 ? 0.5f : -0.3f);
    priority[i] = pow(fabs((double)error[i]) + 1e-6, 0.6);
    total += priority[i];
  }
  model_buffers buffers;
  model_buffers_begin(&buffers, &config, 1);
  set_all_errors(replay, &config, error, N, &buffers);
  int count[N] = {0};
  for (uint64_t update = 0; update < DRAWS; update++) {
    assert_ok(coh_replay_draw(replay, update, 0));
    assert_ok(coh_replay_gather(replay, update, 0, &buffers.rows));
    count[(uint32_t)buffers.rows.transitions[0]]++;
  }
  double chi_square = 0;
  for (int i = 0; i < N; i++) {
    double expected = DRAWS * priority[i] / total;
    chi_square += (count[i] - expected) * (count[i] - expected) / expected;
  }
  // 49 degrees of freedom: from the 0.1% to the 99.9% quantile
  assert_true(chi_square > 23.98 && chi_square < 85.35);
  model_buffers_end(&buffers);
  coh_replay_destroy(&replay);
  model_end(&m);
}

static void strata_leave_less_than_a_row_to_chance(void **state) {
  (void)state;
  // with batch = N and equal masses, stratum j is transition j: each is drawn exactly once
  enum { N = 48 };
  coh_replay_config config = model_config(4, 4, N, N);
  config.options.episode = 1;
  model m;
  coh_replay *replay = filled(&config, &m, N / 4);
  model_buffers buffers;
  model_buffers_begin(&buffers, &config, N / 4);
  assert_ok(coh_replay_refresh(replay));
  assert_int_equal(coh_replay_sampleable(replay), N);
  for (uint64_t update = 0; update < 20; update++) {
    assert_ok(coh_replay_draw(replay, update, 0));
    for (int64_t lane = 0; lane < 4; lane++) {
      assert_ok(coh_replay_gather(replay, update, lane, &buffers.rows));
      for (int i = 0; i < N / 4; i++)
        assert_int_equal(buffers.rows.transitions[i], (uint64_t)lane << 48 | (uint64_t)i);
    }
  }
  model_buffers_end(&buffers);
  coh_replay_destroy(&replay);
  model_end(&m);
}

static void alpha_zero_is_uniform_bit_for_bit(void **state) {
  (void)state;
  coh_replay_config uniform = model_config(2, 4, 400, 16), flat = uniform;
  flat.options.prioritized = true;
  flat.options.alpha = 0;
  model mu, mf;
  model_begin(&mu, &uniform, 0.1);
  model_begin(&mf, &flat, 0.1);
  coh_replay *ru, *rf;
  assert_ok(coh_replay_create(&uniform, &ru));
  assert_ok(coh_replay_create(&flat, &rf));
  model_buffers bu, bf;
  model_buffers_begin(&bu, &uniform, 8);
  model_buffers_begin(&bf, &flat, 8);
  float errors[16];
  for (int i = 0; i < 16; i++)
    errors[i] = (float)i;
  for (int i = 0; i < 60; i++) {
    model_step(&mu, ru, 0, 2);
    model_step(&mf, rf, 0, 2);
  }
  for (uint64_t update = 0; update < 100; update++) {
    model_step(&mu, ru, 0, 2);
    model_step(&mf, rf, 0, 2);
    assert_ok(coh_replay_refresh(ru));
    assert_ok(coh_replay_refresh(rf));
    assert_ok(coh_replay_draw(ru, update, 1));
    assert_ok(coh_replay_draw(rf, update, 1));
    for (int64_t lane = 0; lane < 2; lane++) {
      assert_ok(coh_replay_gather(ru, update, lane, &bu.rows));
      assert_ok(coh_replay_gather(rf, update, lane, &bf.rows));
      assert_memory_equal(bu.rows.transitions, bf.rows.transitions, 8 * sizeof(uint64_t));
      for (int i = 0; i < 8; i++)
        assert_float_equal(bf.rows.weights[i], 1, 0);
    }
    assert_ok(coh_replay_write_back(rf, update, errors));
  }
  model_buffers_end(&bu);
  model_buffers_end(&bf);
  coh_replay_destroy(&ru);
  coh_replay_destroy(&rf);
  model_end(&mu);
  model_end(&mf);
}

static void new_transitions_get_the_largest_priority(void **state) {
  (void)state;
  coh_replay_config config = model_config(2, 2, 200, 2);
  config.options.prioritized = true;
  config.options.alpha = 1;
  config.options.epsilon = 0;
  model m;
  coh_replay *replay = filled(&config, &m, 10);
  model_buffers buffers;
  model_buffers_begin(&buffers, &config, 1);
  // 20 of mass 1; one in each lane gets 0.5 and 60, the latter the largest ever
  assert_ok(coh_replay_refresh(replay));
  assert_ok(coh_replay_draw(replay, 0, 0));
  const float errors[] = {0.5f, -60};
  assert_ok(coh_replay_write_back(replay, 0, errors));
  assert_ok(coh_replay_refresh(replay));
  model_step(&m, replay, 0, 2); // one more in each lane, at 60, in lane 0 too
  assert_ok(coh_replay_refresh(replay));
  // masses now: lane 0: 9.5 + 60, lane 1: 9 + 60 + 60
  double n_new = 0, n_draws = 20000, expected = 120.0 / 198.5 * n_draws * 2;
  for (uint64_t update = 1; update <= (uint64_t)n_draws; update++) {
    assert_ok(coh_replay_draw(replay, update, 0.5));
    for (int64_t lane = 0; lane < 2; lane++) {
      assert_ok(coh_replay_gather(replay, update, lane, &buffers.rows));
      n_new += (uint32_t)buffers.rows.transitions[0] == 10;
      float weight = buffers.rows.weights[0];
      assert_true(weight > 0 && weight <= 1);
    }
  }
  assert_true(fabs(n_new - expected) < 400); // four standard deviations of unstratified draws
  model_buffers_end(&buffers);
  coh_replay_destroy(&replay);
  model_end(&m);
}

static void errors_that_are_not_finite_fail_the_next_refresh(void **state) {
  (void)state;
  coh_replay_config config = model_config(2, 2, 200, 2);
  config.options.prioritized = true;
  model m;
  coh_replay *replay = filled(&config, &m, 10);
  assert_ok(coh_replay_refresh(replay));
  assert_ok(coh_replay_draw(replay, 7, 0));
  const float errors[] = {1, NAN};
  assert_fails(coh_replay_write_back(replay, 8, errors), COH_E_INTERNAL, "in flight");
  assert_ok(coh_replay_write_back(replay, 7, errors));
  assert_fails(coh_replay_refresh(replay), COH_E_DIVERGED, "not finite");
  coh_replay_destroy(&replay);
  model_end(&m);
}

static void draws_stay_in_flight(void **state) {
  (void)state;
  coh_replay_config config = model_config(1, 1, 100, 4);
  config.options.prioritized = true;
  model m;
  coh_replay *replay = filled(&config, &m, 50);
  const float errors[] = {1, 2, 3, 4};
  assert_ok(coh_replay_refresh(replay));
  for (uint64_t update = 0; update < 3; update++)
    assert_ok(coh_replay_draw(replay, update, 0));
  assert_fails(coh_replay_write_back(replay, 0, errors), COH_E_INTERNAL, "0 is not in flight");
  assert_ok(coh_replay_write_back(replay, 1, errors));
  assert_ok(coh_replay_write_back(replay, 2, errors));
  coh_replay_rows rows = {0};
  assert_fails(coh_replay_gather(replay, 1, 0, &rows), COH_E_INTERNAL, "drawn last");
  assert_ok(coh_replay_gather(replay, 2, 0, &rows));
  coh_replay_destroy(&replay);
  model_end(&m);
}

static void nothing_is_left_allocated(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(frequencies_match_the_priorities),
      cmocka_unit_test(strata_leave_less_than_a_row_to_chance),
      cmocka_unit_test(alpha_zero_is_uniform_bit_for_bit),
      cmocka_unit_test(new_transitions_get_the_largest_priority),
      cmocka_unit_test(errors_that_are_not_finite_fail_the_next_refresh),
      cmocka_unit_test(draws_stay_in_flight),
      cmocka_unit_test(nothing_is_left_allocated),
  };
  return cmocka_run_group_tests_name("sampling", tests, NULL, NULL);
}
