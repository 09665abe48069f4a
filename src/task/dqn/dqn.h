/* Deep Q-learning: the state of the task, and the parts it is made of.
 *
 * A round, lockstep:    act (all lanes) -> store -> learn (updates that are due)
 * A round, pipelined:   act with the round's first weights | learn  ->  store
 * A round, free:        learn what is due, while actors act and store without end
 *
 * Everything a lane computes depends on the config, the seed and the lane; sums over lanes go
 * through coh_lane_sum; so ranks and threads do not change a bit.
 * Sources: Mnih et al., "Human-level control through deep reinforcement learning", 2015, and
 * those named in the option table. */
#ifndef COHORT_TASK_DQN_H
#define COHORT_TASK_DQN_H

#include <pthread.h>
#include <stdatomic.h>

#include "cohort/env.h"
#include "cohort/graph.h"
#include "cohort/nn.h"
#include "cohort/random.h"
#include "cohort/replay.h"
#include "cohort/task.h"
#include "task/dqn/dqn_options.h"
#include "task/dqn/imitation.h"
#include "task/episodes.h"
#include "task/lane_pass.h"
#include "task/layer_states.h"
#include "task/layer_watch.h"
#include "task/learner.h"

/* The tail of the lanes' gradients (task/learner.h). */
typedef enum coh_dqn_tail {
  COH_DQN_TAIL_LOSS,  /* sum over rows of weight x loss */
  COH_DQN_TAIL_ERROR, /* sum of |temporal difference error| */
  COH_DQN_TAIL_Q,     /* sum of Q(s, a) */
  COH_DQN_TAIL_Q_MAX, /* sum of max_a Q(s, a) */
  COH_DQN_TAIL_AGE,   /* sum of ages of the transitions, in steps of their environment */
} coh_dqn_tail;

/* One compiled program of action values: observations (n, ...) -> q (n, n_actions). */
typedef struct coh_dqn_values {
  coh_program *program;
  coh_value input, q;
  int64_t n_rows;
} coh_dqn_values;

/* The compiled update: loss and gradient of one lane's slice. */
typedef struct coh_dqn_update {
  coh_program *program;
  coh_value input;     /* states (n, ...) */
  coh_value action;    /* one-hot (n, n_actions) */
  coh_value target;    /* (n) */
  coh_value weight;    /* (n), importance weight / batch */
  coh_value q;         /* out (n, n_actions) */
  coh_value chosen;    /* out (n): Q(s, a) */
  coh_value losses;    /* out (n) */
  coh_value *gradient; /* out, one a parameter */
  int64_t n_parameters;
  coh_network_refresh refresh;
} coh_dqn_update;

/* Finished episodes of a lane since the last row of metrics. */
typedef struct coh_dqn_episodes {
  double returns, lengths; /* sums */
  int64_t count;
} coh_dqn_episodes;

typedef struct coh_dqn_lane {
  int64_t index; /* of the lane in the run */
  coh_env *env;
  coh_workspace *act, *value, *update;
  /* acting: one rollout is staged before it is stored; all in one block, which travels */
  uint8_t *frames;     /* (rollout, envs, row): what each action was chosen on */
  uint8_t *finals;     /* (rollout, envs, row): what followed it */
  int32_t *actions;    /* (rollout, envs) */
  float *rewards;      /* (rollout, envs) */
  uint8_t *terminated; /* (rollout, envs) */
  uint8_t *truncated;  /* (rollout, envs) */
  uint8_t *current;    /* (envs, row): the observations to act on next */
  double *running;     /* (envs): return of the episode so far */
  int64_t *ages;       /* (envs): its length */
  coh_dqn_episodes *episodes;
  int64_t *n_steps;         /* of each environment */
  coh_dqn_episodes rolling; /* schedule free: finished in the rollout that is under way */
  int64_t steps_at_window;  /* n_steps when the last row of metrics was made */
  bool is_busy;             /* schedule free: an actor is at it */
  /* learning: one slice of a minibatch */
  coh_replay_rows rows; /* points into the arrays below and into workspaces */
  float *next_q;        /* (rows, n_actions): copy of the target network's values */
  coh_workspace *judge; /* airl: values of the expert's and the agent's states */
  float *log_policy;    /* airl (2 rows): log pi(a|s), the expert's rows first */
} coh_dqn_lane;

/* Which ranks act and which learn: all do both, unless the last ones only act (dqn_roles.c). */
typedef struct coh_dqn_roles {
  bool acts, learns;
  bool apart;            /* on this run some ranks only act */
  int n_learners;        /* ranks; the first ones */
  coh_world *part;       /* apart: the ranks of this rank's role */
  coh_run_context learn; /* the run's, of the learners alone; lanes: those held here */
  size_t env_bytes;      /* of the environments of a lane */
  uint8_t *envs;         /* (n_local, env_bytes): their states on the way */
  size_t *send_bytes, *receive_bytes; /* (size) */
  bool has_loaded;                    /* the learners have what the actors must go on from */
} coh_dqn_roles;

/* Actors that never wait for the learner (dqn_free.c). */
typedef struct coh_dqn_actors {
  pthread_t *thread;
  int n_threads;          /* that were started */
  pthread_mutex_t *lock;  /* dqn->experience, of all below that is not atomic */
  pthread_cond_t changed; /* actors may go on, or one has stored */
  bool is_open, stops;    /* rollouts may begin; no more will */
  int n_busy;
  double budget;  /* environment steps that this rank's actors may still begin */
  int64_t stored; /* environment steps stored since ranks last agreed */
  coh_status status;
  char message[1024];
  /* weights: one pair of blocks is current, the other is written when its readers have gone */
  float *weights[2];
  int64_t version[2]; /* the learner's updates when it was written */
  atomic_int n_readers[2], current;
  _Atomic int64_t n_updates, lag; /* of the learner; most that a choice lagged behind */
} coh_dqn_actors;

typedef struct coh_dqn {
  const coh_run_context *context;
  const coh_dqn_options *options;
  coh_env_spec spec; /* borrows from lane 0's environments */
  coh_network *network;
  coh_graph *layout; /* a graph of one row: names and places of the parameters */
  coh_dqn_values act, value, evaluate;
  coh_dqn_update update;
  int64_t lane_envs, lane_rows;    /* environments and minibatch rows of a lane */
  int64_t n_floats;                /* of the parameter block */
  float *params, *target, *acting; /* acting: the weights that actors use (pipelined, free) */
  coh_learner learner;
  coh_imitation *imitation; /* NULL: rewards are the environment's */
  coh_lane_pass pass;
  coh_layer_states states;
  coh_layer_watch watch;
  bool has_learnt; /* in the round that has just ended */
  bool is_to_act; /* pipelined: the round's rollout, while the first sum of gradients travels */
  bool sum_travels; /* there is one to move on between operators */
  coh_replay *replay;
  coh_lane_sum *sum_real, *sum_count;
  coh_dqn_roles roles;
  coh_lanes lanes;      /* that this rank holds, in whatever role */
  coh_dqn_lane *lane;   /* n_local */
  uint8_t *staging;     /* (n_local, staged_bytes) */
  size_t staged_bytes;  /* of a lane */
  float *errors;        /* (n_local x lane_rows): for the write-back */
  const void **sources; /* n_local pointers for lane sums */
  coh_key explore_key;
  int64_t n_steps;       /* of each environment; environment steps = n_steps x envs */
  int64_t learner_steps; /* n_steps as the round's learner sees it, for ages */
  int64_t env_steps;     /* over all environments; schedule free: as all ranks last agreed */
  /* accumulated since the last row of metrics */
  double act_seconds, learn_seconds, window_begun;
  int64_t steps_at_window, updates_at_window;
  coh_score score;   /* of the last evaluation ... */
  int64_t scored_at; /* ... and the updates it was made after; -1: none yet */
  int64_t lag;       /* updates that the last round's actors had not seen when they ended;
                        schedule free: most since the last row of metrics, at a choice */
  int64_t slow_lane; /* the lane that was last named as slow, plus 1; 0: none */
  /* schedule free: actors store while the learner draws, one at a time */
  pthread_mutex_t experience;
  coh_dqn_actors actors;
  /* copies that a checkpoint being written borrows */
  int64_t saved_counters[2];
} coh_dqn;

/* ---- programs: dqn_programs.c */

/* Compile all programs. Fails: COH_E_CONFIG, COH_E_MEMORY. */
coh_status coh_dqn_programs_create(coh_dqn *dqn);
void coh_dqn_programs_destroy(coh_dqn *dqn);

/* ---- rounds: dqn_round.c */

/* One round of the task's schedule. Collective. */
coh_status coh_dqn_round(void *task);

/* ---- acting: dqn_act.c */

/* Act one rollout in every local lane with the given weights, into the staging arrays. */
coh_status coh_dqn_act(coh_dqn *dqn, const float *params, int n_threads);

/* Store what was staged. */
coh_status coh_dqn_store(coh_dqn *dqn, int n_threads);

/* The same for one lane. Acting leaves the lane's count of steps alone; params: NULL takes the
 * newest weights before every choice, and counts episodes in `rolling`. */
coh_status coh_dqn_act_lane(coh_dqn *dqn, coh_dqn_lane *lane, const float *params);
coh_status coh_dqn_store_lane(const coh_dqn *dqn, const coh_dqn_lane *lane);

/* ---- ranks that only act or only learn: dqn_roles.c */

/* Give this rank its roles and lanes. Collective. */
coh_status coh_dqn_roles_create(coh_dqn *dqn);
void coh_dqn_roles_destroy(coh_dqn *dqn);

/* Where some ranks only act: the learners' weights and counts to all; a round; and what the
 * learners save of environments, which the actors have. Collective. */
coh_status coh_dqn_roles_share(coh_dqn *dqn);
coh_status coh_dqn_roles_round(coh_dqn *dqn);
coh_status coh_dqn_roles_fetch_envs(coh_dqn *dqn);

/* ---- schedule free: dqn_free.c */

/* Memory of the actors. Not collective. Fails: COH_E_MEMORY. */
coh_status coh_dqn_free_create(coh_dqn *dqn);

/* A round: what is due, at most free_lag updates. Starts the actors when they are not there.
 * Collective. */
coh_status coh_dqn_free_round(coh_dqn *dqn);

/* Wait until no actor is in the middle of a rollout; none begins one before the next round. */
void coh_dqn_free_rest(coh_dqn *dqn);

/* End the actors' threads. Not collective. */
void coh_dqn_free_stop(coh_dqn *dqn);

/* The newest weights, which do not change before they are given back. Any thread. */
const float *coh_dqn_free_take(coh_dqn *dqn, int *which);
void coh_dqn_free_give(coh_dqn *dqn, int which);

/* Choose actions epsilon-greedily: q (n, n_actions); entity e of row i is first + i.
 * Ties go to the lowest action. */
void coh_dqn_choose(coh_key key, int64_t first, int64_t step, const double *epsilon, int64_t n,
                    int64_t n_actions, const float *q, int32_t *actions);

/* Choose actions with probability exp(q / temperature) / sum, but epsilon-greedily's random
 * ones with probability epsilon. Otherwise as coh_dqn_choose. */
void coh_dqn_choose_softly(coh_key key, int64_t first, int64_t step, const double *epsilon,
                           double temperature, int64_t n, int64_t n_actions, const float *q,
                           int32_t *actions);

/* ---- learning: dqn_learn.c */

/* Do the updates that are due after env_steps, at most `most`. Collective.
 * Fails: COH_E_DIVERGED on all ranks. */
coh_status coh_dqn_learn(coh_dqn *dqn, int64_t most, int n_threads);

/* Updates due after so many environment steps. */
int64_t coh_dqn_updates_due(const coh_dqn_options *options, int64_t env_steps);

/* ---- targets: dqn_target.c */

/* y_i = R_i + discount_i max_a target_q(s'_i, a); with choice_q (double DQN) the action is the
 * argmax of choice_q instead. target_q, choice_q: (n, n_actions), choice_q may be NULL. y: out
 * (n). */
void coh_dqn_targets(int64_t n, int64_t n_actions, const float *returns, const float *discounts,
                     const float *target_q, const float *choice_q, float *y);

/* The same with the soft maximum, y_i = R_i + discount_i V(target_q_i). */
void coh_dqn_soft_targets(int64_t n, int64_t n_actions, double temperature,
                          const float *returns, const float *discounts, const float *target_q,
                          float *y);

/* V = temperature log sum_a exp(q_a / temperature) of one state, without overflow. */
double coh_dqn_soft_maximum(int64_t n_actions, double temperature, const float *q);

/* Index of the first largest of n values. */
int64_t coh_dqn_argmax(const float *values, int64_t n);

/* ---- exploration: dqn_exploration.c */

/* Epsilon of environment `env` (of n_envs) after env_steps environment steps. */
double coh_dqn_epsilon(const coh_dqn_exploration *options, int64_t learning_starts,
                       int64_t env_steps, int64_t env, int64_t n_envs);

/* ---- evaluation: dqn_evaluate.c */

/* Play the evaluation's episodes. epsilon: 1 plays at random. Collective. */
coh_status coh_dqn_play(coh_dqn *dqn, double epsilon, coh_score *score);

/* ---- task functions in files of their own */
coh_status coh_dqn_create(const coh_run_context *context, const void *options, void **task);
void coh_dqn_destroy(void **task);
coh_status coh_dqn_save(void *task, coh_saver *saver);
coh_status coh_dqn_load(void *task, coh_loader *loader);
void coh_dqn_held(const void *task, coh_lanes *lanes);
coh_status coh_dqn_save_lane(void *task, int64_t lane, coh_saver *saver);
coh_status coh_dqn_load_lane(void *task, int64_t lane, coh_loader *loader);
coh_status coh_dqn_evaluate(void *task, coh_metric_row *exact);
coh_status coh_dqn_results(void *task, coh_results *results);
const coh_choice *coh_dqn_environment(const void *task);

/* Action values of n states, q (n, n_actions): a coh_agent_values. Every rank has them. */
coh_status coh_dqn_values_of(void *task, int64_t n, const float *states, double *q);
coh_status coh_dqn_act_greedily(void *task, int64_t n, const float *states, int32_t *actions);

#endif
