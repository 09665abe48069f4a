/* Epsilon schedules: one for all that falls, or one an actor that stays.
 * Source of the latter: Horgan et al., "Distributed prioritized experience replay", 2018. */
#include <math.h>

#include "task/dqn/dqn.h"

double coh_dqn_epsilon(const coh_dqn_exploration *options, int64_t learning_starts,
                       int64_t env_steps, int64_t env, int64_t n_envs) {
  if (env_steps < learning_starts) return options->start;
  if (options->schedule == COH_DQN_EXPLORE_PER_ACTOR) {
    double place = n_envs > 1 ? (double)env / (double)(n_envs - 1) : 0;
    return pow(options->base, 1 + options->spread * place);
  }
  double way = (double)(env_steps - learning_starts) / (double)options->steps;
  return way >= 1 ? options->end : options->start + way * (options->end - options->start);
}
