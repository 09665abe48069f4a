/* The bootstrapped target of Q-learning, plain and double. */
#include <math.h>

#include "task/dqn/dqn.h"

int64_t coh_dqn_argmax(const float *values, int64_t n) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (values[i] > values[best]) best = i;
  return best;
}

void coh_dqn_targets(int64_t n, int64_t n_actions, const float *returns, const float *discounts,
                     const float *target_q, const float *choice_q, float *y) {
  for (int64_t i = 0; i < n; i++) {
    const float *value = target_q + i * n_actions;
    const float *choice = choice_q ? choice_q + i * n_actions : value;
    y[i] = returns[i] + discounts[i] * value[coh_dqn_argmax(choice, n_actions)];
  }
}

double coh_dqn_soft_maximum(int64_t n_actions, double temperature, const float *q) {
  double best = (double)q[coh_dqn_argmax(q, n_actions)], sum = 0;
  for (int64_t a = 0; a < n_actions; a++)
    sum += exp(((double)q[a] - best) / temperature);
  return best + temperature * log(sum);
}

void coh_dqn_soft_targets(int64_t n, int64_t n_actions, double temperature,
                          const float *returns, const float *discounts, const float *target_q,
                          float *y) {
  for (int64_t i = 0; i < n; i++) {
    double value = coh_dqn_soft_maximum(n_actions, temperature, target_q + i * n_actions);
    y[i] = (float)((double)returns[i] + (double)discounts[i] * value);
  }
}
