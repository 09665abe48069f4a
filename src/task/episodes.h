/* Whole episodes that judge a policy, in environments and seeds of their own. A lane plays some
 * of them; environment i plays episode i, whoever steps it, so the bits do not depend on
 * layout. */
#ifndef COHORT_TASK_EPISODES_H
#define COHORT_TASK_EPISODES_H

#include "cohort/env.h"
#include "cohort/task.h"

/* One episode, as far as it has been played. */
typedef struct coh_episode {
  double reward;     /* sum of rewards */
  double discounted; /* the same, reward t times gamma^t */
  double length;     /* steps */
} coh_episode;

/* What they are played in. Borrowed. */
typedef struct coh_evaluation {
  const coh_choice *env;
  uint64_t run_seed;
  int64_t seed; /* the evaluation's own */
  int64_t max_steps;
  double gamma;
} coh_evaluation;

/* Episodes first .. first + n of an evaluation. */
typedef struct coh_episodes {
  coh_env *env;
  coh_env_spec spec;  /* borrows from env */
  int64_t n, n_going; /* episodes, and those that go on */
  int64_t max_steps, n_steps;
  double gamma, discount; /* gamma^n_steps */
  uint8_t *rows, *terminated, *truncated;
  uint8_t *over;        /* (n): the episode has ended; its environment plays on, uncounted */
  float *rewards;       /* of the last step */
  int32_t *actions;     /* (n): to be filled before a step */
  coh_episode *episode; /* (n), borrowed */
} coh_episodes;

/* Make them and begin; n >= 1. episode: zeros, n; they are added to. Close in any case.
 * Not collective. Fails: as coh_env_create. */
coh_status coh_episodes_open(const coh_evaluation *evaluation, int64_t first, int64_t n,
                             coh_episode *episode, coh_episodes *episodes);
void coh_episodes_close(coh_episodes *episodes);

/* What the policy sees: states (n, n_values), out. */
void coh_episodes_observe(const coh_episodes *episodes, float *states);

/* Take the actions; those of episodes that are over only have to be valid. Episodes that reach
 * max_steps are over as they are. Not collective. */
coh_status coh_episodes_step(coh_episodes *episodes);

/* What an evaluation found. */
typedef struct coh_score {
  double mean, low, high; /* of the return, with Student's 95% interval; of one: the mean */
  double discounted;      /* mean discounted return */
  double length;          /* mean steps an episode */
  double best, worst;
  int64_t n_episodes;
} coh_score;

/* Of n >= 1 episodes, summed in order. */
void coh_score_episodes(int64_t n, const coh_episode *episode, coh_score *score);

/* The metrics eval/return and so on. */
void coh_score_metrics(const coh_score *score, coh_metric_row *row);

/* The mean return as a number of the results, with its interval. */
void coh_score_results(const coh_score *score, const char *key, const char *label,
                       coh_results *results);

#endif
