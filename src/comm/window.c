/* Node-shared windows: one POSIX shared memory object a window, made by the node's lowest rank,
 * mapped by all its ranks and unlinked at once, so that nothing stays behind whatever ends the
 * job. Plain memory, not MPI's: one-sided access across nodes fails over TCP in the supported
 * Open MPI, and MPI's own windows can only be freed collectively.
 * posix_fallocate makes the room certain: a file that outgrows /dev/shm would end the process
 * with SIGBUS at the first touch. */
#include "comm/window.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "comm/world.h"

struct coh_window {
  coh_world *world; /* borrowed */
  char *base;       /* of the mapping, NULL: empty */
  size_t total;
  int n_segments;
  size_t *first, *n_bytes; /* of each segment */
};

enum { SEGMENT_ALIGNMENT = 64, NAME_BYTES = 64 };

// sizes of all segments of the node, and where each begins
static coh_status plan_segments(coh_window *window, size_t n_bytes) {
  coh_world *world = window->world;
  COH_NEW(window->n_bytes, world->local_size);
  COH_NEW(window->first, world->local_size);
  uint64_t mine = n_bytes, *sizes;
  COH_NEW(sizes, world->local_size);
  int code = MPI_Allgather(&mine, 1, MPI_UINT64_T, sizes, 1, MPI_UINT64_T, world->node_comm);
  for (int rank = 0; rank < world->local_size && code == MPI_SUCCESS; ++rank) {
    size_t padded = (size_t)(sizes[rank] + SEGMENT_ALIGNMENT - 1) / SEGMENT_ALIGNMENT;
    window->first[rank] = window->total;
    window->n_bytes[rank] = (size_t)sizes[rank];
    window->total += padded * SEGMENT_ALIGNMENT;
  }
  COH_DELETE(sizes);
  return code == MPI_SUCCESS ? COH_OK : coh_mpi_fail("MPI_Allgather", code);
}

static coh_status no_room(const coh_window *window) {
  struct statvfs shm = {0};
  double free_bytes =
      statvfs("/dev/shm", &shm) == 0 ? (double)shm.f_bavail * (double)shm.f_frsize : 0;
  return coh_fail(
      COH_E_MEMORY,
      "%s: /dev/shm has %.1f MiB free and shared memory of %.1f MiB is needed; enlarge it "
      "(mount -o remount,size=... /dev/shm, or --shm-size for containers) or lower the "
      "capacity",
      window->world->host, free_bytes / 1048576.0, (double)window->total / 1048576.0);
}

static coh_status map(coh_window *window, int file) {
  void *base = mmap(NULL, window->total, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  COH_CHECK(base != MAP_FAILED, COH_E_MEMORY, "%s: cannot map %zu bytes of shared memory: %s",
            window->world->host, window->total, strerror(errno));
  window->base = base;
  return COH_OK;
}

// lowest rank of the node: make the object under a name that is free
static coh_status make_object(coh_window *window, char name[NAME_BYTES]) {
  int file = -1;
  for (int k = 0; file < 0 && k < 1000; ++k) {
    snprintf(name, NAME_BYTES, "/cohort-%ld-%d", (long)getpid(), k);
    file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0 && errno != EEXIST) break;
  }
  if (file < 0) {
    coh_status status = coh_fail(COH_E_MEMORY, "%s: /dev/shm: cannot share memory: %s",
                                 window->world->host, strerror(errno));
    name[0] = '\0';
    return status;
  }
  // asked first: where the file system cannot fallocate, glibc would touch page after page
  struct statvfs shm;
  bool is_short =
      fstatvfs(file, &shm) == 0 && window->total / shm.f_frsize >= (uint64_t)shm.f_bavail;
  coh_status status = is_short || posix_fallocate(file, 0, (off_t)window->total) != 0
                          ? no_room(window)
                          : COH_OK;
  if (status == COH_OK) status = map(window, file);
  close(file);
  return status;
}

static coh_status open_object(coh_window *window, const char *name) {
  COH_CHECK(*name, COH_E_MEMORY, "%s: no shared memory", window->world->host);
  int file = shm_open(name, O_RDWR, 0600);
  COH_CHECK(file >= 0, COH_E_MEMORY, "%s: cannot open the node's shared memory: %s",
            window->world->host, strerror(errno));
  coh_status status = map(window, file);
  close(file);
  return status;
}

static coh_status share(coh_window *window) {
  coh_world *world = window->world;
  char name[NAME_BYTES] = "";
  coh_status status = world->local_rank == 0 ? make_object(window, name) : COH_OK;
  int code = MPI_Bcast(name, NAME_BYTES, MPI_CHAR, 0, world->node_comm);
  if (code == MPI_SUCCESS && world->local_rank > 0) status = open_object(window, name);
  // the words of the lowest rank win, and all have opened it when the agreement is reached
  status =
      coh_comm_agree(world, code == MPI_SUCCESS ? status : coh_mpi_fail("MPI_Bcast", code));
  if (world->local_rank == 0 && *name) shm_unlink(name);
  return status;
}

coh_status coh_window_create(coh_world *world, size_t n_bytes, coh_window **window) {
  coh_window *made = coh_alloc_array(1, sizeof *made);
  coh_status status = made ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory: a window");
  if (made) {
    made->world = world;
    made->n_segments = world->local_size;
    status = plan_segments(made, n_bytes);
  }
  int64_t largest = made ? (int64_t)made->total : 0;
  status = coh_comm_agree(world, status);
  if (status == COH_OK) status = coh_comm_reduce_int(world, COH_REDUCE_MAX, &largest, 1);
  if (status == COH_OK && largest > 0) {
    // a node without any bytes takes part in the agreement with a line of its own
    if (made->total == 0) made->total = SEGMENT_ALIGNMENT;
    status = share(made);
  }
  if (status != COH_OK) {
    coh_window_destroy(&made);
    return status;
  }
  *window = made;
  return COH_OK;
}

void coh_window_destroy(coh_window **window) {
  coh_window *gone = *window;
  if (!gone) return;
  if (gone->base) munmap(gone->base, gone->total);
  COH_DELETE(gone->first);
  COH_DELETE(gone->n_bytes);
  COH_DELETE(*window);
}

void *coh_window_segment(const coh_window *window, int local_rank, size_t *n_bytes) {
  *n_bytes = window->n_bytes[local_rank];
  return *n_bytes > 0 ? window->base + window->first[local_rank] : NULL;
}

coh_status coh_window_sync(coh_window *window) {
  atomic_thread_fence(memory_order_seq_cst);
  COH_MPI(MPI_Barrier(window->world->node_comm));
  atomic_thread_fence(memory_order_seq_cst);
  return COH_OK;
}
