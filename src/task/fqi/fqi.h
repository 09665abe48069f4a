/* Fitted Q-iteration: the state of the task, and its parts.
 *
 *   batch (read, or recorded)  ->  iterations: targets, fit, values at next states  ->  policy
 *
 * An iteration fits Q(s_i, a_i) = r_i + gamma max_a Q_before(s'_i, a) on the whole batch. The
 * batch is replicated; regressors part their work over lanes (task/fqi/regressor.h), so ranks
 * and threads do not change a bit.
 * Source: Ernst, Geurts, Wehenkel, "Tree-based batch mode reinforcement learning", JMLR 6,
 * 2005. */
#ifndef COHORT_TASK_FQI_H
#define COHORT_TASK_FQI_H

#include "cohort/env.h"
#include "cohort/task.h"
#include "data/transitions.h"
#include "task/episodes.h"
#include "task/fqi/fqi_options.h"
#include "task/fqi/regressor.h"
#include "task/fqi/row_store.h"
#include "task/greedy.h"

/* What the last iteration did. */
typedef struct coh_fqi_iteration {
  double change, largest_change; /* of values at next states: root mean square, maximum */
  double value;                  /* mean over rows that go on of max_a Q(s', a) */
} coh_fqi_iteration;

/* What is known of the data's support, from the clone of the behaviour. */
typedef struct coh_fqi_support {
  double likelihood; /* mean log-probability of the recorded actions */
  double uniform;    /* the same of choosing uniformly */
  double outside;    /* share of recorded states whose greedy action has no support */
  double played;     /* the same over the states that greedy play visits; NAN: no play */
  coh_score clone;   /* of playing the clone's likeliest actions */
} coh_fqi_support;

typedef struct coh_fqi {
  const coh_run_context *context;
  const coh_fqi_options *options;
  coh_transitions *batch;
  coh_fqi_problem problem;
  coh_regressor regressor;
  const coh_choice *env, *play_env; /* NULL: none */
  coh_row_store store;              /* of the three below */
  double *targets;                  /* (n_rows): of the last fit */
  double *next, *before;            /* (n_rows, n_actions): Q at next states, now and before */
  int64_t n_iterations, n_additions;
  bool is_done;
  coh_fqi_iteration last;
  double window_begun;
  int64_t n_window;
  coh_score score;
  double fitted; /* estimate of the return by fitted Q evaluation */
  int64_t scored_at;
  int64_t saved_counters[4]; /* what a checkpoint being written borrows */
  double saved_numbers[4];
} coh_fqi;

/* ---- fqi_batch.c */

/* Read or record the batch. Every rank does the same. Fails: COH_E_DATA, COH_E_CONFIG. */
coh_status coh_fqi_batch_open(coh_fqi *fqi);

/* Add the transitions of a policy that acts greedily but for epsilon. Collective. */
coh_status coh_fqi_batch_grow(coh_fqi *fqi);

/* ---- fqi_create.c */

/* Zeroed targets and values of the batch's rows, instead of those that there are.
 * Fails: COH_E_MEMORY, COH_E_IO. */
coh_status coh_fqi_make_values(coh_fqi *fqi);

/* ---- fqi_policy.c */

/* Actions of n states. */
typedef coh_status coh_fqi_policy(void *context, int64_t n, const float *states,
                                  int32_t *actions);

/* The greedy policy; ties go to the lowest action. task: coh_fqi. Collective. */
coh_status coh_fqi_act(void *task, int64_t n, const float *states, int32_t *actions);

/* Play the evaluation's episodes, each lane its own; policy NULL: at random. visit: told of the
 * states acted in, all of them on every rank, or NULL. Collective, since a policy is. */
typedef void coh_fqi_visit(void *context, int64_t n, const float *states,
                           const int32_t *actions);
coh_status coh_fqi_play(coh_fqi *fqi, coh_fqi_policy *policy, void *policy_context,
                        coh_fqi_visit *visit, void *visit_context, coh_score *score);

/* ---- fqi_iterate.c */
coh_status coh_fqi_step(void *task);

/* The mean value of the states that episodes of the batch begin in, under the greedy policy, by
 * n iterations of fitted Q evaluation. Collective. */
coh_status coh_fqi_evaluate_fitted(coh_fqi *fqi, int64_t n, double *value);

/* ---- fqi_support.c */

/* Clone the behaviour and measure with it. Collective. */
coh_status coh_fqi_measure_support(coh_fqi *fqi, coh_fqi_support *support);

/* ---- fqi_pictures.c: rank 0 draws; collective, since values are. */
coh_status coh_fqi_draw(coh_fqi *fqi, coh_results *results);

/* ---- task functions in files of their own */
coh_status coh_fqi_create(const coh_run_context *context, const void *options, void **task);
void coh_fqi_destroy(void **task);
coh_status coh_fqi_save(void *task, coh_saver *saver);
coh_status coh_fqi_load(void *task, coh_loader *loader);
coh_status coh_fqi_evaluate(void *task, coh_metric_row *exact);
coh_status coh_fqi_results(void *task, coh_results *results);

#endif
