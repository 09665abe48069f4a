/* The bootstrapped target against values worked out by hand. */
#include "cohort_test.h"

#include <string.h>

#include "task/dqn/dqn.h"

// rows: 1-step, terminal, truncated (bootstraps all the same), 3-step, ties
static const float returns[] = {1.0f, -2.0f, 0.5f, 1.75f, 0.0f};
static const float discounts[] = {0.5f, 0.0f, 0.5f, 0.125f, 1.0f};
static const float target_q[] = {
    1,  4,  2, // largest 4
    9,  9,  9, // no value beyond the end
    -3, -1, -2, 8, -8, 0, 7, 7, 7,
};

static void dqn_target_is_return_plus_discounted_largest_value(void **state) {
  (void)state;
  float y[5];
  coh_dqn_targets(5, 3, returns, discounts, target_q, NULL, y);
  // small binary fractions: exact in floats, so compared exactly
  assert_true(y[0] == 3.0f);
  assert_true(y[1] == -2.0f);
  assert_true(y[2] == 0.0f);
  assert_true(y[3] == 2.75f);
  assert_true(y[4] == 7.0f);
}

static void dqn_target_double_values_the_choice_of_the_other_network(void **state) {
  (void)state;
  static const float choice_q[] = {
      5, 0, 0,                            // chooses 0, whose target value is 1
      0, 0, 1, 0, 0, 3, 0, 2, 1, 2, 2, 1, // a tie: the first of the two
  };
  static const float rows[] = {1, 4, 2, 9, 9, 9, -3, -1, -2, 8, -8, 0, 3, 5, 7};
  float y[5];
  coh_dqn_targets(5, 3, returns, discounts, rows, choice_q, y);
  assert_true(y[0] == 1.5f);
  assert_true(y[1] == -2.0f);
  assert_true(y[2] == -0.5f);
  assert_true(y[3] == 0.75f);
  assert_true(y[4] == 3.0f);
}

static void dqn_argmax_takes_the_first_of_equals(void **state) {
  (void)state;
  static const float values[] = {-1, 2, 2, -5, 2};
  assert_int_equal(coh_dqn_argmax(values, 5), 1);
  assert_int_equal(coh_dqn_argmax(values, 1), 0);
  assert_int_equal(coh_dqn_argmax((const float[]){0.0f, -0.0f}, 2), 0);
}

static void dqn_updates_due_count_steps_after_the_start(void **state) {
  (void)state;
  coh_dqn_options options = {.learning_starts = 1000, .train_every = 4};
  static const int64_t at[][2] = {{0, 0}, {1000, 0}, {1003, 0}, {1004, 1}, {1100, 25}};
  for (size_t i = 0; i < sizeof at / sizeof *at; i++)
    assert_int_equal(coh_dqn_updates_due(&options, at[i][0]), at[i][1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dqn_target_is_return_plus_discounted_largest_value),
      cmocka_unit_test(dqn_target_double_values_the_choice_of_the_other_network),
      cmocka_unit_test(dqn_argmax_takes_the_first_of_equals),
      cmocka_unit_test(dqn_updates_due_count_steps_after_the_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
