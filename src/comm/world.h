/* Inside of the world, for comm/ only. */
#ifndef COHORT_COMM_WORLD_H
#define COHORT_COMM_WORLD_H

#include <mpi.h>

#include "cohort/comm.h"
#include "comm/transfer.h"

struct coh_world {
  MPI_Comm comm;      /* a duplicate of MPI_COMM_WORLD; returns errors */
  MPI_Comm node_comm; /* the ranks of this node */
  int rank, size;
  int node, n_nodes;
  int local_rank, local_size;
  int *node_of;               /* size entries */
  int node_cores, node_ranks; /* of the whole job on this node, also where this is a group */
  bool is_crowded; /* the node has more ranks than cores: waiting ranks give theirs away */
  coh_transfer transfer; /* messages of the exchange functions */
  int next_tag;          /* of the next plan; tag 0 is the exchange's */
  bool owns_mpi;
  char host[MPI_MAX_PROCESSOR_NAME];
};

/* Return COH_E_COMM in MPI's words from the calling function if an MPI call fails. */
#define COH_MPI(call)                                                            \
  do {                                                                           \
    int coh_mpi_code_ = (call);                                                  \
    if (coh_mpi_code_ != MPI_SUCCESS) return coh_mpi_fail(#call, coh_mpi_code_); \
  } while (0)

/* Word the failure of an MPI call. call: its source text, of which the name is shown. */
coh_status coh_mpi_fail(const char *call, int code);

/* A tag for a new plan, the same on all ranks when plans are created collectively. */
int coh_world_take_tag(coh_world *world);

#endif
