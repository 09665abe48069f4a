/* The world: starts and ends MPI, numbers ranks and nodes.
 *
 * Nodes are the groups that MPI_COMM_TYPE_SHARED gives, numbered by their lowest rank, so the
 * numbering does not depend on host names. */
#include "comm/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "comm/threads.h"

coh_status coh_mpi_fail(const char *call, int code) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) length = 0;
  text[length] = '\0';
  return coh_fail(COH_E_COMM, "%.*s: %s", (int)strcspn(call, "("), call, text);
}

int coh_world_take_tag(coh_world *world) {
  // MPI promises tags up to 32767; plans that share a tag still match in the order of posting
  world->next_tag = world->next_tag % 32767 + 1;
  return world->next_tag;
}

static bool is_launched(void) {
  return getenv("PMIX_NAMESPACE") || getenv("PMI_SIZE") || getenv("OMPI_COMM_WORLD_SIZE");
}

// srun without an MPI plugin starts ranks that do not know each other; each would take itself
// for the whole job
static coh_status check_launcher(const coh_world *world) {
  const char *tasks = getenv("SLURM_STEP_NUM_TASKS");
  int64_t n_tasks;
  if (world->size > 1 || is_launched() || !tasks || !coh_text_to_int(tasks, &n_tasks))
    return COH_OK;
  COH_CHECK(n_tasks <= 1, COH_E_COMM,
            "srun started %s tasks that MPI does not connect; use srun --mpi=pmix, or mpirun",
            tasks);
  return COH_OK;
}

static coh_status start_mpi(coh_world *world) {
  int is_finalized = 0, is_initialized = 0, provided = 0;
  COH_MPI(MPI_Finalized(&is_finalized));
  COH_CHECK(!is_finalized, COH_E_COMM,
            "MPI was already finalized; a world opens once a process");
  COH_MPI(MPI_Initialized(&is_initialized));
  if (is_initialized) {
    COH_MPI(MPI_Query_thread(&provided));
  } else {
    // one rank without mpirun needs no daemon beside it
    // one rank without mpirun needs no session folder either: all such processes of a machine
    // would share one, and the first to end removes it while another is about to start
    if (!is_launched()) {
      setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
      setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
    }
    COH_MPI(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided));
    world->owns_mpi = true;
  }
  COH_CHECK(provided >= MPI_THREAD_FUNNELED, COH_E_COMM,
            "MPI offers thread level %d; cohort needs MPI_THREAD_FUNNELED (%d)", provided,
            MPI_THREAD_FUNNELED);
  COH_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &world->comm));
  COH_MPI(MPI_Comm_set_errhandler(world->comm, MPI_ERRORS_RETURN));
  COH_MPI(MPI_Comm_rank(world->comm, &world->rank));
  COH_MPI(MPI_Comm_size(world->comm, &world->size));
  return check_launcher(world);
}

static coh_status number_nodes(coh_world *world) {
  int length = 0;
  COH_MPI(MPI_Get_processor_name(world->host, &length));
  COH_MPI(MPI_Comm_split_type(world->comm, MPI_COMM_TYPE_SHARED, world->rank, MPI_INFO_NULL,
                              &world->node_comm));
  COH_MPI(MPI_Comm_set_errhandler(world->node_comm, MPI_ERRORS_RETURN));
  COH_MPI(MPI_Comm_rank(world->node_comm, &world->local_rank));
  COH_MPI(MPI_Comm_size(world->node_comm, &world->local_size));

  // a node is known by its lowest rank; every rank then counts the distinct ones before it
  int leader = world->rank;
  COH_MPI(MPI_Bcast(&leader, 1, MPI_INT, 0, world->node_comm));
  COH_NEW(world->node_of, world->size);
  COH_MPI(MPI_Allgather(&leader, 1, MPI_INT, world->node_of, 1, MPI_INT, world->comm));
  for (int rank = 0; rank < world->size; ++rank) {
    int lowest = world->node_of[rank];
    // lowest <= rank, so the leader's entry already holds a node number unless it is this rank
    world->node_of[rank] = lowest == rank ? world->n_nodes++ : world->node_of[lowest];
  }
  world->node = world->node_of[world->rank];
  return COH_OK;
}

static coh_status open_world(coh_world *world) {
  COH_TRY(start_mpi(world));
  COH_TRY(number_nodes(world));
  COH_TRY(coh_threads_cores(world, &world->node_cores));
  world->node_ranks = world->local_size;
  world->is_crowded = world->node_ranks > world->node_cores;
  return coh_transfer_init(&world->transfer, world->comm, 4 * world->size);
}

// the group's node has the cores and the ranks of the whole job's node
static coh_status open_group(const coh_world *world, int group, coh_world *opened) {
  COH_MPI(MPI_Comm_split(world->comm, group, world->rank, &opened->comm));
  COH_MPI(MPI_Comm_set_errhandler(opened->comm, MPI_ERRORS_RETURN));
  COH_MPI(MPI_Comm_rank(opened->comm, &opened->rank));
  COH_MPI(MPI_Comm_size(opened->comm, &opened->size));
  COH_TRY(number_nodes(opened));
  opened->node_cores = world->node_cores;
  opened->node_ranks = world->node_ranks;
  opened->is_crowded = world->is_crowded;
  return coh_transfer_init(&opened->transfer, opened->comm, 4 * opened->size);
}

coh_status coh_world_open(coh_world **world) {
  coh_world *opened;
  COH_NEW(opened, 1);
  opened->comm = opened->node_comm = MPI_COMM_NULL;
  coh_status status = open_world(opened);
  if (status != COH_OK) {
    coh_world_close(&opened);
    return status;
  }
  *world = opened;
  return COH_OK;
}

coh_status coh_world_part(coh_world *world, int group, coh_world **part) {
  coh_world *opened;
  COH_NEW(opened, 1);
  opened->comm = opened->node_comm = MPI_COMM_NULL;
  coh_status status = open_group(world, group, opened);
  if (status != COH_OK) {
    coh_world_close(&opened);
    return status;
  }
  *part = opened;
  return COH_OK;
}

coh_status coh_world_split(coh_world *world, int n_groups, int *group, coh_world **split) {
  COH_CHECK(n_groups >= 1 && n_groups <= world->size, COH_E_CONFIG,
            "%d groups of %d ranks: between 1 and as many groups as ranks", n_groups,
            world->size);
  // group g has the ranks [g * size / n, (g + 1) * size / n)
  *group = (int)((((int64_t)world->rank + 1) * n_groups - 1) / world->size);
  return coh_world_part(world, *group, split);
}

void coh_world_close(coh_world **world) {
  coh_world *closing = *world;
  if (!closing) return;
  coh_transfer_fini(&closing->transfer);
  if (closing->node_comm != MPI_COMM_NULL) MPI_Comm_free(&closing->node_comm);
  if (closing->comm != MPI_COMM_NULL) MPI_Comm_free(&closing->comm);
  if (closing->owns_mpi) MPI_Finalize();
  COH_DELETE(closing->node_of);
  COH_DELETE(*world);
}

int coh_world_rank(const coh_world *world) {
  return world->rank;
}

int coh_world_size(const coh_world *world) {
  return world->size;
}

int coh_world_node(const coh_world *world) {
  return world->node;
}

int coh_world_n_nodes(const coh_world *world) {
  return world->n_nodes;
}

int coh_world_node_of(const coh_world *world, int rank) {
  return world->node_of[rank];
}

int coh_world_local_rank(const coh_world *world) {
  return world->local_rank;
}

int coh_world_local_size(const coh_world *world) {
  return world->local_size;
}

const char *coh_world_host(const coh_world *world) {
  return world->host;
}
