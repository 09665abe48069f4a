/* How many OpenMP threads a rank uses for its lanes, and words for it. */
#ifndef COHORT_COMM_THREADS_H
#define COHORT_COMM_THREADS_H

#include "cohort/comm.h"

/* Cores that the ranks of this node may run on, all together. Collective over the node's ranks,
 * called by all. *n_cores: out. Fails: COH_E_COMM. */
coh_status coh_threads_cores(coh_world *world, int *n_cores);

/* Choose this rank's threads. Collective (over each node, called by all ranks).
 * asked: from the config, 0: choose. Then OMP_NUM_THREADS decides if it is set; else the cores
 * that this rank may run on, divided among the ranks that share them. Never more threads than
 * local lanes, never less than 1. *n_threads: out. Fails: COH_E_CONFIG (asked < 0), COH_E_COMM.
 */
coh_status coh_threads_choose(coh_world *world, int64_t asked, const coh_lanes *lanes,
                              int *n_threads);

/* Words for a person: "2 ranks x 1 thread on 2 cores", "6 ranks x 1 thread on 3 nodes, 6
 * cores"; "1-2 threads" where ranks differ. Collective; same text on all ranks. */
coh_status coh_threads_describe(coh_world *world, int n_threads, char text[128]);

#endif
