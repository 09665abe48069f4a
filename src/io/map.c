/* Files mapped read-only, whose formats' own parsers say where the data begins, and scratch. */
#include "io/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/array.h"
#include "io/file_name.h"
#include "io/idx.h"

coh_status coh_map_open(const char *path, coh_map *map) {
  int descriptor;
  int64_t n_bytes;
  COH_TRY(coh_name_open(path, &descriptor, &n_bytes));
  void *start =
      n_bytes == 0 ? NULL : mmap(NULL, (size_t)n_bytes, PROT_READ, MAP_SHARED, descriptor, 0);
  int cause = errno;
  close(descriptor); // the mapping keeps the file
  COH_CHECK(start, COH_E_DATA, "%s: is empty", path);
  COH_CHECK(start != MAP_FAILED, COH_E_DATA, "%s: cannot map: %s", path, strerror(cause));
  *map = (coh_map){.start = start, .n_bytes = (size_t)n_bytes};
  return COH_OK;
}

void coh_map_close(coh_map *map) {
  if (map->start) munmap(map->start, map->n_bytes);
  *map = (coh_map){0};
}

// a file that has no name, or loses it at once where the file system wants one
static int open_nameless(const char *folder) {
#ifdef O_TMPFILE
  int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return descriptor;
#endif
  char path[4096];
  snprintf(path, sizeof path, "%s/scratch-XXXXXX", folder);
  int named = mkstemp(path);
  if (named >= 0) unlink(path);
  return named;
}

coh_status coh_map_scratch(const char *folder, size_t n_bytes, coh_map *map) {
  int descriptor = open_nameless(folder);
  COH_CHECK(descriptor >= 0, COH_E_IO, "%s: cannot make a scratch file: %s", folder,
            strerror(errno));
  size_t size = n_bytes > 0 ? n_bytes : 1;
  int cause = posix_fallocate(descriptor, 0, (off_t)size);
  void *start = MAP_FAILED;
  if (cause == 0) {
    start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    cause = errno;
  }
  close(descriptor); // the mapping keeps the file
  COH_CHECK(start != MAP_FAILED, COH_E_IO, "%s: no room for a scratch file of %zu bytes: %s",
            folder, size, strerror(cause));
  *map = (coh_map){.start = start, .n_bytes = size};
  return COH_OK;
}

// the header of a mapped file, and where its data begins
typedef coh_status parse_function(const char *path, const coh_map *map, coh_array *array,
                                  size_t *offset, bool *in_place);

static coh_status parse_npy(const char *path, const coh_map *map, coh_array *array,
                            size_t *offset, bool *in_place) {
  coh_npy_header header;
  size_t n = map->n_bytes < COH_NPY_MAX_HEADER ? map->n_bytes : COH_NPY_MAX_HEADER;
  COH_TRY(coh_npy_parse_header(path, map->start, n, &header));
  size_t n_bytes;
  COH_CHECK(coh_array_size(&header.shape, &n_bytes) && n_bytes == map->n_bytes - header.n_bytes,
            COH_E_DATA, "%s: holds %zu bytes of data, its shape needs %zu", path,
            map->n_bytes - header.n_bytes, n_bytes);
  *array = header.shape;
  *offset = header.n_bytes;
  *in_place = !header.fortran && header.n_bytes % coh_dtype_bytes(header.shape.dtype) == 0;
  return COH_OK;
}

static coh_status parse_idx(const char *path, const coh_map *map, coh_array *array,
                            size_t *offset, bool *in_place) {
  const uint8_t *bytes = map->start;
  *in_place = false;
  if (coh_idx_is_gzip(bytes, map->n_bytes)) return COH_OK;
  COH_TRY(coh_idx_parse_header(path, bytes, map->n_bytes, array, offset));
  *in_place = coh_dtype_bytes(array->dtype) == 1;
  return COH_OK;
}

static coh_status open_in_place(const char *path, parse_function *parse, coh_map *map,
                                coh_array *array, bool *in_place) {
  coh_map made;
  coh_array shape = {0};
  size_t offset = 0;
  COH_TRY(coh_map_open(path, &made));
  coh_status status = parse(path, &made, &shape, &offset, in_place);
  if (status != COH_OK || !*in_place) {
    coh_map_close(&made);
    return status;
  }
  shape.data = (uint8_t *)made.start + offset;
  *map = made;
  *array = shape;
  return COH_OK;
}

coh_status coh_npy_map(const char *path, coh_map *map, coh_array *array) {
  bool in_place = false;
  COH_TRY(open_in_place(path, parse_npy, map, array, &in_place));
  if (in_place) return COH_OK;
  COH_TRY(coh_npy_read(path, array));
  *map = (coh_map){0};
  return COH_OK;
}

coh_status coh_idx_map(const char *path, size_t max_bytes, coh_map *map, coh_array *array) {
  bool in_place = false;
  COH_TRY(open_in_place(path, parse_idx, map, array, &in_place));
  if (in_place) return COH_OK;
  COH_TRY(coh_idx_read(path, max_bytes, array));
  *map = (coh_map){0};
  return COH_OK;
}
