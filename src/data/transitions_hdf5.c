/* D4RL and Minari files through libhdf5 (an optional part of the build).
 *
 * D4RL (Fu et al. 2020): flat arrays /observations, /actions, /rewards, /terminals, and
 * /timeouts, /next_observations where there are any. Minari (Farama): groups episode_0, ...
 * with observations (T + 1), actions, rewards, terminations, truncations (T).
 * Where next observations are not kept, a row's is the observation of the row after it; the
 * last row of a stretch without one is left out. */
#include "data/transitions_memory.h"

#ifndef COHORT_HDF5

coh_status coh_transitions_read_hdf5(const char *path, coh_transitions *t) {
  (void)t;
  return coh_fail(COH_E_DATA,
                  "%s: this build has no HDF5; install libhdf5-dev and build again, or convert "
                  "to .npz",
                  path);
}

#else

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/file.h"

// arrays that grow while episodes are read
typedef struct gathering {
  const char *path;
  hid_t file;
  coh_transitions *t;
  int64_t width, n_rows, capacity, episode;
} gathering;

// one array of a group as it lies in memory after reading
typedef struct dataset_read {
  int64_t n_rows, width; /* width: values of a row */
  bool whole;            /* integers or booleans */
  float *real;           /* n_rows x width, or NULL */
  int32_t *integer;      /* n_rows, or NULL */
} dataset_read;

static coh_status read_shape(const gathering *g, hid_t set, const char *name,
                             dataset_read *out) {
  hid_t space = H5Dget_space(set);
  hsize_t side[COH_MAX_DIMS] = {0};
  int n_dims = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
  if (n_dims > 0 && n_dims <= COH_MAX_DIMS) H5Sget_simple_extent_dims(space, side, NULL);
  if (space >= 0) H5Sclose(space);
  COH_CHECK(n_dims > 0 && n_dims <= COH_MAX_DIMS, COH_E_DATA, "%s: %s is no array of rows",
            g->path, name);
  out->n_rows = (int64_t)side[0];
  out->width = 1;
  for (int k = 1; k < n_dims; k++) {
    COH_CHECK(side[k] > 0 && side[k] < 1 << 24 && out->width < 1 << 24, COH_E_DATA,
              "%s: %s has rows of an absurd size", g->path, name);
    out->width *= (int64_t)side[k];
  }
  COH_CHECK(out->n_rows >= 0 && out->n_rows < (int64_t)1 << 40, COH_E_DATA,
            "%s: %s has %lld rows", g->path, name, (long long)out->n_rows);
  return COH_OK;
}

// h5py writes booleans as an enumeration over one byte, which does not convert by itself
static hid_t memory_type(hid_t set, bool *whole) {
  hid_t type = H5Dget_type(set);
  H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  *whole = class == H5T_INTEGER || class == H5T_ENUM;
  hid_t chosen = class == H5T_ENUM      ? H5Tcopy(type)
                 : class == H5T_INTEGER ? H5Tcopy(H5T_NATIVE_INT32)
                 : class == H5T_FLOAT   ? H5Tcopy(H5T_NATIVE_FLOAT)
                                        : -1;
  if (type >= 0) H5Tclose(type);
  return chosen;
}

static coh_status read_open(const gathering *g, hid_t set, const char *name, bool as_real,
                            dataset_read *out) {
  COH_TRY(read_shape(g, set, name, out));
  hid_t type = memory_type(set, &out->whole);
  COH_CHECK(type >= 0, COH_E_DATA, "%s: %s is no array of numbers", g->path, name);
  size_t n = (size_t)(out->n_rows * out->width);
  bool is_enum = H5Tget_class(type) == H5T_ENUM, failed;
  if (is_enum && H5Tget_size(type) != 1) {
    H5Tclose(type);
    return coh_fail(COH_E_DATA, "%s: %s is an enumeration", g->path, name);
  }
  int8_t *bytes = NULL;
  if (as_real || !out->whole)
    out->real = coh_alloc_array(n, sizeof *out->real);
  else
    out->integer = coh_alloc_array(n, sizeof *out->integer);
  if (is_enum) bytes = coh_alloc_array(n, 1);
  void *to = is_enum ? (void *)bytes : out->real ? (void *)out->real : (void *)out->integer;
  coh_status status = COH_OK;
  if (!to || (!out->real && !out->integer))
    status = coh_fail(COH_E_MEMORY, "%s: out of memory for %s", g->path, name);
  if (status == COH_OK) {
    hid_t asked = is_enum ? type : out->real ? H5T_NATIVE_FLOAT : H5T_NATIVE_INT32;
    failed = H5Dread(set, asked, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) < 0;
    if (failed) status = coh_fail(COH_E_DATA, "%s: %s cannot be read", g->path, name);
  }
  for (size_t i = 0; status == COH_OK && is_enum && i < n; i++) {
    if (out->real)
      out->real[i] = bytes[i];
    else
      out->integer[i] = bytes[i];
  }
  coh_free(bytes);
  H5Tclose(type);
  return status;
}

// read an array of a group; optional ones that are absent leave *out empty
static coh_status read_set(const gathering *g, hid_t group, const char *name, bool as_real,
                           bool required, dataset_read *out) {
  *out = (dataset_read){0};
  if (H5Lexists(group, name, H5P_DEFAULT) <= 0) {
    COH_CHECK(!required, COH_E_DATA, "%s: has no array '%s'; D4RL or Minari files have",
              g->path, name);
    return COH_OK;
  }
  hid_t set = H5Dopen2(group, name, H5P_DEFAULT);
  COH_CHECK(set >= 0, COH_E_DATA,
            "%s: %s is no array (observations must be vectors, not dictionaries)", g->path,
            name);
  coh_status status = read_open(g, set, name, as_real, out);
  H5Dclose(set);
  return status;
}

static void clear_set(dataset_read *set) {
  coh_free(set->real);
  coh_free(set->integer);
  *set = (dataset_read){0};
}

// the arrays of one group
typedef struct group_sets {
  dataset_read observations, next, actions, rewards, ended, cut;
} group_sets;

static coh_status reserve(gathering *g, int64_t n_rows) {
  if (n_rows <= g->capacity) return COH_OK;
  int64_t capacity = n_rows > 2 * g->capacity ? n_rows : 2 * g->capacity;
  for (int k = 0; k < COH_N_COLUMNS; k++) {
    bool wide = k == COH_COLUMN_STATES || k == COH_COLUMN_NEXT_STATES;
    coh_array *array = &g->t->memory->column[k];
    void *grown =
        coh_alloc_resize(array->data, (size_t)g->capacity, (size_t)capacity,
                         (size_t)(wide ? g->width : 1) * coh_dtype_bytes(array->dtype));
    COH_CHECK(grown, COH_E_MEMORY, "%s: out of memory for %lld transitions", g->path,
              (long long)capacity);
    array->data = grown;
  }
  g->capacity = capacity;
  return COH_OK;
}

static coh_status check_sets(const gathering *g, const group_sets *s, int64_t n) {
  const dataset_read *sets[] = {&s->rewards, &s->ended, &s->cut};
  for (int k = 0; k < 3; k++)
    COH_CHECK(!(sets[k]->real || sets[k]->integer) ||
                  (sets[k]->n_rows == n && sets[k]->width == 1),
              COH_E_DATA, "%s: its arrays do not have the same number of rows", g->path);
  COH_CHECK(
      s->actions.integer && s->actions.width == 1, COH_E_DATA,
      "%s: actions are real vectors of %lld; one whole number a row is expected (a finite "
      "set of actions)",
      g->path, (long long)s->actions.width);
  COH_CHECK(s->observations.width == g->width, COH_E_DATA,
            "%s: observations have %lld values, before %lld", g->path,
            (long long)s->observations.width, (long long)g->width);
  COH_CHECK(s->observations.n_rows == n || s->observations.n_rows == n + 1, COH_E_DATA,
            "%s: %lld observations for %lld actions", g->path,
            (long long)s->observations.n_rows, (long long)n);
  COH_CHECK(!s->next.real || (s->next.n_rows == n && s->next.width == g->width), COH_E_DATA,
            "%s: next_observations do not fit observations", g->path);
  return COH_OK;
}

static int flag_at(const dataset_read *set, int64_t i) {
  if (set->integer) return set->integer[i] != 0;
  return set->real ? set->real[i] != 0 : 0;
}

// append the rows of a group; a row whose next observation is not known is left out
static coh_status append_group(gathering *g, const group_sets *s) {
  int64_t n = s->actions.n_rows, d = s->observations.width;
  if (g->width == 0) g->width = d;
  COH_TRY(check_sets(g, s, n));
  COH_TRY(reserve(g, g->n_rows + n));
  coh_array *column = g->t->memory->column;
  size_t bytes = (size_t)d * sizeof(float);
  for (int64_t i = 0; i < n; i++) {
    int ended = flag_at(&s->ended, i), cut = flag_at(&s->cut, i) && !ended;
    const float *state = s->observations.real + i * d, *next = state + d;
    bool known = s->next.real || s->observations.n_rows == n + 1 || (!cut && i + 1 < n);
    if (s->next.real) next = s->next.real + i * d;
    if (known || ended) {
      int64_t at = g->n_rows++;
      memcpy((float *)column[COH_COLUMN_STATES].data + at * d, state, bytes);
      memcpy((float *)column[COH_COLUMN_NEXT_STATES].data + at * d, known ? next : state,
             bytes);
      ((int32_t *)column[COH_COLUMN_ACTIONS].data)[at] = s->actions.integer[i];
      ((float *)column[COH_COLUMN_REWARDS].data)[at] = s->rewards.real[i];
      ((uint8_t *)column[COH_COLUMN_TERMINATED].data)[at] = (uint8_t)ended;
      ((uint8_t *)column[COH_COLUMN_TRUNCATED].data)[at] = (uint8_t)cut;
      ((int64_t *)column[COH_COLUMN_EPISODES].data)[at] = g->episode;
    }
    if (ended || cut) g->episode++;
  }
  return COH_OK;
}

static coh_status read_group(gathering *g, hid_t group, bool minari) {
  group_sets s = {0};
  coh_status status = read_set(g, group, "observations", true, true, &s.observations);
  if (status == COH_OK && !minari)
    status = read_set(g, group, "next_observations", true, false, &s.next);
  if (status == COH_OK) status = read_set(g, group, "actions", false, true, &s.actions);
  if (status == COH_OK) status = read_set(g, group, "rewards", true, true, &s.rewards);
  if (status == COH_OK)
    status = read_set(g, group, minari ? "terminations" : "terminals", false, true, &s.ended);
  if (status == COH_OK)
    status = read_set(g, group, minari ? "truncations" : "timeouts", false, false, &s.cut);
  if (status == COH_OK) status = append_group(g, &s);
  clear_set(&s.observations);
  clear_set(&s.next);
  clear_set(&s.actions);
  clear_set(&s.rewards);
  clear_set(&s.ended);
  clear_set(&s.cut);
  return status;
}

static coh_status read_episodes(gathering *g) {
  for (int64_t k = 0;; k++) {
    char name[32];
    snprintf(name, sizeof name, "episode_%lld", (long long)k);
    if (H5Lexists(g->file, name, H5P_DEFAULT) <= 0) return COH_OK;
    hid_t group = H5Gopen2(g->file, name, H5P_DEFAULT);
    COH_CHECK(group >= 0, COH_E_DATA, "%s: %s is no group", g->path, name);
    g->episode = k;
    coh_status status = read_group(g, group, true);
    H5Gclose(group);
    COH_TRY(status);
  }
}

static void set_shapes(gathering *g) {
  for (int k = 0; k < COH_N_COLUMNS; k++) {
    bool wide = k == COH_COLUMN_STATES || k == COH_COLUMN_NEXT_STATES;
    coh_array *array = &g->t->memory->column[k];
    array->n_dims = wide ? 2 : 1;
    array->shape[0] = g->n_rows;
    array->shape[1] = g->width;
  }
}

coh_status coh_transitions_read_hdf5(const char *path, coh_transitions *t) {
  COH_CHECK(coh_file_exists(path), COH_E_DATA, "%s: cannot open: no such file", path);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL); // our words, not a trace on stderr
  COH_CHECK(H5Fis_hdf5(path) > 0, COH_E_DATA, "%s: is no HDF5 file", path);
  gathering g = {.path = path, .t = t};
  g.file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  COH_CHECK(g.file >= 0, COH_E_DATA, "%s: is a damaged HDF5 file", path);
  coh_status status;
  if (H5Lexists(g.file, "episode_0", H5P_DEFAULT) > 0)
    status = read_episodes(&g);
  else
    status = read_group(&g, g.file, false);
  H5Fclose(g.file);
  if (status == COH_OK && g.n_rows == 0)
    status = coh_fail(COH_E_DATA, "%s: holds no transitions", path);
  if (status == COH_OK) set_shapes(&g);
  return status;
}

#endif
