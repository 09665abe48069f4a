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

/* Run two functions at the same time, each with its share of n_threads: `first` in the calling
 * thread, which may make collective calls, `second` in another. With one thread: `second`, then
 * `first`. The functions get the threads they may use.
 * Fails: as first, else as second, with the message. */
typedef coh_status coh_half_function(void *context, int n_threads);
coh_status coh_lane_pair(int n_threads, coh_half_function *first, coh_half_function *second,
                         void *context);

#endif
