/* Reading recorded behaviour: NPZ, CSV, and folders of mapped NPY files. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/transitions_memory.h"
#include "io/csv.h"
#include "io/file.h"
#include "io/npz.h"

enum { PATH_BYTES = 4096, MAX_CSV_VALUES = 65536 };

// what an archive or a table in text may take in memory
static const size_t memory_limit = (size_t)64 << 30;

static bool is_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

// ---- how many actions there are, where the file tells -------------------------------------

static coh_status take_n_actions(const coh_transitions *t, const coh_array *array,
                                 int64_t *n_actions) {
  COH_CHECK(array->dtype == COH_DTYPE_I64 && coh_array_count(array) == 1, COH_E_DATA,
            "%s: n_actions is not one 64-bit whole number", t->memory->source);
  int64_t told = *(const int64_t *)array->data;
  COH_CHECK(told >= 1 && told <= 1 << 20, COH_E_DATA, "%s: n_actions is %lld",
            t->memory->source, (long long)told);
  COH_CHECK(*n_actions == 0 || *n_actions == told, COH_E_DATA,
            "%s: is of a problem with %lld actions; %lld are expected", t->memory->source,
            (long long)told, (long long)*n_actions);
  *n_actions = told;
  return COH_OK;
}

// ---- NPZ ----------------------------------------------------------------------------------

static coh_status take_members(coh_npz *npz, coh_transitions *t, int64_t *n_actions) {
  for (int64_t i = 0; i < npz->n_members; i++) {
    coh_npz_member *member = &npz->member[i];
    if (strcmp(member->name, "n_actions") == 0)
      COH_TRY(take_n_actions(t, &member->array, n_actions));
    for (int k = 0; k < COH_N_COLUMNS; k++)
      if (strcmp(member->name, coh_column_forms[k].name) == 0 && !t->memory->column[k].data)
        COH_TRY(coh_transitions_take(t, (coh_transitions_column)k, &member->array, NULL));
  }
  return COH_OK;
}

static coh_status read_npz(const char *path, coh_transitions *t, int64_t *n_actions) {
  coh_npz npz = {0};
  COH_TRY(coh_npz_read(path, memory_limit, &npz));
  coh_status status = take_members(&npz, t, n_actions);
  coh_npz_clear(&npz);
  return status;
}

// ---- folder -------------------------------------------------------------------------------

static coh_status map_column(const char *folder, int column, coh_transitions *t) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/%s.npy", folder, coh_column_forms[column].name);
  if (!coh_file_exists(path)) return COH_OK;
  coh_map map = {0};
  coh_array array = {0};
  COH_TRY(coh_npy_map(path, &map, &array));
  coh_status status =
      coh_transitions_take(t, (coh_transitions_column)column, &array, map.start ? &map : NULL);
  if (status == COH_OK) return COH_OK;
  if (map.start)
    coh_map_close(&map);
  else
    coh_array_clear(&array);
  return status;
}

static coh_status read_folder(const char *folder, coh_transitions *t, int64_t *n_actions) {
  for (int k = 0; k < COH_N_COLUMNS; k++)
    COH_TRY(map_column(folder, k, t));
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/n_actions.npy", folder);
  if (!coh_file_exists(path)) return COH_OK;
  coh_array array = {0};
  COH_TRY(coh_npy_read(path, &array));
  coh_status status = take_n_actions(t, &array, n_actions);
  coh_array_clear(&array);
  return status;
}

// ---- CSV ----------------------------------------------------------------------------------

// the column of a name, or -1
static int64_t find_column(const coh_csv *csv, const char *name) {
  for (int64_t c = 0; c < csv->n_columns; c++)
    if (strcmp(csv->field[c], name) == 0) return c;
  return -1;
}

static coh_status csv_number(const coh_transitions *t, const coh_csv *csv, int64_t row,
                             int64_t column, double *value) {
  const char *text = csv->field[row * csv->n_columns + column];
  COH_CHECK(coh_text_to_real(text, value), COH_E_DATA,
            "%s:%lld: %s: '%.40s' is no finite number", t->memory->source, (long long)row + 1,
            csv->field[column], text);
  return COH_OK;
}

// columns prefix0 .. prefix<width - 1>, or the one column `prefix` where width is 0
static coh_status read_column(const coh_csv *csv, int column, const char *prefix, int64_t width,
                              coh_transitions *t) {
  const coh_column_form *form = &coh_column_forms[column];
  int64_t n = csv->n_rows - 1, n_wide = width ? width : 1;
  coh_array *array = &t->memory->column[column];
  array->n_dims = width ? 2 : 1;
  array->shape[0] = n;
  array->shape[1] = width;
  array->data = coh_alloc_array((size_t)(n * n_wide), coh_dtype_bytes(form->dtype));
  COH_CHECK(array->data, COH_E_MEMORY, "%s: out of memory", t->memory->source);
  for (int64_t k = 0; k < n_wide; k++) {
    char name[64];
    if (width)
      snprintf(name, sizeof name, "%s%lld", prefix, (long long)k);
    else
      snprintf(name, sizeof name, "%s", prefix);
    int64_t at = find_column(csv, name);
    COH_CHECK(at >= 0, COH_E_DATA, "%s:1: there is no column '%s'", t->memory->source, name);
    for (int64_t i = 0; i < n; i++) {
      double value;
      COH_TRY(csv_number(t, csv, i + 1, at, &value));
      bool whole = value == (double)(int64_t)value && value > -1e15 && value < 1e15;
      COH_CHECK(form->dtype == COH_DTYPE_F32 || whole, COH_E_DATA,
                "%s:%lld: %s: %g is no whole number", t->memory->source, (long long)i + 2, name,
                value);
      if (form->dtype == COH_DTYPE_F32)
        ((float *)array->data)[i * n_wide + k] = (float)value;
      else if (form->dtype == COH_DTYPE_I32)
        ((int32_t *)array->data)[i] = value < -2e9  ? INT32_MIN
                                      : value > 2e9 ? INT32_MAX
                                                    : (int32_t)value;
      else if (form->dtype == COH_DTYPE_I64)
        ((int64_t *)array->data)[i] = (int64_t)value;
      else
        ((uint8_t *)array->data)[i] = value == 0 || value == 1 ? (uint8_t)value : 2;
    }
  }
  return COH_OK;
}

static coh_status read_table(const coh_csv *csv, coh_transitions *t) {
  COH_CHECK(csv->n_rows > 1, COH_E_DATA, "%s: holds no transitions", t->memory->source);
  int64_t width = 0;
  char name[64];
  do
    snprintf(name, sizeof name, "state%lld", (long long)++width);
  while (width < MAX_CSV_VALUES && find_column(csv, name) >= 0);
  COH_TRY(read_column(csv, COH_COLUMN_STATES, "state", width, t));
  COH_TRY(read_column(csv, COH_COLUMN_ACTIONS, "action", 0, t));
  COH_TRY(read_column(csv, COH_COLUMN_REWARDS, "reward", 0, t));
  COH_TRY(read_column(csv, COH_COLUMN_NEXT_STATES, "next_state", width, t));
  COH_TRY(read_column(csv, COH_COLUMN_TERMINATED, "terminated", 0, t));
  int64_t n_known = 2 * width + 3;
  if (find_column(csv, "truncated") >= 0) {
    COH_TRY(read_column(csv, COH_COLUMN_TRUNCATED, "truncated", 0, t));
    n_known++;
  }
  if (find_column(csv, "episode") >= 0) {
    COH_TRY(read_column(csv, COH_COLUMN_EPISODES, "episode", 0, t));
    n_known++;
  }
  COH_CHECK(n_known == csv->n_columns, COH_E_DATA,
            "%s:1: has %lld columns; %lld of them are known (state0 .., action, reward, "
            "next_state0 .., terminated, truncated, episode)",
            t->memory->source, (long long)csv->n_columns, (long long)n_known);
  return COH_OK;
}

static coh_status read_csv(const char *path, coh_transitions *t) {
  coh_csv csv = {0};
  COH_TRY(coh_csv_read(path, memory_limit, ',', &csv));
  t->memory->by_line = true;
  coh_status status = read_table(&csv, t);
  coh_csv_clear(&csv);
  return status;
}

// ---- all ----------------------------------------------------------------------------------

static coh_status read_any(const char *path, int64_t n_actions, coh_transitions *t) {
  if (is_folder(path))
    COH_TRY(read_folder(path, t, &n_actions));
  else if (coh_text_ends_with(path, ".npz"))
    COH_TRY(read_npz(path, t, &n_actions));
  else if (coh_text_ends_with(path, ".csv"))
    COH_TRY(read_csv(path, t));
  else if (coh_text_ends_with(path, ".hdf5") || coh_text_ends_with(path, ".h5"))
    COH_TRY(coh_transitions_read_hdf5(path, t));
  else
    return coh_fail(COH_E_DATA,
                    "%s: recorded behaviour is a .npz, .csv or .hdf5 file, or a "
                    "folder of .npy files",
                    path);
  return coh_transitions_complete(t, n_actions);
}

coh_status coh_transitions_read(const char *path, int64_t n_actions,
                                coh_transitions **transitions) {
  coh_transitions *t = NULL;
  COH_TRY(coh_transitions_begin(path, &t));
  coh_status status = read_any(path, n_actions, t);
  if (status == COH_OK)
    *transitions = t;
  else
    coh_transitions_destroy(&t);
  return status;
}
