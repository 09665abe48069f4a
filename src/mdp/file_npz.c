/* Models as NPZ archives, in one of two forms:
 *
 *     first_row, first_entry, next, probability, reward [, action, discount, start, picture,
 *     wall, label:NAME ...]: the arrays of coh_mdp, as they are
 *     indptr, indices, data, shape [, reward, discount, start]: a SciPy CSR matrix whose row
 *     state * n_actions + action leads to columns; n_actions = rows / columns; reward: one a
 * row
 *
 * Numbers may be of any type that holds them; every one of them is checked. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/npz.h"
#include "mdp/mdp_file.h"

enum { MAX_BYTES_SHIFT = 36 }; /* 64 GiB together */

/* Element i as a double; exact for integers below 2^53, which is more than states there are. */
static double element(const coh_array *array, int64_t i) {
  switch (array->dtype) {
  case COH_DTYPE_F64:
    return ((const double *)array->data)[i];
  case COH_DTYPE_F32:
    return (double)((const float *)array->data)[i];
  case COH_DTYPE_I64:
    return (double)((const int64_t *)array->data)[i];
  case COH_DTYPE_U64:
    return (double)((const uint64_t *)array->data)[i];
  case COH_DTYPE_I32:
    return ((const int32_t *)array->data)[i];
  case COH_DTYPE_U32:
    return ((const uint32_t *)array->data)[i];
  case COH_DTYPE_I16:
    return ((const int16_t *)array->data)[i];
  case COH_DTYPE_U16:
    return ((const uint16_t *)array->data)[i];
  case COH_DTYPE_I8:
    return ((const int8_t *)array->data)[i];
  case COH_DTYPE_U8:
  case COH_DTYPE_BOOL:
    return ((const uint8_t *)array->data)[i];
  default:
    return NAN;
  }
}

typedef struct npz_reader {
  const char *path;
  const coh_npz *npz;
} npz_reader;

static coh_status whole(const npz_reader *reader, const char *name, int64_t i, double least,
                        double most, const coh_array *array, int64_t *value) {
  double found = element(array, i);
  COH_CHECK(found >= least && found <= most && found == floor(found), COH_E_DATA,
            "%s: %s[%lld] is %g, not a whole number within %g and %g", reader->path, name,
            (long long)i, found, least, most);
  *value = (int64_t)found;
  return COH_OK;
}

/* The array of that name with `count` elements (-1: any number); NULL where it may be absent.
 */
static coh_status find(const npz_reader *reader, const char *name, int64_t count,
                       const coh_array **array) {
  *array = coh_npz_find(reader->npz, name);
  COH_CHECK(*array, COH_E_DATA, "%s: holds no array '%s'", reader->path, name);
  COH_CHECK(count < 0 || coh_array_count(*array) == count, COH_E_DATA,
            "%s: %s has %lld elements, not %lld", reader->path, name,
            (long long)coh_array_count(*array), (long long)count);
  return COH_OK;
}

/* What both forms come down to. */
typedef struct npz_arrays {
  int64_t n_states, n_rows, n_entries, n_actions; /* n_actions: of the CSR form, else 0 */
  const coh_array *first_row, *first_entry, *next, *probability, *reward, *action;
} npz_arrays;

static coh_status find_own(const npz_reader *reader, npz_arrays *arrays) {
  COH_TRY(find(reader, "first_row", -1, &arrays->first_row));
  COH_TRY(find(reader, "first_entry", -1, &arrays->first_entry));
  arrays->n_states = coh_array_count(arrays->first_row) - 1;
  arrays->n_rows = coh_array_count(arrays->first_entry) - 1;
  COH_TRY(find(reader, "next", -1, &arrays->next));
  arrays->n_entries = coh_array_count(arrays->next);
  COH_TRY(find(reader, "probability", arrays->n_entries, &arrays->probability));
  COH_TRY(find(reader, "reward", arrays->n_rows, &arrays->reward));
  if (coh_npz_find(reader->npz, "action"))
    COH_TRY(find(reader, "action", arrays->n_rows, &arrays->action));
  return COH_OK;
}

static coh_status find_scipy(const npz_reader *reader, npz_arrays *arrays) {
  const coh_array *shape;
  COH_TRY(find(reader, "shape", 2, &shape));
  COH_TRY(whole(reader, "shape", 0, 1, 0x1p53, shape, &arrays->n_rows));
  COH_TRY(whole(reader, "shape", 1, 1, UINT32_MAX, shape, &arrays->n_states));
  COH_CHECK(arrays->n_rows % arrays->n_states == 0, COH_E_DATA,
            "%s: %lld rows are not a whole number of actions for %lld states", reader->path,
            (long long)arrays->n_rows, (long long)arrays->n_states);
  arrays->n_actions = arrays->n_rows / arrays->n_states;
  COH_TRY(find(reader, "indptr", arrays->n_rows + 1, &arrays->first_entry));
  COH_TRY(find(reader, "indices", -1, &arrays->next));
  arrays->n_entries = coh_array_count(arrays->next);
  COH_TRY(find(reader, "data", arrays->n_entries, &arrays->probability));
  if (coh_npz_find(reader->npz, "reward"))
    COH_TRY(find(reader, "reward", arrays->n_rows, &arrays->reward));
  return COH_OK;
}

static coh_status add_row(const npz_reader *reader, const npz_arrays *arrays, int64_t state,
                          int64_t row, int64_t action, coh_mdp_builder *builder) {
  const char *name = arrays->n_actions ? "indptr" : "first_entry";
  int64_t first = 0, end = 0, next = 0;
  COH_TRY(whole(reader, name, row, 0, (double)arrays->n_entries, arrays->first_entry, &first));
  COH_TRY(whole(reader, name, row + 1, (double)first, (double)arrays->n_entries,
                arrays->first_entry, &end));
  // SciPy's form has a row for every action: an empty one is no action
  if (arrays->n_actions && first == end) return COH_OK;
  double reward = arrays->reward ? element(arrays->reward, row) : 0.0;
  COH_TRY(coh_mdp_add_row(builder, state, (int32_t)action, reward));
  for (int64_t e = first; e < end; e++) {
    COH_TRY(whole(reader, arrays->n_actions ? "indices" : "next", e, 0,
                  (double)arrays->n_states - 1, arrays->next, &next));
    COH_TRY(coh_mdp_add_entry(builder, next, element(arrays->probability, e), 0.0));
  }
  return coh_mdp_close_row(builder);
}

static coh_status add_rows(const npz_reader *reader, const npz_arrays *arrays,
                           coh_mdp_builder *builder) {
  for (int64_t s = 0; s < arrays->n_states; s++) {
    int64_t first = s * arrays->n_actions, end = first + arrays->n_actions, action = 0;
    if (!arrays->n_actions) {
      COH_TRY(
          whole(reader, "first_row", s, 0, (double)arrays->n_rows, arrays->first_row, &first));
      COH_TRY(whole(reader, "first_row", s + 1, (double)first, (double)arrays->n_rows,
                    arrays->first_row, &end));
    }
    for (int64_t r = first; r < end; r++) {
      action = r - first;
      if (arrays->action)
        COH_TRY(whole(reader, "action", r, 0, INT32_MAX, arrays->action, &action));
      COH_TRY(add_row(reader, arrays, s, r, action, builder));
    }
  }
  return COH_OK;
}

static coh_status add_extras(const npz_reader *reader, coh_mdp *mdp) {
  const coh_array *start = coh_npz_find(reader->npz, "start");
  if (start) {
    COH_TRY(find(reader, "start", mdp->n_states, &start));
    COH_CHECK(start->dtype == COH_DTYPE_F64, COH_E_DATA, "%s: start is not of float64",
              reader->path);
    COH_TRY(coh_mdp_set_start(mdp, start->data));
  }
  for (int64_t k = 0; k < reader->npz->n_members; k++) {
    const coh_npz_member *member = &reader->npz->member[k];
    if (strncmp(member->name, "label:", 6) != 0) continue;
    COH_CHECK(coh_dtype_bytes(member->array.dtype) == 1 &&
                  coh_array_count(&member->array) == mdp->n_states,
              COH_E_DATA, "%s: %s is not one byte for each of %lld states", reader->path,
              member->name, (long long)mdp->n_states);
    COH_TRY(coh_mdp_label_add(mdp, member->name + 6, member->array.data));
  }
  const coh_array *picture = coh_npz_find(reader->npz, "picture"), *wall;
  if (!picture) return COH_OK;
  COH_TRY(find(reader, "picture", 6, &picture));
  COH_TRY(find(reader, "wall", mdp->n_states, &wall));
  int64_t number[6];
  for (int64_t k = 0; k < 6; k++)
    COH_TRY(whole(reader, "picture", k, k < 2 ? 1 : 0, k < 2 ? UINT32_MAX : 3, picture,
                  &number[k]));
  COH_CHECK(number[0] <= mdp->n_states && number[0] * number[1] == mdp->n_states, COH_E_DATA,
            "%s: a picture of %lld x %lld cells for %lld states", reader->path,
            (long long)number[0], (long long)number[1], (long long)mdp->n_states);
  COH_NEW(mdp->picture.wall, mdp->n_states);
  for (int64_t s = 0; s < mdp->n_states; s++)
    mdp->picture.wall[s] = element(wall, s) != 0.0;
  mdp->picture.n_rows = number[0];
  mdp->picture.n_cols = number[1];
  for (int k = 0; k < 4; k++)
    mdp->picture.direction[k] = (int8_t)number[2 + k];
  return COH_OK;
}

static coh_status build(const npz_reader *reader, double discount, coh_mdp **out) {
  npz_arrays arrays = {0};
  COH_TRY(coh_npz_find(reader->npz, "indptr") ? find_scipy(reader, &arrays)
                                              : find_own(reader, &arrays));
  if (discount == 0.0) {
    const coh_array *own = coh_npz_find(reader->npz, "discount");
    if (own) COH_TRY(find(reader, "discount", 1, &own));
    discount = own ? element(own, 0) : 1.0;
  }
  coh_mdp_builder *builder;
  coh_mdp *mdp;
  COH_TRY(coh_mdp_build(arrays.n_states, discount, &builder));
  coh_status status = add_rows(reader, &arrays, builder);
  if (status != COH_OK) {
    coh_mdp_discard(&builder);
    return status;
  }
  COH_TRY(coh_mdp_finish(&builder, &mdp));
  status = add_extras(reader, mdp);
  if (status != COH_OK) {
    coh_mdp_destroy(&mdp);
    return status;
  }
  *out = mdp;
  return COH_OK;
}

coh_status coh_mdp_read_npz(const char *path, const coh_mdp_file_options *options,
                            coh_mdp **mdp) {
  coh_npz npz;
  COH_TRY(coh_npz_read(path, (size_t)1 << MAX_BYTES_SHIFT, &npz));
  npz_reader reader = {path, &npz};
  coh_status status = build(&reader, options->discount, mdp);
  coh_npz_clear(&npz);
  if (status == COH_OK || strncmp(coh_error_message(), path, strlen(path)) == 0) return status;
  return coh_fail_within(status, "%s", path);
}

/* ------------------------------------------------------------------------------ writing -- */

static coh_npz_member vector(const char *name, coh_dtype dtype, int64_t n, const void *data) {
  // members are only read by the writer
  return (coh_npz_member){
      (char *)(uintptr_t)name,
      {.dtype = dtype, .n_dims = 1, .shape = {n}, .data = (void *)(uintptr_t)data}};
}

static coh_status write_members(const coh_mdp *mdp, const char *path, coh_npz_member *member,
                                char (*name)[64]) {
  int64_t n = 0, states = mdp->n_states, rows = mdp->n_rows, entries = mdp->n_entries;
  int64_t picture[6] = {mdp->picture.n_rows, mdp->picture.n_cols};
  for (int k = 0; k < 4; k++)
    picture[2 + k] = mdp->picture.direction[k];
  member[n++] = vector("first_row", COH_DTYPE_I64, states + 1, mdp->first_row);
  member[n++] = vector("first_entry", COH_DTYPE_I64, rows + 1, mdp->first_entry);
  member[n++] = vector("next", COH_DTYPE_U32, entries, mdp->next);
  member[n++] = vector("probability", COH_DTYPE_F64, entries, mdp->probability);
  member[n++] = vector("reward", COH_DTYPE_F64, rows, mdp->reward);
  member[n++] = vector("action", COH_DTYPE_I32, rows, mdp->action);
  member[n++] = vector("discount", COH_DTYPE_F64, 1, &mdp->discount);
  if (mdp->start) member[n++] = vector("start", COH_DTYPE_F64, states, mdp->start);
  if (mdp->picture.n_rows > 0 && mdp->picture.wall) {
    member[n++] = vector("picture", COH_DTYPE_I64, 6, picture);
    member[n++] = vector("wall", COH_DTYPE_U8, states, mdp->picture.wall);
  }
  for (int64_t k = 0; k < mdp->n_labels; k++) {
    snprintf(name[k], sizeof name[k], "label:%s", mdp->label[k].name);
    member[n++] = vector(name[k], COH_DTYPE_U8, states, mdp->label[k].holds);
  }
  return coh_npz_write(path, member, n, true);
}

coh_status coh_mdp_write_npz(const coh_mdp *mdp, const char *path) {
  coh_npz_member *member = coh_alloc_array((size_t)mdp->n_labels + 10, sizeof *member);
  char(*name)[64] = coh_alloc_array((size_t)mdp->n_labels, sizeof *name);
  coh_status status = member && name ? write_members(mdp, path, member, name)
                                     : coh_fail(COH_E_MEMORY, "out of memory for %lld labels",
                                                (long long)mdp->n_labels);
  coh_free(member);
  coh_free(name);
  return status;
}
