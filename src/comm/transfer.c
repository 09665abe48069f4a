/* Messages of any size over nonblocking point-to-point calls.
 * Plain requests, not persistent ones: the buffers differ from call to call. */
#include "comm/transfer.h"

#include "base/alloc.h"
#include "comm/wait.h"
#include "comm/world.h"

enum { CHUNK_BYTES = 1 << 30 };

coh_status coh_transfer_init(coh_transfer *transfer, MPI_Comm comm, int capacity) {
  *transfer = (coh_transfer){.comm = comm, .capacity = capacity, .chunk = CHUNK_BYTES};
  COH_NEW(transfer->request, capacity);
  return COH_OK;
}

void coh_transfer_fini(coh_transfer *transfer) {
  COH_DELETE(transfer->request);
  transfer->capacity = transfer->n_requests = 0;
}

static coh_status make_room(coh_transfer *transfer) {
  if (transfer->n_requests < transfer->capacity) return COH_OK;
  int capacity = 2 * transfer->capacity + 8;
  MPI_Request *grown = coh_alloc_resize(transfer->request, (size_t)transfer->capacity,
                                        (size_t)capacity, sizeof *grown);
  COH_CHECK(grown, COH_E_MEMORY, "out of memory: %d message requests", capacity);
  transfer->request = grown;
  transfer->capacity = capacity;
  return COH_OK;
}

static size_t next_piece(const coh_transfer *transfer, size_t n_left) {
  return n_left < transfer->chunk ? n_left : transfer->chunk;
}

coh_status coh_transfer_send(coh_transfer *transfer, int rank, int tag, const void *data,
                             size_t n_bytes) {
  const char *from = data;
  for (size_t n_piece; n_bytes > 0; from += n_piece, n_bytes -= n_piece) {
    n_piece = next_piece(transfer, n_bytes);
    COH_TRY(make_room(transfer));
    COH_MPI(MPI_Isend(from, (int)n_piece, MPI_BYTE, rank, tag, transfer->comm,
                      &transfer->request[transfer->n_requests]));
    transfer->n_requests++;
    transfer->n_bytes += n_piece;
  }
  return COH_OK;
}

coh_status coh_transfer_receive(coh_transfer *transfer, int rank, int tag, void *data,
                                size_t n_bytes) {
  char *to = data;
  for (size_t n_piece; n_bytes > 0; to += n_piece, n_bytes -= n_piece) {
    n_piece = next_piece(transfer, n_bytes);
    COH_TRY(make_room(transfer));
    COH_MPI(MPI_Irecv(to, (int)n_piece, MPI_BYTE, rank, tag, transfer->comm,
                      &transfer->request[transfer->n_requests]));
    transfer->n_requests++;
    transfer->n_bytes += n_piece;
  }
  return COH_OK;
}

coh_status coh_transfer_test(coh_transfer *transfer, bool *done) {
  int all_done = 0;
  COH_MPI(MPI_Testall(transfer->n_requests, transfer->request, &all_done, MPI_STATUSES_IGNORE));
  if (all_done) transfer->n_requests = 0, transfer->n_bytes = 0;
  *done = all_done != 0;
  return COH_OK;
}

coh_status coh_transfer_wait(coh_transfer *transfer) {
  int n_requests = transfer->n_requests;
  size_t n_bytes = transfer->n_bytes;
  transfer->n_requests = 0;
  transfer->n_bytes = 0;
  return coh_wait_all(n_requests, transfer->request, n_bytes);
}
