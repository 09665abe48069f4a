/* Atomic files: buffered writing beside the final name, fsync, rename, fsync of the folder.
 * The checksum folds the buffer each time it is full, so it does not depend on how the caller
 * cut its writes. */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "io/file_name.h"

enum { BLOCK_BYTES = 1 << 20 };

struct coh_file {
  int descriptor;
  bool failed;
  uint64_t checksum;
  int64_t n_flushed; // bytes that left the buffer
  size_t n_buffered;
  uint8_t *buffer; // BLOCK_BYTES
  char *path, *temporary;
};

static void file_release(coh_file **file) {
  coh_free((*file)->buffer);
  coh_free((*file)->path);
  coh_free((*file)->temporary);
  COH_DELETE(*file);
}

static coh_status file_open(coh_file *file, const char *path) {
  COH_NEW(file->buffer, BLOCK_BYTES);
  file->path = coh_alloc_string(path);
  COH_CHECK(file->path, COH_E_MEMORY, "out of memory for the name %s", path);
  for (int attempt = 0;; attempt++) {
    COH_TRY(coh_name_temporary(path, attempt, &file->temporary));
    file->descriptor = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file->descriptor >= 0) return COH_OK;
    int cause = errno;
    COH_DELETE(file->temporary);
    COH_CHECK(cause == EEXIST && attempt < 100, COH_E_IO, "%s: cannot create: %s", path,
              strerror(cause));
  }
}

coh_status coh_file_create(const char *path, coh_file **file) {
  coh_file *made;
  COH_NEW(made, 1);
  made->descriptor = -1;
  coh_status status = file_open(made, path);
  if (status != COH_OK) {
    file_release(&made);
    return status;
  }
  *file = made;
  return COH_OK;
}

static coh_status file_flush(coh_file *file) {
  size_t done = 0;
  while (done < file->n_buffered) {
    ssize_t n = write(file->descriptor, file->buffer + done, file->n_buffered - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      file->failed = true;
      return coh_fail(COH_E_IO, "%s: cannot write: %s", file->path,
                      n < 0 ? strerror(errno) : "the device takes no more");
    }
    done += (size_t)n;
  }
  file->checksum = coh_checksum_fold(file->checksum, file->buffer, file->n_buffered);
  file->n_flushed += (int64_t)file->n_buffered;
  file->n_buffered = 0;
  return COH_OK;
}

coh_status coh_file_write(coh_file *file, const void *data, size_t n_bytes) {
  COH_CHECK(!file->failed, COH_E_IO, "%s: an earlier write failed", file->path);
  const uint8_t *from = data;
  while (n_bytes > 0) {
    size_t room = BLOCK_BYTES - file->n_buffered;
    size_t n = n_bytes < room ? n_bytes : room;
    memcpy(file->buffer + file->n_buffered, from, n);
    file->n_buffered += n;
    from += n;
    n_bytes -= n;
    if (file->n_buffered == BLOCK_BYTES) COH_TRY(file_flush(file));
  }
  return COH_OK;
}

int64_t coh_file_position(const coh_file *file) {
  return file->n_flushed + (int64_t)file->n_buffered;
}

static coh_status file_finish(coh_file *file) {
  COH_CHECK(!file->failed, COH_E_IO, "%s: an earlier write failed", file->path);
  if (file->n_buffered > 0) COH_TRY(file_flush(file));
  COH_CHECK(fsync(file->descriptor) == 0, COH_E_IO, "%s: cannot flush to the disk: %s",
            file->path, strerror(errno));
  int closed = close(file->descriptor);
  file->descriptor = -1;
  COH_CHECK(closed == 0, COH_E_IO, "%s: cannot close: %s", file->path, strerror(errno));
  COH_CHECK(rename(file->temporary, file->path) == 0, COH_E_IO,
            "%s: cannot rename into place: %s", file->path, strerror(errno));
  COH_DELETE(file->temporary);
  return coh_name_sync_parent(file->path);
}

coh_status coh_file_commit(coh_file **file, uint64_t *checksum, int64_t *n_bytes) {
  coh_status status = file_finish(*file);
  if (status == COH_OK) {
    if (checksum) *checksum = (*file)->checksum;
    if (n_bytes) *n_bytes = (*file)->n_flushed;
  }
  coh_file_discard(file);
  return status;
}

void coh_file_discard(coh_file **file) {
  if (!*file) return;
  if ((*file)->descriptor >= 0) close((*file)->descriptor);
  if ((*file)->temporary) unlink((*file)->temporary);
  file_release(file);
}

coh_status coh_file_save(const char *path, const void *data, size_t n_bytes) {
  coh_file *file;
  COH_TRY(coh_file_create(path, &file));
  coh_status status = coh_file_write(file, data, n_bytes);
  if (status == COH_OK) return coh_file_commit(&file, NULL, NULL);
  coh_file_discard(&file);
  return status;
}

// ---- reading ------------------------------------------------------------------------------

static coh_status open_for_reading(const char *path, int *descriptor, int64_t *n_bytes) {
  int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  COH_CHECK(opened >= 0, COH_E_DATA, "%s: cannot open: %s", path, strerror(errno));
  struct stat about;
  // a pipe or device would have no size and might block for ever
  if (fstat(opened, &about) != 0 || !S_ISREG(about.st_mode)) {
    close(opened);
    return coh_fail(COH_E_DATA, "%s: is not an ordinary file", path);
  }
  *descriptor = opened;
  *n_bytes = about.st_size;
  return COH_OK;
}

coh_status coh_name_open(const char *path, int *descriptor, int64_t *n_bytes) {
  return open_for_reading(path, descriptor, n_bytes);
}

coh_status coh_name_read(const char *path, int descriptor, int64_t offset, void *data,
                         size_t n_bytes) {
  uint8_t *to = data;
  while (n_bytes > 0) {
    size_t most = n_bytes < (size_t)1 << 30 ? n_bytes : (size_t)1 << 30;
    ssize_t n = pread(descriptor, to, most, offset);
    if (n < 0 && errno == EINTR) continue;
    COH_CHECK(n >= 0, COH_E_DATA, "%s: cannot read: %s", path, strerror(errno));
    COH_CHECK(n > 0, COH_E_DATA, "%s: ends too early, at byte %lld", path, (long long)offset);
    to += n;
    offset += n;
    n_bytes -= (size_t)n;
  }
  return COH_OK;
}

static coh_status load(const char *path, int descriptor, int64_t size, size_t max_bytes,
                       char **data, size_t *n_bytes) {
  COH_CHECK((uint64_t)size <= max_bytes, COH_E_DATA, "%s: has %lld bytes, at most %zu are read",
            path, (long long)size, max_bytes);
  char *bytes;
  COH_NEW(bytes, (size_t)size + 1);
  coh_status status = coh_name_read(path, descriptor, 0, bytes, (size_t)size);
  if (status != COH_OK) {
    coh_free(bytes);
    return status;
  }
  *data = bytes;
  *n_bytes = (size_t)size;
  return COH_OK;
}

coh_status coh_file_load(const char *path, size_t max_bytes, char **data, size_t *n_bytes) {
  int descriptor;
  int64_t size;
  COH_TRY(open_for_reading(path, &descriptor, &size));
  coh_status status = load(path, descriptor, size, max_bytes, data, n_bytes);
  close(descriptor);
  return status;
}

static coh_status checksum_of(const char *path, int descriptor, int64_t size, uint8_t *block,
                              uint64_t *checksum) {
  uint64_t sum = 0;
  for (int64_t offset = 0; offset < size; offset += BLOCK_BYTES) {
    size_t n = size - offset < BLOCK_BYTES ? (size_t)(size - offset) : BLOCK_BYTES;
    COH_TRY(coh_name_read(path, descriptor, offset, block, n));
    sum = coh_checksum_fold(sum, block, n);
  }
  *checksum = sum;
  return COH_OK;
}

coh_status coh_file_checksum(const char *path, uint64_t *checksum, int64_t *n_bytes) {
  uint8_t *block;
  COH_NEW(block, BLOCK_BYTES);
  int descriptor;
  int64_t size;
  coh_status status = open_for_reading(path, &descriptor, &size);
  if (status == COH_OK) {
    status = checksum_of(path, descriptor, size, block, checksum);
    close(descriptor);
  }
  coh_free(block);
  if (status == COH_OK && n_bytes) *n_bytes = size;
  return status;
}

bool coh_file_exists(const char *path) {
  return access(path, F_OK) == 0;
}

coh_status coh_file_claim(const char *path, bool *claimed) {
  int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  *claimed = descriptor >= 0;
  COH_CHECK(*claimed || errno == EEXIST, COH_E_IO, "%s: %s", path, strerror(errno));
  if (*claimed) close(descriptor);
  return COH_OK;
}
