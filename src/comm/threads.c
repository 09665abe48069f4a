/* Threads a rank: what the config says, else OMP_NUM_THREADS, else a fair share of the cores
 * that the ranks of the node may run on (mpirun and Slurm may bind them). */
#define _GNU_SOURCE // CPU_COUNT, sched_getaffinity
#include "comm/threads.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "comm/world.h"

typedef struct core_count {
  int mine, of_node; /* cores this rank may use, and those of all ranks of the node together */
} core_count;

static coh_status count_cores(coh_world *world, core_count *count) {
  cpu_set_t mine, all;
  CPU_ZERO(&mine);
  // beyond CPU_SETSIZE processors the call fails; one core is then assumed
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) CPU_SET(0, &mine);
  memcpy(&all, &mine, sizeof all);
  COH_MPI(
      MPI_Allreduce(MPI_IN_PLACE, &all, (int)sizeof all, MPI_BYTE, MPI_BOR, world->node_comm));
  count->mine = CPU_COUNT(&mine);
  count->of_node = CPU_COUNT(&all);
  return COH_OK;
}

coh_status coh_threads_cores(coh_world *world, int *n_cores) {
  core_count cores;
  COH_TRY(count_cores(world, &cores));
  *n_cores = cores.of_node;
  return COH_OK;
}

// OMP_NUM_THREADS may be a list, one entry a nesting level; the first counts. 0: not set
static int64_t threads_of_environment(void) {
  const char *text = getenv("OMP_NUM_THREADS");
  char first[16];
  size_t length = text ? strcspn(text, ",") : 0;
  if (length == 0 || length >= sizeof first) return 0;
  memcpy(first, text, length);
  first[length] = '\0';
  int64_t value;
  return coh_text_to_int(first, &value) && value > 0 ? value : 0;
}

coh_status coh_threads_choose(coh_world *world, int64_t asked, const coh_lanes *lanes,
                              int *n_threads) {
  core_count cores;
  COH_TRY(count_cores(world, &cores));
  COH_CHECK(asked >= 0, COH_E_CONFIG, "threads: %lld; 0 chooses, else 1 or more",
            (long long)asked);
  int64_t threads = asked ? asked : threads_of_environment();
  if (threads == 0) {
    int64_t fair = world->node_cores / world->node_ranks;
    threads = cores.mine < fair ? cores.mine : fair;
  }
  if (threads > lanes->n_local) threads = lanes->n_local;
  *n_threads = threads < 1 ? 1 : (int)threads;
  return COH_OK;
}

static const char *plural(int64_t n) {
  return n == 1 ? "" : "s";
}

coh_status coh_threads_describe(coh_world *world, int n_threads, char text[128]) {
  core_count cores;
  COH_TRY(count_cores(world, &cores));
  int64_t extremes[2] = {n_threads, -n_threads};
  COH_TRY(coh_comm_reduce_int(world, COH_REDUCE_MAX, extremes, 2));
  int64_t n_cores = world->local_rank == 0 ? cores.of_node : 0;
  COH_TRY(coh_comm_reduce_int(world, COH_REDUCE_SUM, &n_cores, 1));

  int64_t most = extremes[0], least = -extremes[1];
  char threads[48], nodes[32] = "";
  if (least == most)
    snprintf(threads, sizeof threads, "%lld thread%s", (long long)most, plural(most));
  else
    snprintf(threads, sizeof threads, "%lld-%lld threads", (long long)least, (long long)most);
  if (world->n_nodes > 1) snprintf(nodes, sizeof nodes, "%d nodes, ", world->n_nodes);
  snprintf(text, 128, "%d rank%s x %s on %s%lld core%s", world->size, plural(world->size),
           threads, nodes, (long long)n_cores, plural(n_cores));
  return COH_OK;
}
