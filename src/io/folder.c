/* Folders that appear whole: filled under a temporary name, flushed, exchanged into place. */
#define _GNU_SOURCE // renameat2

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/file.h"
#include "io/file_name.h"

enum { MAX_DEPTH = 32 }; // our own folders are shallow; a loop of mounts must end

struct coh_folder {
  char *path, *temporary;
};

static void folder_release(coh_folder **folder) {
  coh_free((*folder)->path);
  coh_free((*folder)->temporary);
  COH_DELETE(*folder);
}

coh_status coh_folder_make(const char *path) {
  char *partial = coh_alloc_string(path);
  COH_CHECK(partial, COH_E_MEMORY, "out of memory for the name %s", path);
  coh_status status = COH_OK;
  size_t n = strlen(path);
  for (size_t i = 1; i <= n && status == COH_OK; i++) {
    if (partial[i] != '/' && i != n) continue;
    char kept = partial[i];
    partial[i] = '\0';
    struct stat about;
    if (mkdir(partial, 0777) != 0) {
      int cause = errno;
      if (stat(partial, &about) != 0)
        status = coh_fail(COH_E_IO, "%s: cannot make the folder: %s", partial, strerror(cause));
      else if (!S_ISDIR(about.st_mode))
        status = coh_fail(COH_E_IO, "%s: is in the way: not a folder", partial);
    }
    partial[i] = kept;
  }
  coh_free(partial);
  return status;
}

static coh_status make_parent(const char *path) {
  char *parent = coh_alloc_string(path);
  COH_CHECK(parent, COH_E_MEMORY, "out of memory for the name %s", path);
  size_t n = strlen(parent);
  while (n > 1 && parent[n - 1] == '/')
    n--;
  while (n > 0 && parent[n - 1] != '/')
    n--;
  parent[n] = '\0';
  coh_status status = n > 1 ? coh_folder_make(parent) : COH_OK;
  coh_free(parent);
  return status;
}

static coh_status folder_open(coh_folder *folder, const char *path) {
  folder->path = coh_alloc_string(path);
  COH_CHECK(folder->path, COH_E_MEMORY, "out of memory for the name %s", path);
  size_t n = strlen(folder->path);
  while (n > 1 && folder->path[n - 1] == '/')
    folder->path[--n] = '\0';
  COH_TRY(make_parent(path));
  for (int attempt = 0;; attempt++) {
    COH_TRY(coh_name_temporary(path, attempt, &folder->temporary));
    if (mkdir(folder->temporary, 0777) == 0) return COH_OK;
    int cause = errno;
    COH_DELETE(folder->temporary);
    COH_CHECK(cause == EEXIST && attempt < 100, COH_E_IO, "%s: cannot make the folder: %s",
              path, strerror(cause));
  }
}

coh_status coh_folder_begin(const char *path, coh_folder **folder) {
  coh_folder *made;
  COH_NEW(made, 1);
  coh_status status = folder_open(made, path);
  if (status != COH_OK) {
    folder_release(&made);
    return status;
  }
  *folder = made;
  return COH_OK;
}

const char *coh_folder_path(const coh_folder *folder) {
  return folder->temporary;
}

// ---- walking ------------------------------------------------------------------------------

typedef enum walk_action { WALK_SYNC, WALK_REMOVE } walk_action;

static coh_status sync_entry(int parent, const char *name, const char *path) {
  int descriptor = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  COH_CHECK(descriptor >= 0, COH_E_IO, "%s/%s: cannot open to flush: %s", path, name,
            strerror(errno));
  int cause = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  COH_CHECK(cause == 0 || cause == EINVAL || cause == ENOTSUP, COH_E_IO,
            "%s/%s: cannot flush to the disk: %s", path, name, strerror(cause));
  return COH_OK;
}

static coh_status walk(int parent, const char *name, const char *path, walk_action action,
                       int depth);

static coh_status walk_entry(int folder, const char *name, const char *path, walk_action action,
                             int depth) {
  struct stat about;
  COH_CHECK(fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) == 0, COH_E_IO,
            "%s/%s: cannot look at it: %s", path, name, strerror(errno));
  if (S_ISDIR(about.st_mode)) return walk(folder, name, path, action, depth + 1);
  if (action == WALK_SYNC)
    return S_ISREG(about.st_mode) ? sync_entry(folder, name, path) : COH_OK;
  COH_CHECK(unlinkat(folder, name, 0) == 0, COH_E_IO, "%s/%s: cannot remove: %s", path, name,
            strerror(errno));
  return COH_OK;
}

// apply the action to all entries of folder `name` within `parent`, then to the folder itself
static coh_status walk(int parent, const char *name, const char *path, walk_action action,
                       int depth) {
  COH_CHECK(depth < MAX_DEPTH, COH_E_IO, "%s: folders are nested too deeply", path);
  int descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  COH_CHECK(descriptor >= 0, COH_E_IO, "%s: cannot open %s: %s", path, name, strerror(errno));
  DIR *folder = fdopendir(descriptor);
  if (!folder) {
    close(descriptor);
    return coh_fail(COH_E_IO, "%s: cannot list %s", path, name);
  }
  coh_status status = COH_OK;
  for (struct dirent *entry; status == COH_OK && (entry = readdir(folder));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    status = walk_entry(dirfd(folder), entry->d_name, path, action, depth);
  }
  closedir(folder);
  COH_TRY(status);
  if (action == WALK_SYNC) return sync_entry(parent, name, path);
  COH_CHECK(unlinkat(parent, name, AT_REMOVEDIR) == 0, COH_E_IO, "%s: cannot remove %s: %s",
            path, name, strerror(errno));
  return COH_OK;
}

coh_status coh_folder_remove(const char *path) {
  struct stat about;
  if (lstat(path, &about) != 0 && errno == ENOENT) return COH_OK;
  return walk(AT_FDCWD, path, path, WALK_REMOVE, 0);
}

coh_status coh_folder_sweep(const char *path) {
  DIR *folder = opendir(path);
  COH_CHECK(folder, COH_E_IO, "%s: cannot list: %s", path, strerror(errno));
  coh_status status = COH_OK;
  for (struct dirent *entry; status == COH_OK && (entry = readdir(folder));)
    if (strstr(entry->d_name, ".tmp-"))
      status = walk_entry(dirfd(folder), entry->d_name, path, WALK_REMOVE, 0);
  closedir(folder);
  return status;
}

// ---- committing ---------------------------------------------------------------------------

// put the temporary folder in the place of an older one, never leaving the name unoccupied
// where the file system can exchange two names
static coh_status replace(coh_folder *folder) {
  if (rename(folder->temporary, folder->path) == 0) {
    COH_DELETE(folder->temporary);
    return COH_OK;
  }
  COH_CHECK(errno == EEXIST || errno == ENOTEMPTY, COH_E_IO, "%s: cannot rename into place: %s",
            folder->path, strerror(errno));
  if (renameat2(AT_FDCWD, folder->temporary, AT_FDCWD, folder->path, RENAME_EXCHANGE) == 0)
    return COH_OK; // the old folder now bears the temporary name
  char *aside;
  COH_TRY(coh_name_temporary(folder->path, 1000, &aside));
  coh_status status = COH_OK;
  if (rename(folder->path, aside) != 0) {
    status = coh_fail(COH_E_IO, "%s: cannot move the old folder aside: %s", folder->path,
                      strerror(errno));
  } else if (rename(folder->temporary, folder->path) != 0) {
    status =
        coh_fail(COH_E_IO, "%s: cannot rename into place: %s", folder->path, strerror(errno));
    if (rename(aside, folder->path) != 0)
      status = coh_fail_within(status, "the old folder is now %s", aside);
  } else {
    coh_free(folder->temporary);
    folder->temporary = aside;
    return COH_OK;
  }
  coh_free(aside);
  return status;
}

static coh_status folder_finish(coh_folder *folder) {
  COH_TRY(walk(AT_FDCWD, folder->temporary, folder->path, WALK_SYNC, 0));
  COH_TRY(replace(folder));
  return coh_name_sync_parent(folder->path);
}

coh_status coh_folder_commit(coh_folder **folder) {
  coh_status status = folder_finish(*folder);
  coh_folder_discard(folder);
  return status;
}

void coh_folder_discard(coh_folder **folder) {
  if (!*folder) return;
  // what cannot be removed is left for coh_folder_sweep; the message of the cause stays
  if ((*folder)->temporary) {
    char message[1024];
    snprintf(message, sizeof message, "%s", coh_error_message());
    coh_status ignored = coh_folder_remove((*folder)->temporary);
    if (ignored != COH_OK) (void)coh_fail(ignored, "%s", message);
  }
  folder_release(folder);
}
