/* Waiting for simulations: how a waiting rank spins and naps belongs to the machine, and each
 * look would be an event to simulate. */
#include "comm/wait.h"
#include "comm/world.h"

coh_status coh_wait_all(int n_requests, MPI_Request *requests, size_t n_bytes) {
  (void)n_bytes;
  COH_MPI(MPI_Waitall(n_requests, requests, MPI_STATUSES_IGNORE));
  return COH_OK;
}
