/* Names of checkpoints and of the files in them. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "run/checkpoint.h"

enum { MOST = 4096 };

const char *coh_checkpoint_store_name(coh_store store) {
  return store == COH_STORE_MODEL ? "model.safetensors" : "state.safetensors";
}

void coh_checkpoint_path(const char *folder, int64_t step, char *path, size_t n_bytes) {
  // zeros in front, so that the order of names is the order of steps
  snprintf(path, n_bytes, "%s/checkpoints/step-%012" PRId64, folder, step);
}

static int newest_first(const void *a, const void *b) {
  return strcmp(*(char *const *)b, *(char *const *)a);
}

coh_status coh_checkpoint_list(const char *checkpoints, char ***names, int64_t *n_names) {
  DIR *folder = opendir(checkpoints);
  COH_CHECK(folder, COH_E_CHECKPOINT, "%s: no checkpoint was saved yet", checkpoints);
  char **list = coh_alloc_array(MOST, sizeof *list);
  int64_t n = 0;
  // names with a dot are temporary folders of a save that was cut off
  for (struct dirent *entry; list && n < MOST && (entry = readdir(folder));)
    if (strncmp(entry->d_name, "step-", 5) == 0 && !strchr(entry->d_name, '.') &&
        (list[n] = coh_alloc_string(entry->d_name)))
      n++;
  closedir(folder);
  COH_CHECK(list, COH_E_MEMORY, "out of memory");
  if (n > 1) qsort(list, (size_t)n, sizeof *list, newest_first);
  *names = list;
  *n_names = n;
  return COH_OK;
}

void coh_checkpoint_list_free(char **names, int64_t n_names) {
  for (int64_t i = 0; i < n_names; i++)
    coh_free(names[i]);
  coh_free(names);
}
