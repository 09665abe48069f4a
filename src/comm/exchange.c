/* Exchange of plain bytes between ranks. Pieces of varying size go point to point, in chunks,
 * so no count is limited by an int; what is small or equal-sized uses MPI's collectives. */
#include <string.h>

#include "comm/wait.h"
#include "comm/world.h"

enum { EXCHANGE_TAG = 0 };

coh_status coh_comm_barrier(coh_world *world) {
  MPI_Request request;
  COH_MPI(MPI_Ibarrier(world->comm, &request));
  return coh_wait_all(1, &request, 0);
}

coh_status coh_comm_bcast(coh_world *world, void *data, size_t n_bytes, int root) {
  char *at = data;
  for (size_t n_piece; n_bytes > 0; at += n_piece, n_bytes -= n_piece) {
    n_piece = n_bytes < world->transfer.chunk ? n_bytes : world->transfer.chunk;
    MPI_Request request;
    COH_MPI(MPI_Ibcast(at, (int)n_piece, MPI_BYTE, root, world->comm, &request));
    COH_TRY(coh_wait_all(1, &request, n_piece));
  }
  return COH_OK;
}

static void copy_bytes(void *to, const void *from, size_t n_bytes) {
  if (n_bytes > 0) memcpy(to, from, n_bytes);
}

coh_status coh_comm_allgather(coh_world *world, const void *send, size_t n_bytes,
                              void *receive) {
  if (n_bytes <= world->transfer.chunk) {
    MPI_Request request;
    COH_MPI(MPI_Iallgather(send, (int)n_bytes, MPI_BYTE, receive, (int)n_bytes, MPI_BYTE,
                           world->comm, &request));
    return coh_wait_all(1, &request, n_bytes * (size_t)world->size);
  }
  copy_bytes((char *)receive + (size_t)world->rank * n_bytes, send, n_bytes);
  for (int rank = 0; rank < world->size; ++rank)
    COH_TRY(coh_comm_bcast(world, (char *)receive + (size_t)rank * n_bytes, n_bytes, rank));
  return COH_OK;
}

coh_status coh_comm_allgather_varied(coh_world *world, const void *send, const size_t n_bytes[],
                                     void *receive) {
  coh_transfer *transfer = &world->transfer;
  char *at = receive;
  for (int rank = 0; rank < world->size; ++rank) {
    if (rank == world->rank)
      copy_bytes(at, send, n_bytes[rank]);
    else
      COH_TRY(coh_transfer_receive(transfer, rank, EXCHANGE_TAG, at, n_bytes[rank]));
    at += n_bytes[rank];
  }
  // each starts with its right neighbour, so that no rank is everybody's first
  for (int step = 1; step < world->size; ++step)
    COH_TRY(coh_transfer_send(transfer, (world->rank + step) % world->size, EXCHANGE_TAG, send,
                              n_bytes[world->rank]));
  return coh_transfer_wait(transfer);
}

coh_status coh_comm_gather_varied(coh_world *world, const void *send, const size_t n_bytes[],
                                  void *receive, int root) {
  coh_transfer *transfer = &world->transfer;
  if (world->rank != root) {
    COH_TRY(coh_transfer_send(transfer, root, EXCHANGE_TAG, send, n_bytes[world->rank]));
    return coh_transfer_wait(transfer);
  }
  char *at = receive;
  for (int rank = 0; rank < world->size; ++rank) {
    if (rank == world->rank)
      copy_bytes(at, send, n_bytes[rank]);
    else
      COH_TRY(coh_transfer_receive(transfer, rank, EXCHANGE_TAG, at, n_bytes[rank]));
    at += n_bytes[rank];
  }
  return coh_transfer_wait(transfer);
}

coh_status coh_comm_alltoall(coh_world *world, const void *send, size_t n_bytes,
                             void *receive) {
  if (n_bytes <= world->transfer.chunk) {
    MPI_Request request;
    COH_MPI(MPI_Ialltoall(send, (int)n_bytes, MPI_BYTE, receive, (int)n_bytes, MPI_BYTE,
                          world->comm, &request));
    return coh_wait_all(1, &request, n_bytes * (size_t)world->size);
  }
  coh_transfer *transfer = &world->transfer;
  for (int rank = 0; rank < world->size; ++rank)
    if (rank != world->rank)
      COH_TRY(coh_transfer_receive(transfer, rank, EXCHANGE_TAG,
                                   (char *)receive + (size_t)rank * n_bytes, n_bytes));
  for (int rank = 0; rank < world->size; ++rank)
    if (rank != world->rank)
      COH_TRY(coh_transfer_send(transfer, rank, EXCHANGE_TAG,
                                (const char *)send + (size_t)rank * n_bytes, n_bytes));
  copy_bytes((char *)receive + (size_t)world->rank * n_bytes,
             (const char *)send + (size_t)world->rank * n_bytes, n_bytes);
  return coh_transfer_wait(transfer);
}

coh_status coh_comm_alltoall_varied(coh_world *world, const void *send,
                                    const size_t send_bytes[], void *receive,
                                    const size_t receive_bytes[]) {
  coh_transfer *transfer = &world->transfer;
  char *to = receive, *own = NULL;
  for (int rank = 0; rank < world->size; ++rank) {
    if (rank == world->rank)
      own = to;
    else
      COH_TRY(coh_transfer_receive(transfer, rank, EXCHANGE_TAG, to, receive_bytes[rank]));
    to += receive_bytes[rank];
  }
  const char *from = send;
  for (int rank = 0; rank < world->size; ++rank) {
    if (rank == world->rank)
      copy_bytes(own, from, send_bytes[rank]);
    else
      COH_TRY(coh_transfer_send(transfer, rank, EXCHANGE_TAG, from, send_bytes[rank]));
    from += send_bytes[rank];
  }
  return coh_transfer_wait(transfer);
}

static coh_status reduce(coh_world *world, void *values, int64_t n, MPI_Datatype type,
                         MPI_Op op) {
  MPI_Request request;
  COH_MPI(MPI_Iallreduce(MPI_IN_PLACE, values, (int)n, type, op, world->comm, &request));
  return coh_wait_all(1, &request, (size_t)n * 8);
}

static MPI_Op op_of(coh_reduce how) {
  return how == COH_REDUCE_MIN ? MPI_MIN : how == COH_REDUCE_MAX ? MPI_MAX : MPI_SUM;
}

coh_status coh_comm_reduce_int(coh_world *world, coh_reduce how, int64_t *values, int64_t n) {
  COH_CHECK(n >= 0 && n <= INT32_MAX, COH_E_INTERNAL, "a reduction of %lld integers",
            (long long)n);
  // unsigned addition wraps by definition and has the same bits
  MPI_Datatype type = how == COH_REDUCE_SUM ? MPI_UINT64_T : MPI_INT64_T;
  return reduce(world, values, n, type, op_of(how));
}

coh_status coh_comm_reduce_real(coh_world *world, coh_reduce how, double *values, int64_t n) {
  COH_CHECK(how != COH_REDUCE_SUM, COH_E_INTERNAL, "reals are summed by lane sums only");
  COH_CHECK(n >= 0 && n <= INT32_MAX, COH_E_INTERNAL, "a reduction of %lld reals",
            (long long)n);
  return reduce(world, values, n, MPI_DOUBLE, op_of(how));
}
