/* Soft Q-learning's maximum and policy against their closed forms. */
#include "cohort_test.h"

#include <string.h>

#include "task/dqn/dqn.h"

static void dqn_soft_maximum_is_log_sum_exp(void **state) {
  (void)state;
  const float equal[5] = {3, 3, 3, 3, 3}, two[2] = {1, 2}, far[3] = {-1e4f, 1e4f, 0};
  assert_within(coh_dqn_soft_maximum(5, 0.5, equal), 3 + 0.5 * log(5), 1e-12);
  assert_within(coh_dqn_soft_maximum(2, 1, two), log(exp(1) + exp(2)), 1e-12);
  assert_within(coh_dqn_soft_maximum(3, 1, far), 1e4, 1e-9);
  // a temperature near zero is the maximum
  assert_within(coh_dqn_soft_maximum(2, 1e-3, two), 2, 1e-12);
}

static void dqn_soft_targets_bootstrap_from_it(void **state) {
  (void)state;
  const float returns[2] = {1, -1}, discounts[2] = {0.9f, 0}, q[4] = {1, 2, 5, 7};
  float y[2];
  coh_dqn_soft_targets(2, 2, 1, returns, discounts, q, y);
  assert_within(y[0], 1 + (double)0.9f * log(exp(1) + exp(2)), 1e-6);
  assert_within(y[1], -1, 0);
}

static void dqn_soft_policy_has_boltzmann_frequencies(void **state) {
  (void)state;
  enum { N = 20000, N_ACTIONS = 3 };
  const double temperature = 0.7;
  static float q[N * N_ACTIONS];
  static double epsilon[N];
  static int32_t actions[N], again[N];
  for (int i = 0; i < N; i++)
    memcpy(q + i * N_ACTIONS, (float[]){0, 0.5f, -1}, N_ACTIONS * sizeof *q);
  coh_key key = coh_key_make(3, "test");
  coh_dqn_choose_softly(key, 0, 5, epsilon, temperature, N, N_ACTIONS, q, actions);
  double weight[N_ACTIONS], sum = 0, count[N_ACTIONS] = {0};
  for (int a = 0; a < N_ACTIONS; a++)
    sum += weight[a] = exp((double)q[a] / temperature);
  for (int i = 0; i < N; i++)
    count[actions[i]]++;
  for (int a = 0; a < N_ACTIONS; a++) {
    double p = weight[a] / sum;
    assert_within(count[a] / N, p, 4.5 * sqrt(p * (1 - p) / N));
  }
  // cut anywhere, the same choices
  coh_dqn_choose_softly(key, 0, 5, epsilon, temperature, 777, N_ACTIONS, q, again);
  coh_dqn_choose_softly(key, 777, 5, epsilon + 777, temperature, N - 777, N_ACTIONS,
                        q + 777 * N_ACTIONS, again + 777);
  assert_memory_equal(actions, again, sizeof actions);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dqn_soft_maximum_is_log_sum_exp),
      cmocka_unit_test(dqn_soft_targets_bootstrap_from_it),
      cmocka_unit_test(dqn_soft_policy_has_boltzmann_frequencies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
