/* Persistent point-to-point messages (MPI_Send_init, MPI_Recv_init), one a neighbour. What a
 * neighbour wants is told once, when the plan is made. */
#include "comm/halo.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "comm/wait.h"
#include "comm/world.h"

struct coh_halo {
  coh_world *world;
  int64_t first; /* own components begin here */
  int64_t n_wanted, n_given;
  int64_t *given;   /* own components to send, those of a neighbour together */
  double *packed;   /* n_given */
  double *received; /* n_wanted */
  double *ghost;    /* where they go at the end */
  MPI_Request *request;
  int n_requests, n_neighbours;
};

/* Make the messages of one direction; counts: components by rank, one behind the other. */
static coh_status plan_messages(coh_halo *halo, const int64_t *counts, double *data, bool send,
                                int tag) {
  for (int rank = 0; rank < halo->world->size; rank++) {
    if (counts[rank] == 0) continue;
    COH_CHECK(counts[rank] <= INT_MAX, COH_E_COMM, "a halo of %lld components from one rank",
              (long long)counts[rank]);
    MPI_Request *request = &halo->request[halo->n_requests];
    if (send)
      COH_MPI(MPI_Send_init(data, (int)counts[rank], MPI_DOUBLE, rank, tag, halo->world->comm,
                            request));
    else
      COH_MPI(MPI_Recv_init(data, (int)counts[rank], MPI_DOUBLE, rank, tag, halo->world->comm,
                            request));
    halo->n_requests++;
    data += counts[rank];
  }
  return COH_OK;
}

typedef struct halo_counts {
  int64_t *wanted, *given; /* components by rank */
  size_t *send, *receive;  /* bytes of indices by rank */
} halo_counts;

static coh_status allocate_counts(int size, halo_counts *counts) {
  COH_NEW(counts->wanted, size);
  COH_NEW(counts->given, size);
  COH_NEW(counts->send, size);
  COH_NEW(counts->receive, size);
  return COH_OK;
}

static coh_status allocate(coh_halo *halo, const int64_t *given, int size) {
  for (int rank = 0; rank < size; rank++)
    halo->n_given += given[rank];
  COH_NEW(halo->given, halo->n_given);
  COH_NEW(halo->packed, halo->n_given);
  COH_NEW(halo->received, halo->n_wanted);
  COH_NEW(halo->request, 2 * size);
  return COH_OK;
}

static coh_status plan(coh_halo *halo, const int64_t bound[], const int64_t *wanted,
                       halo_counts *counts) {
  coh_world *world = halo->world;
  int size = world->size;
  COH_TRY(coh_comm_agree(world, allocate_counts(size, counts)));
  int owner = 0;
  for (int64_t k = 0; k < halo->n_wanted; k++) {
    while (wanted[k] >= bound[owner + 1])
      owner++;
    counts->wanted[owner]++;
  }
  COH_TRY(coh_comm_alltoall(world, counts->wanted, sizeof(int64_t), counts->given));
  COH_TRY(coh_comm_agree(world, allocate(halo, counts->given, size)));
  for (int rank = 0; rank < size; rank++) {
    counts->send[rank] = (size_t)counts->wanted[rank] * sizeof(int64_t);
    counts->receive[rank] = (size_t)counts->given[rank] * sizeof(int64_t);
    halo->n_neighbours += counts->wanted[rank] > 0 || counts->given[rank] > 0;
  }
  COH_TRY(coh_comm_alltoall_varied(world, wanted, counts->send, halo->given, counts->receive));
  for (int64_t k = 0; k < halo->n_given; k++)
    halo->given[k] -= halo->first;
  int tag = coh_world_take_tag(world);
  coh_status status = plan_messages(halo, counts->wanted, halo->received, false, tag);
  if (status == COH_OK) status = plan_messages(halo, counts->given, halo->packed, true, tag);
  return coh_comm_agree(world, status);
}

coh_status coh_halo_create(coh_world *world, const int64_t bound[], const int64_t *wanted,
                           int64_t n_wanted, coh_halo **out) {
  coh_halo *halo = coh_alloc_array(1, sizeof *halo);
  COH_TRY(
      coh_comm_agree(world, halo ? COH_OK : coh_fail(COH_E_MEMORY, "no memory for a halo")));
  halo->world = world;
  halo->first = bound[world->rank];
  halo->n_wanted = n_wanted;
  halo_counts counts = {0};
  coh_status status = plan(halo, bound, wanted, &counts);
  coh_free(counts.wanted);
  coh_free(counts.given);
  coh_free(counts.send);
  coh_free(counts.receive);
  if (status != COH_OK) {
    coh_halo_destroy(&halo);
    return status;
  }
  *out = halo;
  return COH_OK;
}

void coh_halo_destroy(coh_halo **given) {
  coh_halo *halo = *given;
  if (!halo) return;
  for (int k = 0; k < halo->n_requests; k++)
    MPI_Request_free(&halo->request[k]);
  coh_free(halo->given);
  coh_free(halo->packed);
  coh_free(halo->received);
  coh_free(halo->request);
  COH_DELETE(*given);
}

coh_status coh_halo_begin(coh_halo *halo, const double *own, double *ghost) {
  halo->ghost = ghost;
  for (int64_t k = 0; k < halo->n_given; k++)
    halo->packed[k] = own[halo->given[k]];
  if (halo->n_requests > 0) COH_MPI(MPI_Startall(halo->n_requests, halo->request));
  return COH_OK;
}

coh_status coh_halo_end(coh_halo *halo) {
  COH_TRY(coh_wait_all(halo->n_requests, halo->request,
                       coh_halo_sent(halo) + coh_halo_received(halo)));
  if (halo->n_wanted > 0)
    memcpy(halo->ghost, halo->received, (size_t)halo->n_wanted * sizeof *halo->ghost);
  return COH_OK;
}

size_t coh_halo_sent(const coh_halo *halo) {
  return (size_t)halo->n_given * sizeof(double);
}

size_t coh_halo_received(const coh_halo *halo) {
  return (size_t)halo->n_wanted * sizeof(double);
}

int coh_halo_n_neighbours(const coh_halo *halo) {
  return halo->n_neighbours;
}
