/* A set of point-to-point messages under way. Messages of any size: those over `chunk` bytes
 * travel in pieces, because MPI counts are ints. */
#ifndef COHORT_COMM_TRANSFER_H
#define COHORT_COMM_TRANSFER_H

#include <mpi.h>

#include "cohort/comm.h"

typedef struct coh_transfer {
  MPI_Comm comm;        /* borrowed */
  MPI_Request *request; /* owned */
  int n_requests, capacity;
  size_t chunk;   /* bytes a message; the same on all ranks; at most INT_MAX */
  size_t n_bytes; /* under way */
} coh_transfer;

/* Room for `capacity` messages; more room is allocated only if messages come in pieces. */
coh_status coh_transfer_init(coh_transfer *transfer, MPI_Comm comm, int capacity);
void coh_transfer_fini(coh_transfer *transfer);

/* Post a message; data must stay until the transfer is done. Empty messages are not sent. */
coh_status coh_transfer_send(coh_transfer *transfer, int rank, int tag, const void *data,
                             size_t n_bytes);
coh_status coh_transfer_receive(coh_transfer *transfer, int rank, int tag, void *data,
                                size_t n_bytes);

/* See whether all posted messages are done, or wait for them; then the set is empty. */
coh_status coh_transfer_test(coh_transfer *transfer, bool *done);
coh_status coh_transfer_wait(coh_transfer *transfer);

#endif
