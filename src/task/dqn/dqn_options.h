/* The options of task dqn. */
#ifndef COHORT_TASK_DQN_OPTIONS_H
#define COHORT_TASK_DQN_OPTIONS_H

#include "cohort/nn.h"
#include "cohort/option.h"
#include "cohort/replay.h"
#include "task/dqn/imitation_options.h"

typedef enum coh_dqn_schedule {
  COH_DQN_LOCKSTEP,
  COH_DQN_PIPELINED,
  COH_DQN_FREE
} coh_dqn_schedule;

typedef enum coh_dqn_explore {
  COH_DQN_EXPLORE_LINEAR,
  COH_DQN_EXPLORE_PER_ACTOR
} coh_dqn_explore;

typedef struct coh_dqn_exploration {
  int schedule; /* coh_dqn_explore */
  double start, end;
  int64_t steps;
  double base, spread; /* per actor: base^(1 + spread i / (n - 1)) */
} coh_dqn_exploration;

typedef struct coh_dqn_target_options {
  int64_t every; /* updates between hard copies; 0: Polyak at every update */
  double tau;
} coh_dqn_target_options;

typedef struct coh_dqn_beta {
  double start, end;
  int64_t steps;
} coh_dqn_beta;

typedef struct coh_dqn_evaluation {
  int64_t episodes, max_steps, seed;
  double epsilon;
} coh_dqn_evaluation;

typedef struct coh_dqn_options {
  coh_choice env;
  coh_choice_list network;
  coh_choice initializer, optimizer, loss;
  int64_t envs, rollout, train_every, learning_starts, batch;
  double gamma;
  int64_t n_step;
  bool double_q;
  double reward_clip;
  double temperature;   /* 0: greedy policies and hard maxima */
  int schedule;         /* coh_dqn_schedule */
  int64_t gradient_lag; /* updates, 0 or 1 */
  int64_t actor_ranks;  /* of the run's, the last ones */
  double free_slack;    /* environment steps for an update, as a multiple of train_every */
  int64_t free_lag;     /* updates */
  coh_dqn_target_options target;
  coh_dqn_exploration exploration;
  coh_replay_options replay;
  coh_dqn_beta beta;
  coh_dqn_evaluation evaluation;
  coh_imitation_options imitate;
  int64_t animation;
} coh_dqn_options;

extern const coh_option coh_dqn_option_table[];

/* Check what single rows cannot: sizes that must divide each other.
 * Fails: COH_E_CONFIG, naming the keys. */
coh_status coh_dqn_options_check(const coh_dqn_options *options, const char *config_name,
                                 int64_t n_lanes);

#endif
