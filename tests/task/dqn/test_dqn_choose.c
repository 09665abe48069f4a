/* Choosing actions: greedy, random, and always the same for the same environment and step. */
#include "cohort_test.h"

#include <string.h>

#include "task/dqn/dqn.h"

enum { N_ACTIONS = 6, N_ROWS = 40 };

static void fill(double *epsilon, double value, float *q) {
  for (int64_t i = 0; i < N_ROWS; i++) {
    epsilon[i] = value;
    for (int64_t a = 0; a < N_ACTIONS; a++)
      q[i * N_ACTIONS + a] = (float)((a * 7 + i * 3) % 5); // ties included
  }
}

static void dqn_choose_is_greedy_without_epsilon(void **state) {
  (void)state;
  double epsilon[N_ROWS];
  float q[N_ROWS * N_ACTIONS];
  int32_t actions[N_ROWS];
  fill(epsilon, 0, q);
  coh_dqn_choose(coh_key_make(1, "test"), 0, 9, epsilon, N_ROWS, N_ACTIONS, q, actions);
  for (int64_t i = 0; i < N_ROWS; i++)
    for (int32_t a = 0; a < N_ACTIONS; a++) {
      float mine = q[i * N_ACTIONS + actions[i]], other = q[i * N_ACTIONS + a];
      assert_true(a < actions[i] ? other < mine : other <= mine);
    }
}

// chi-square against the uniform law, 5 degrees of freedom: above 25.7 once in 10,000
static void dqn_choose_is_uniform_with_epsilon_one(void **state) {
  (void)state;
  double epsilon[N_ROWS], chi = 0;
  float q[N_ROWS * N_ACTIONS];
  int32_t actions[N_ROWS];
  int64_t count[N_ACTIONS] = {0}, n_steps = 2000;
  fill(epsilon, 1, q);
  for (int64_t step = 0; step < n_steps; step++) {
    coh_dqn_choose(coh_key_make(3, "test"), 0, step, epsilon, N_ROWS, N_ACTIONS, q, actions);
    for (int64_t i = 0; i < N_ROWS; i++)
      count[actions[i]]++;
  }
  double expected = (double)(n_steps * N_ROWS) / N_ACTIONS;
  for (int a = 0; a < N_ACTIONS; a++)
    chi += ((double)count[a] - expected) * ((double)count[a] - expected) / expected;
  assert_true(chi < 25.7);
}

// of n choices, epsilon (1 - 1 / actions) are not greedy; within 5 standard deviations
static void dqn_choose_explores_as_often_as_epsilon_says(void **state) {
  (void)state;
  enum { ROWS = 3 };
  const double epsilon[ROWS] = {0.05, 0.3, 0.8};
  const float q[ROWS * 4] = {0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1};
  const int32_t greedy[ROWS] = {1, 0, 3};
  int64_t other[ROWS] = {0}, n = 20000;
  for (int64_t step = 0; step < n; step++) {
    int32_t actions[ROWS];
    coh_dqn_choose(coh_key_make(4, "test"), 100, step, epsilon, ROWS, 4, q, actions);
    for (int i = 0; i < ROWS; i++)
      other[i] += actions[i] != greedy[i];
  }
  for (int i = 0; i < ROWS; i++) {
    double p = epsilon[i] * 0.75;
    assert_within((double)other[i] / (double)n, p, 5 * sqrt(p * (1 - p) / (double)n));
  }
}

static void dqn_choose_does_not_depend_on_the_batch(void **state) {
  (void)state;
  double epsilon[N_ROWS];
  float q[N_ROWS * N_ACTIONS];
  int32_t whole[N_ROWS], parts[N_ROWS];
  fill(epsilon, 0.5, q);
  coh_key key = coh_key_make(5, "test");
  coh_dqn_choose(key, 1000, 77, epsilon, N_ROWS, N_ACTIONS, q, whole);
  for (int64_t begin = 0, n = 1; begin < N_ROWS; begin += n, n += 2) {
    if (n > N_ROWS - begin) n = N_ROWS - begin;
    coh_dqn_choose(key, 1000 + begin, 77, epsilon + begin, n, N_ACTIONS, q + begin * N_ACTIONS,
                   parts + begin);
  }
  assert_memory_equal(whole, parts, sizeof whole);
  // another step, environment or key is another draw
  coh_dqn_choose(key, 1000, 78, epsilon, N_ROWS, N_ACTIONS, q, parts);
  assert_memory_not_equal(whole, parts, sizeof whole);
  coh_dqn_choose(key, 2000, 77, epsilon, N_ROWS, N_ACTIONS, q, parts);
  assert_memory_not_equal(whole, parts, sizeof whole);
  coh_dqn_choose(coh_key_make(6, "test"), 1000, 77, epsilon, N_ROWS, N_ACTIONS, q, parts);
  assert_memory_not_equal(whole, parts, sizeof whole);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dqn_choose_is_greedy_without_epsilon),
      cmocka_unit_test(dqn_choose_is_uniform_with_epsilon_one),
      cmocka_unit_test(dqn_choose_explores_as_often_as_epsilon_says),
      cmocka_unit_test(dqn_choose_does_not_depend_on_the_batch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
