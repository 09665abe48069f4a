/* Epsilon schedules against their formulas. */
#include "cohort_test.h"

#include <string.h>

#include "task/dqn/dqn.h"

static void dqn_epsilon_falls_in_a_straight_line_after_learning_starts(void **state) {
  (void)state;
  const coh_dqn_exploration options = {
      .schedule = COH_DQN_EXPLORE_LINEAR, .start = 0.9, .end = 0.1, .steps = 400};
  static const double at[][2] = {{0, 0.9},   {99, 0.9},  {100, 0.9}, {200, 0.7},
                                 {300, 0.5}, {500, 0.1}, {501, 0.1}, {1e9, 0.1}};
  for (size_t i = 0; i < sizeof at / sizeof *at; i++)
    for (int64_t env = 0; env < 3; env++)
      assert_within(coh_dqn_epsilon(&options, 100, (int64_t)at[i][0], env, 3), at[i][1], 1e-12);
}

// Horgan et al. 2018: epsilon_i = epsilon^(1 + alpha i / (N - 1)), epsilon 0.4, alpha 7
static void dqn_epsilon_of_an_actor_follows_ape_x(void **state) {
  (void)state;
  const coh_dqn_exploration options = {
      .schedule = COH_DQN_EXPLORE_PER_ACTOR, .start = 1, .base = 0.4, .spread = 7, .steps = 1};
  assert_within(coh_dqn_epsilon(&options, 50, 49, 3, 8), 1.0, 0);
  double product = 0.4;
  for (int64_t env = 0; env < 8; env++, product *= 0.4)
    for (int64_t steps = 50; steps < 1000000; steps *= 10)
      assert_within(coh_dqn_epsilon(&options, 50, steps, env, 8), product, 1e-15);
  assert_within(coh_dqn_epsilon(&options, 0, 7, 0, 1), 0.4, 1e-15);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dqn_epsilon_falls_in_a_straight_line_after_learning_starts),
      cmocka_unit_test(dqn_epsilon_of_an_actor_follows_ape_x),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
