/* Node-shared windows over MPI_Win_allocate_shared. Only ranks of one node use them: one-sided
 * access across nodes fails over TCP in the supported Open MPI.
 * The memory lies in /dev/shm, so its room is checked first: a file that outgrows it ends the
 * process with SIGBUS at the first touch. */
#include "comm/window.h"

#include <string.h>
#include <sys/statvfs.h>

#include "base/alloc.h"
#include "comm/world.h"

struct coh_window {
  coh_world *world; /* borrowed */
  MPI_Win win;
  int n_segments;
  struct segment {
    char *data;
    size_t n_bytes;
  } * segment;
};

enum { SEGMENT_ALIGNMENT = 64 };

// lowest rank of the node: is there room for the sum of all segments?
static coh_status check_room(const coh_world *world, size_t n_bytes) {
  uint64_t mine = n_bytes, needed = 0;
  COH_MPI(MPI_Allreduce(&mine, &needed, 1, MPI_UINT64_T, MPI_SUM, world->node_comm));
  struct statvfs shm;
  if (statvfs("/dev/shm", &shm) != 0) return COH_OK; // nothing known; MPI will tell
  uint64_t free_bytes = (uint64_t)shm.f_bavail * shm.f_frsize;
  COH_CHECK(needed <= free_bytes, COH_E_MEMORY,
            "%s: /dev/shm has %.1f MiB free and shared experience needs %.1f MiB; enlarge it "
            "(mount -o remount,size=... /dev/shm, or --shm-size for containers) or lower the "
            "capacity",
            world->host, (double)free_bytes / 1048576.0, (double)needed / 1048576.0);
  return COH_OK;
}

static coh_status allocate(coh_window *window, size_t n_bytes) {
  coh_world *world = window->world;
  void *base = NULL;
  // one more line than asked for, so that every segment can start on a 64-byte boundary
  size_t padded = n_bytes + SEGMENT_ALIGNMENT;
  int code = MPI_Win_allocate_shared((MPI_Aint)padded, 1, MPI_INFO_NULL, world->node_comm,
                                     &base, &window->win);
  COH_CHECK(
      code == MPI_SUCCESS, COH_E_MEMORY,
      "%s: cannot share %zu bytes within the node; is /dev/shm large enough and writable?",
      world->host, padded);
  COH_MPI(MPI_Win_set_errhandler(window->win, MPI_ERRORS_RETURN));
  COH_MPI(MPI_Win_lock_all(MPI_MODE_NOCHECK, window->win));
  memset(base, 0, padded);
  return coh_window_sync(window);
}

static coh_status find_segments(coh_window *window, size_t n_bytes) {
  coh_world *world = window->world;
  uint64_t mine = n_bytes, *sizes;
  COH_NEW(sizes, world->local_size);
  int code = MPI_Allgather(&mine, 1, MPI_UINT64_T, sizes, 1, MPI_UINT64_T, world->node_comm);
  for (int rank = 0; rank < world->local_size && code == MPI_SUCCESS; ++rank) {
    MPI_Aint n_padded;
    int unit;
    char *base;
    code = MPI_Win_shared_query(window->win, rank, &n_padded, &unit, &base);
    // the mapping starts on a page in every process, so all ranks round to the same place
    size_t past = (uintptr_t)base % SEGMENT_ALIGNMENT;
    window->segment[rank].data = base + (past ? SEGMENT_ALIGNMENT - past : 0);
    window->segment[rank].n_bytes = sizes[rank];
  }
  COH_DELETE(sizes);
  return code == MPI_SUCCESS ? COH_OK : coh_mpi_fail("MPI_Win_shared_query", code);
}

coh_status coh_window_create(coh_world *world, size_t n_bytes, coh_window **window) {
  coh_window *made;
  COH_NEW(made, 1);
  made->world = world;
  made->win = MPI_WIN_NULL;
  made->n_segments = world->local_size;
  made->segment = coh_alloc_array((size_t)world->local_size, sizeof *made->segment);
  coh_status status =
      made->segment ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory: window segments");
  coh_status room = check_room(world, n_bytes);
  status = coh_comm_agree(world, status != COH_OK ? status : room);
  if (status == COH_OK) status = coh_comm_agree(world, allocate(made, n_bytes));
  if (status == COH_OK) status = coh_comm_agree(world, find_segments(made, n_bytes));
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
  if (gone->win != MPI_WIN_NULL) {
    MPI_Win_unlock_all(gone->win);
    MPI_Win_free(&gone->win);
  }
  COH_DELETE(gone->segment);
  COH_DELETE(*window);
}

void *coh_window_segment(const coh_window *window, int local_rank, size_t *n_bytes) {
  const struct segment *segment = &window->segment[local_rank];
  *n_bytes = segment->n_bytes;
  return segment->n_bytes > 0 ? segment->data : NULL;
}

coh_status coh_window_sync(coh_window *window) {
  COH_MPI(MPI_Win_sync(window->win));
  COH_MPI(MPI_Barrier(window->world->node_comm));
  COH_MPI(MPI_Win_sync(window->win));
  return COH_OK;
}
