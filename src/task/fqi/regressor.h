/* Regressors: what fitted Q-iteration fits action values with. One file in regressors/ and one
 * line in regressor.def each.
 *
 * Every function but create and destroy is collective: trees and blocks of rows are parted over
 * lanes, and what is handed out is the same on all ranks, for every layout. */
#ifndef COHORT_TASK_FQI_REGRESSOR_H
#define COHORT_TASK_FQI_REGRESSOR_H

#include "cohort/task.h"
#include "data/transitions.h"

/* What a regressor is made for. Borrowed for its life. */
typedef struct coh_fqi_problem {
  const coh_run_context *context;
  const coh_transitions *batch;
  const char *name; /* of saved tensors and draws: "" or "evaluation." */
} coh_fqi_problem;

typedef struct coh_regressor_type {
  coh_kind kind;

  /* Make one in its first state. Not collective. options: borrowed for its life. */
  coh_status (*create)(const coh_fqi_problem *problem, const void *options, void **regressor);
  void (*destroy)(void **regressor);

  /* The collective part of create: sums over lanes. May be NULL. */
  coh_status (*connect)(void *regressor);

  /* Fit Q(s_i, a_i) = targets[i] on all rows of the batch; iteration: from 0, for draws.
   * next: out (n_rows, n_actions): Q at the rows' next states, 0 where the row terminated.
   * Fails: COH_E_DIVERGED. */
  coh_status (*fit)(void *regressor, int64_t iteration, const double *targets, double *next);

  /* Q of n states: q (n, n_actions). */
  coh_status (*values)(void *regressor, int64_t n, const float *states, double *q);

  /* What fit does not make again from the same targets. NULL: nothing; then a checkpoint is
   * loaded by fitting once more. */
  coh_status (*save)(void *regressor, coh_saver *saver);
  coh_status (*load)(void *regressor, coh_loader *loader);
} coh_regressor_type;

extern const coh_kind_set coh_regressor_kinds;

/* A regressor that is made. */
typedef struct coh_regressor {
  const coh_regressor_type *type;
  void *state;
} coh_regressor;

/* Create and connect. Collective. Fails (agreed). */
coh_status coh_regressor_open(const coh_choice *choice, const coh_fqi_problem *problem,
                              coh_regressor *regressor);
void coh_regressor_close(coh_regressor *regressor);

#endif
