/* Temporary names and durable renames. */
#include "io/file_name.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"

// the length of a path without slashes at its end; "/" keeps its own
static size_t trimmed(const char *path) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/')
    n--;
  return n;
}

coh_status coh_name_temporary(const char *path, int attempt, char **name) {
  coh_text text = {0};
  coh_text_add_bytes(&text, path, trimmed(path));
  coh_text_add(&text, ".tmp-%ld-%d", (long)getpid(), attempt);
  return coh_text_take(&text, name);
}

coh_status coh_name_sync_parent(const char *path) {
  size_t n = trimmed(path);
  while (n > 0 && path[n - 1] != '/')
    n--;
  coh_text text = {0};
  if (n > 0)
    coh_text_add_bytes(&text, path, n);
  else
    coh_text_add_bytes(&text, ".", 1);
  char *parent;
  COH_TRY(coh_text_take(&text, &parent));
  int descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int cause = errno;
  bool done = descriptor >= 0 && fsync(descriptor) == 0;
  if (descriptor >= 0) {
    if (!done) cause = errno;
    close(descriptor);
  }
  // some network file systems do not know fsync on folders; their renames are durable
  if (!done && (cause == EINVAL || cause == ENOTSUP)) done = true;
  coh_free(parent);
  COH_CHECK(done, COH_E_IO, "%s: cannot flush its folder to the disk: %s", path,
            strerror(cause));
  return COH_OK;
}
