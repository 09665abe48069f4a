/* Writing recorded behaviour: NPZ, CSV, and folders of NPY files. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/transitions_memory.h"
#include "io/csv.h"
#include "io/file.h"
#include "io/npz.h"

enum { PATH_BYTES = 4096 };

bool coh_transitions_writable(const char *path) {
  return coh_text_ends_with(path, ".npz") || coh_text_ends_with(path, ".csv") ||
         coh_text_ends_with(path, "/");
}

// the columns and the number of actions as arrays that borrow
static void list_members(const coh_transitions *t, int64_t *n_actions,
                         coh_npz_member members[COH_N_COLUMNS + 1]) {
  const void *data[COH_N_COLUMNS] = {t->states,     t->actions,   t->rewards, t->next_states,
                                     t->terminated, t->truncated, t->episodes};
  for (int k = 0; k < COH_N_COLUMNS; k++) {
    bool wide = k == COH_COLUMN_STATES || k == COH_COLUMN_NEXT_STATES;
    members[k] = (coh_npz_member){
        .name = (char *)coh_column_forms[k].name,
        .array = {.dtype = coh_column_forms[k].dtype,
                  .n_dims = wide ? 2 : 1,
                  .shape = {t->n_rows, wide ? t->n_values : 0},
                  .data = (void *)data[k]},
    };
  }
  *n_actions = t->n_actions;
  members[COH_N_COLUMNS] = (coh_npz_member){
      .name = "n_actions",
      .array = {.dtype = COH_DTYPE_I64, .n_dims = 1, .shape = {1}, .data = n_actions}};
}

static coh_status write_folder(const coh_npz_member *members, const char *path) {
  coh_folder *folder = NULL;
  COH_TRY(coh_folder_begin(path, &folder));
  coh_status status = COH_OK;
  for (int k = 0; k <= COH_N_COLUMNS && status == COH_OK; k++) {
    char file[PATH_BYTES];
    snprintf(file, sizeof file, "%s/%s.npy", coh_folder_path(folder), members[k].name);
    status = coh_npy_write(file, &members[k].array);
  }
  if (status == COH_OK) return coh_folder_commit(&folder);
  coh_folder_discard(&folder);
  return status;
}

static void add_header(const coh_transitions *t, coh_text *line) {
  for (int64_t k = 0; k < t->n_values; k++)
    coh_text_add(line, "state%lld,", (long long)k);
  coh_text_add(line, "action,reward,");
  for (int64_t k = 0; k < t->n_values; k++)
    coh_text_add(line, "next_state%lld,", (long long)k);
  coh_text_add(line, "terminated,truncated,episode\n");
}

// nine digits give every float back
static void add_row(const coh_transitions *t, int64_t i, coh_text *line) {
  for (int64_t k = 0; k < t->n_values; k++)
    coh_text_add(line, "%.9g,", (double)t->states[i * t->n_values + k]);
  coh_text_add(line, "%d,%.9g,", (int)t->actions[i], (double)t->rewards[i]);
  for (int64_t k = 0; k < t->n_values; k++)
    coh_text_add(line, "%.9g,", (double)t->next_states[i * t->n_values + k]);
  coh_text_add(line, "%d,%d,%lld\n", t->terminated[i], t->truncated[i],
               (long long)t->episodes[i]);
}

static coh_status write_lines(const coh_transitions *t, coh_file *file) {
  coh_text line = {0};
  add_header(t, &line);
  coh_status status = COH_OK;
  for (int64_t i = 0; i < t->n_rows && status == COH_OK; i++) {
    add_row(t, i, &line);
    if (line.failed) status = coh_fail(COH_E_MEMORY, "out of memory to write %s", t->source);
    if (line.n_bytes < 1 << 16 && i + 1 < t->n_rows) continue;
    if (status == COH_OK) status = coh_file_write(file, line.data, line.n_bytes);
    line.n_bytes = 0;
  }
  coh_text_clear(&line);
  return status;
}

static coh_status write_csv(const coh_transitions *t, const char *path) {
  coh_file *file = NULL;
  COH_TRY(coh_file_create(path, &file));
  coh_status status = write_lines(t, file);
  if (status == COH_OK) return coh_file_commit(&file, NULL, NULL);
  coh_file_discard(&file);
  return status;
}

coh_status coh_transitions_write(const coh_transitions *t, const char *path) {
  COH_CHECK(coh_transitions_writable(path), COH_E_CONFIG,
            "%s: recorded behaviour is written as .npz, .csv or a folder (a name that ends "
            "with /)",
            path);
  if (coh_text_ends_with(path, ".csv")) return write_csv(t, path);
  int64_t n_actions;
  coh_npz_member members[COH_N_COLUMNS + 1];
  list_members(t, &n_actions, members);
  if (coh_text_ends_with(path, ".npz"))
    return coh_npz_write(path, members, COH_N_COLUMNS + 1, true);
  return write_folder(members, path);
}
