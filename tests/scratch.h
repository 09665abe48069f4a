/* A scratch folder for tests that write files: the working folder while they run. */
#ifndef COHORT_TESTS_SCRATCH_H
#define COHORT_TESTS_SCRATCH_H

#include "cohort_test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/file.h"

/* Group setup: make and enter the folder. */
static inline int scratch_enter(void **state) {
  char name[] = "/tmp/cohort-test-XXXXXX";
  if (!mkdtemp(name) || chdir(name) != 0) return -1;
  *state = coh_alloc_string(name);
  return *state ? 0 : -1;
}

/* Group teardown: leave and remove it; every allocation must be gone. */
static inline int scratch_leave(void **state) {
  int left = chdir("/");
  int removed = coh_folder_remove(*state) == COH_OK ? 0 : -1;
  coh_free(*state);
  if (coh_alloc_live() != 0) print_error("%lld blocks leak\n", (long long)coh_alloc_live());
  return left == 0 && removed == 0 && coh_alloc_live() == 0 ? 0 : -1;
}

/* Write bytes to a file without ceremony. */
static inline void scratch_write(const char *path, const void *data, size_t n_bytes) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, n_bytes, file), n_bytes);
  assert_int_equal(fclose(file), 0);
}

/* The bytes of a file, with a NUL after them; the caller frees with coh_free. */
static inline char *scratch_read(const char *path, size_t *n_bytes) {
  char *data;
  size_t n;
  assert_ok(coh_file_load(path, (size_t)1 << 30, &data, &n));
  if (n_bytes) *n_bytes = n;
  return data;
}

/* How many names in the working folder contain a text. */
static inline int scratch_count(const char *part) {
  DIR *folder = opendir(".");
  assert_non_null(folder);
  int n = 0;
  for (struct dirent *entry; (entry = readdir(folder));)
    n += strstr(entry->d_name, part) != NULL;
  closedir(folder);
  return n;
}

#endif
