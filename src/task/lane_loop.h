/* Lanes on threads: the one place where tasks meet OpenMP. */
#ifndef COHORT_TASK_LANE_LOOP_H
#define COHORT_TASK_LANE_LOOP_H

#include <stdint.h>

#include "cohort/status.h"

/* What is done for one lane; local: 0 .. n_local - 1. Different lanes may run at once. */
typedef coh_status coh_lane_function(void *context, int64_t local);

/* Run a function for every local lane on n_threads OpenMP threads, contiguous blocks of lanes a
 * thread. Not collective: the function makes no collective calls.
 * Fails: as the lowest lane that failed, with its message. */
coh_status coh_lane_loop(int n_threads, int64_t n_local, coh_lane_function *function,
                         void *context);

#endif
