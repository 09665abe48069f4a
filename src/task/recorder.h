/* Acting in one environment, an episode after the other, into a batch of transitions: recorded
 * behaviour and batches that grow. Every rank steps the same environment, since an agent's
 * choices are collective. */
#ifndef COHORT_TASK_RECORDER_H
#define COHORT_TASK_RECORDER_H

#include "cohort/env.h"
#include "data/transitions.h"

typedef struct coh_recorder {
  coh_env *env;
  coh_env_spec spec; /* borrows from env */
  uint8_t *row;
  float *state, *next_state;    /* to act in, and what followed */
  double total;                 /* reward of the episode so far */
  const coh_transitions *batch; /* being made; borrowed */
} coh_recorder;

/* The action to take in recorder->state, or -1 to stop. Fails: as it likes. */
typedef coh_status coh_recorder_choose(void *context, const coh_recorder *recorder,
                                       int32_t *action);

typedef struct coh_recording {
  coh_recorder_choose *choose; /* NULL: actions are drawn uniformly */
  void *context;
  double epsilon;     /* chance of a random action instead */
  uint64_t seed;      /* of random actions */
  int64_t n_rows;     /* that the batch has at the end; the last episode is cut there */
  int64_t n_episodes; /* after which it ends too; 0: any number */
} coh_recording;

/* Make environment `index` of a seed. Close in any case. Not collective.
 * Fails: as coh_env_create. */
coh_status coh_recorder_open(const coh_choice *env, int64_t index, uint64_t seed,
                             coh_recorder *recorder);
void coh_recorder_close(coh_recorder *recorder);

/* Begin an episode and act until the batch is as long as asked for. batch: one that can be
 * appended to. Collective if `choose` is. Fails: as choose; COH_E_MEMORY. */
coh_status coh_recorder_run(coh_recorder *recorder, const coh_recording *what,
                            coh_transitions *batch);

#endif
