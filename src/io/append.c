/* Append-only files written record by record; a partial record is cut off again. */
#include "io/append.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

struct coh_append {
  int descriptor;
  int64_t n_bytes;
  char *path;
};

static coh_status append_start(coh_append *append, const char *path, int64_t keep_bytes) {
  append->path = coh_alloc_string(path);
  COH_CHECK(append->path, COH_E_MEMORY, "out of memory for the name %s", path);
  append->descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  COH_CHECK(append->descriptor >= 0, COH_E_IO, "%s: cannot open for writing: %s", path,
            strerror(errno));
  struct stat about;
  COH_CHECK(fstat(append->descriptor, &about) == 0 && S_ISREG(about.st_mode), COH_E_IO,
            "%s: is not an ordinary file", path);
  append->n_bytes = about.st_size;
  if (keep_bytes >= 0 && keep_bytes < append->n_bytes)
    return coh_append_rewind(append, keep_bytes);
  return COH_OK;
}

coh_status coh_append_open(const char *path, int64_t keep_bytes, coh_append **append) {
  coh_append *made;
  COH_NEW(made, 1);
  made->descriptor = -1;
  coh_status status = append_start(made, path, keep_bytes);
  if (status != COH_OK) {
    coh_append_close(&made);
    return status;
  }
  *append = made;
  return COH_OK;
}

coh_status coh_append_write(coh_append *append, const void *record, size_t n_bytes) {
  const char *from = record;
  size_t done = 0;
  while (done < n_bytes) {
    ssize_t n = pwrite(append->descriptor, from + done, n_bytes - done,
                       append->n_bytes + (int64_t)done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      coh_status status = coh_fail(COH_E_IO, "%s: cannot write: %s", append->path,
                                   n < 0 ? strerror(errno) : "the device takes no more");
      // shrinking a file needs no space; should it fail, the next record overwrites the rest
      if (done > 0 && ftruncate(append->descriptor, append->n_bytes) != 0)
        status = coh_fail_within(status, "a partial record remains");
      return status;
    }
    done += (size_t)n;
  }
  append->n_bytes += (int64_t)n_bytes;
  return COH_OK;
}

coh_status coh_append_sync(coh_append *append) {
  COH_CHECK(fsync(append->descriptor) == 0, COH_E_IO, "%s: cannot flush to the disk: %s",
            append->path, strerror(errno));
  return COH_OK;
}

int64_t coh_append_position(const coh_append *append) {
  return append->n_bytes;
}

coh_status coh_append_rewind(coh_append *append, int64_t position) {
  COH_CHECK(position >= 0 && position <= append->n_bytes, COH_E_INTERNAL,
            "%s: cannot rewind to byte %lld of %lld", append->path, (long long)position,
            (long long)append->n_bytes);
  COH_CHECK(ftruncate(append->descriptor, position) == 0, COH_E_IO, "%s: cannot shorten: %s",
            append->path, strerror(errno));
  append->n_bytes = position;
  return COH_OK;
}

void coh_append_close(coh_append **append) {
  if (!*append) return;
  if ((*append)->descriptor >= 0) close((*append)->descriptor);
  coh_free((*append)->path);
  COH_DELETE(*append);
}
