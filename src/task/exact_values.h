/* What an agent has learnt of a finite environment, beside the exact answer: a gridworld,
 * FrozenLake or CliffWalking is also a model that can be solved (coh_mdp_from_env). Time limits
 * are left out of it. */
#ifndef COHORT_TASK_EXACT_VALUES_H
#define COHORT_TASK_EXACT_VALUES_H

#include "cohort/mdp.h"
#include "cohort/task.h"

/* Action values of n states: states (n, n_values) as floats, q: out (n, n_actions). */
typedef coh_status coh_agent_values(void *agent, int64_t n, const float *states, double *q);

typedef struct coh_exact_values {
  const coh_run_context *context;
  const coh_choice *env;
  double gamma;
  coh_agent_values *values;
  void *agent;
} coh_exact_values;

/* Solve, compare over the states that can be reached from the start, and say it: numbers
 * exact_value (the best discounted value of the start), policy_value (what the greedy policy is
 * worth there), values_rms and values_largest (how far max Q is from V*), and a picture of
 * both. Nothing where the environment is not finite or its total reward has no bound.
 * Collective, since values are. Fails: as values; COH_E_IO, COH_E_MEMORY. */
coh_status coh_exact_values_results(const coh_exact_values *given, coh_results *results);

#endif
