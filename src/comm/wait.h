/* The one way to wait for messages: spin while an answer may come at any moment, then sleep in
 * short naps, so that a peer who shares the core can get it. On busy cores spinning alone makes
 * every message cost a time slice of the scheduler (milliseconds). */
#ifndef COHORT_COMM_WAIT_H
#define COHORT_COMM_WAIT_H

#include <mpi.h>

#include "cohort/comm.h"

/* Wait for requests, which n_bytes travel in. Fails: COH_E_COMM. */
coh_status coh_wait_all(int n_requests, MPI_Request *requests, size_t n_bytes);

#endif
