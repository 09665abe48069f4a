/* Memory that all ranks of a node share: each rank gives a segment, each reads all of them. */
#ifndef COHORT_COMM_WINDOW_H
#define COHORT_COMM_WINDOW_H

#include "cohort/comm.h"

typedef struct coh_window coh_window;

/* Allocate n_bytes (may differ by rank, may be 0) of zeroed node-shared memory for each rank.
 * Collective. *window: caller destroys.
 * Fails (agreed on by all ranks): COH_E_MEMORY with what /dev/shm has and needs. */
coh_status coh_window_create(coh_world *world, size_t n_bytes, coh_window **window);

/* Release; the memory goes when the node's last rank has released it. Not collective. Accepts
 * NULL, sets NULL. */
void coh_window_destroy(coh_window **window);

/* The segment of a rank of this node (0 <= local_rank < local size), 64-byte aligned; NULL when
 * it is empty. Not collective. Borrowed. */
void *coh_window_segment(const coh_window *window, int local_rank, size_t *n_bytes);

/* After it, every rank of the node sees what the others wrote before it.
 * Collective over the ranks of the node. */
coh_status coh_window_sync(coh_window *window);

#endif
