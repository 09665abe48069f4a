/* The learning problems that bench_dqn measures: task dqn as the product makes it, with its
 * replay filled, ready to learn. */
#ifndef COHORT_BENCH_DQN_PROBLEM_H
#define COHORT_BENCH_DQN_PROBLEM_H

#include "task/dqn/dqn.h"

typedef struct dqn_problem {
  coh_dqn_options options;
  coh_run_context context;
  coh_dqn *dqn;
} dqn_problem;

/* Make a problem: minatar4, minatar10, cartpole_small, cartpole or nature; batch 0: the
 * problem's own. Caller closes, also after a failure. */
coh_status dqn_problem_open(dqn_problem *problem, const char *name, coh_world *world,
                            int64_t n_lanes, int64_t batch, bool prioritized);
void dqn_problem_close(dqn_problem *problem);

/* Names of the problems, separated by ", ". */
const char *dqn_problem_names(void);

#endif
