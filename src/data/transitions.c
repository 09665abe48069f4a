/* Recorded behaviour in memory: columns that grow, or that were read; one check for all files.
 */
#include "data/transitions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "data/dataset_type.h"
#include "data/transitions_memory.h"

const coh_column_form coh_column_forms[COH_N_COLUMNS] = {
    {"states", COH_DTYPE_F32, true},      {"actions", COH_DTYPE_I32, true},
    {"rewards", COH_DTYPE_F32, true},     {"next_states", COH_DTYPE_F32, true},
    {"terminated", COH_DTYPE_BOOL, true}, {"truncated", COH_DTYPE_BOOL, false},
    {"episodes", COH_DTYPE_I64, false},
};

// ---- create, destroy ----------------------------------------------------------------------

static void publish(coh_transitions *t) {
  const coh_array *column = t->memory->column;
  t->source = t->memory->source;
  t->states = column[COH_COLUMN_STATES].data;
  t->next_states = column[COH_COLUMN_NEXT_STATES].data;
  t->actions = column[COH_COLUMN_ACTIONS].data;
  t->rewards = column[COH_COLUMN_REWARDS].data;
  t->terminated = column[COH_COLUMN_TERMINATED].data;
  t->truncated = column[COH_COLUMN_TRUNCATED].data;
  t->episodes = column[COH_COLUMN_EPISODES].data;
}

static coh_status fill_new(const char *source, coh_transitions *t) {
  COH_NEW(t->memory, 1);
  t->memory->source = coh_alloc_string(source);
  COH_CHECK(t->memory->source, COH_E_MEMORY, "out of memory for recorded behaviour");
  for (int k = 0; k < COH_N_COLUMNS; k++)
    t->memory->column[k].dtype = coh_column_forms[k].dtype;
  return COH_OK;
}

coh_status coh_transitions_begin(const char *source, coh_transitions **transitions) {
  coh_transitions *t;
  COH_NEW(t, 1);
  coh_status status = fill_new(source, t);
  if (status == COH_OK)
    *transitions = t;
  else
    coh_transitions_destroy(&t);
  return status;
}

static int64_t width_of(const coh_transitions *t, int column) {
  return column == COH_COLUMN_STATES || column == COH_COLUMN_NEXT_STATES ? t->n_values : 1;
}

static coh_status reserve(coh_transitions *t, int64_t capacity) {
  coh_transitions_memory *memory = t->memory;
  for (int k = 0; k < COH_N_COLUMNS; k++) {
    size_t row = (size_t)width_of(t, k) * coh_dtype_bytes(coh_column_forms[k].dtype);
    void *grown = coh_alloc_resize(memory->column[k].data, (size_t)memory->capacity,
                                   (size_t)capacity, row);
    COH_CHECK(grown, COH_E_MEMORY, "out of memory for %lld transitions", (long long)capacity);
    memory->column[k].data = grown;
  }
  memory->capacity = capacity;
  publish(t);
  return COH_OK;
}

coh_status coh_transitions_create(const char *source, int64_t n_values, int64_t n_actions,
                                  coh_transitions **transitions) {
  coh_transitions *t = NULL;
  COH_TRY(coh_transitions_begin(source, &t));
  t->n_values = n_values;
  t->n_actions = n_actions;
  coh_status status = reserve(t, 1024);
  if (status == COH_OK)
    *transitions = t;
  else
    coh_transitions_destroy(&t);
  return status;
}

void coh_transitions_destroy(coh_transitions **transitions) {
  coh_transitions *t = *transitions;
  if (!t) return;
  for (int k = 0; t->memory && k < COH_N_COLUMNS; k++) {
    if (t->memory->map[k].start)
      coh_map_close(&t->memory->map[k]);
    else
      coh_free(t->memory->column[k].data);
  }
  if (t->memory) coh_free(t->memory->source);
  coh_free(t->memory);
  COH_DELETE(*transitions);
}

bool coh_transitions_mapped(const coh_transitions *t) {
  return t->memory->map[COH_COLUMN_STATES].start != NULL;
}

coh_status coh_transitions_append(coh_transitions *t, const coh_transition_row *row) {
  coh_transitions_memory *memory = t->memory;
  COH_CHECK(memory->capacity > 0, COH_E_INTERNAL, "%s: was read and does not grow", t->source);
  if (t->n_rows == memory->capacity) COH_TRY(reserve(t, 2 * memory->capacity));
  int64_t i = t->n_rows, d = t->n_values;
  bool follows = i > 0 && !t->terminated[i - 1] && !t->truncated[i - 1];
  if (!follows) t->n_episodes++;
  size_t bytes = (size_t)d * sizeof(float);
  coh_array *column = memory->column;
  memcpy((float *)column[COH_COLUMN_STATES].data + i * d, row->state, bytes);
  memcpy((float *)column[COH_COLUMN_NEXT_STATES].data + i * d, row->next_state, bytes);
  ((int32_t *)column[COH_COLUMN_ACTIONS].data)[i] = row->action;
  ((float *)column[COH_COLUMN_REWARDS].data)[i] = row->reward;
  ((uint8_t *)column[COH_COLUMN_TERMINATED].data)[i] = row->terminated;
  ((uint8_t *)column[COH_COLUMN_TRUNCATED].data)[i] = row->truncated;
  ((int64_t *)column[COH_COLUMN_EPISODES].data)[i] = t->n_episodes - 1;
  t->n_rows++;
  return COH_OK;
}

// ---- columns of other types ---------------------------------------------------------------

static int64_t integer_at(const coh_array *array, int64_t i) {
  switch (array->dtype) {
  case COH_DTYPE_I8:
    return ((const int8_t *)array->data)[i];
  case COH_DTYPE_I16:
    return ((const int16_t *)array->data)[i];
  case COH_DTYPE_I32:
    return ((const int32_t *)array->data)[i];
  case COH_DTYPE_I64:
    return ((const int64_t *)array->data)[i];
  case COH_DTYPE_U16:
    return ((const uint16_t *)array->data)[i];
  case COH_DTYPE_U32:
    return ((const uint32_t *)array->data)[i];
  case COH_DTYPE_U64:
    return (int64_t)((const uint64_t *)array->data)[i];
  default:
    return ((const uint8_t *)array->data)[i];
  }
}

static bool is_real(coh_dtype dtype) {
  return dtype == COH_DTYPE_F32 || dtype == COH_DTYPE_F64 || dtype == COH_DTYPE_F16 ||
         dtype == COH_DTYPE_BF16;
}

// whole numbers into the form's type; what does not fit becomes what the check refuses
static void convert_integers(const coh_array *from, int64_t n, coh_array *to) {
  for (int64_t i = 0; i < n; i++) {
    int64_t value = integer_at(from, i);
    if (to->dtype == COH_DTYPE_I32)
      ((int32_t *)to->data)[i] = value < INT32_MIN   ? INT32_MIN
                                 : value > INT32_MAX ? INT32_MAX
                                                     : (int32_t)value;
    else if (to->dtype == COH_DTYPE_I64)
      ((int64_t *)to->data)[i] = value;
    else
      ((uint8_t *)to->data)[i] = value == 0 || value == 1 ? (uint8_t)value : 2;
  }
}

coh_status coh_transitions_take(coh_transitions *t, coh_transitions_column column,
                                coh_array *array, coh_map *map) {
  const coh_column_form *form = &coh_column_forms[column];
  coh_array made = *array;
  made.dtype = form->dtype;
  bool same = array->dtype == form->dtype ||
              (form->dtype == COH_DTYPE_BOOL && array->dtype == COH_DTYPE_U8);
  if (!same) {
    COH_CHECK(is_real(form->dtype) || !is_real(array->dtype), COH_E_DATA,
              "%s: %s are real numbers; whole ones are expected%s", t->memory->source,
              form->name, column == COH_COLUMN_ACTIONS ? " (a finite set of actions)" : "");
    int64_t n = coh_array_count(array);
    made.data = coh_alloc_array((size_t)n, coh_dtype_bytes(form->dtype));
    COH_CHECK(made.data, COH_E_MEMORY, "%s: out of memory for %s", t->memory->source,
              form->name);
    if (is_real(form->dtype))
      coh_dataset_to_floats(array->dtype, array->data, n, made.data);
    else
      convert_integers(array, n, &made);
    if (map && map->start)
      coh_map_close(map);
    else
      coh_free(array->data);
  } else if (map) {
    t->memory->map[column] = *map;
    *map = (coh_map){0};
  }
  t->memory->column[column] = made;
  *array = (coh_array){0};
  return COH_OK;
}

// ---- one check for all files --------------------------------------------------------------

// word a failure at a row
static coh_status fail_at(const coh_transitions *t, int64_t row, const char *what) {
  if (t->memory->by_line)
    return coh_fail(COH_E_DATA, "%s:%lld: %s", t->source, (long long)row + 2, what);
  return coh_fail(COH_E_DATA, "%s: row %lld: %s", t->source, (long long)row, what);
}

static coh_status check_shapes(coh_transitions *t) {
  const coh_array *column = t->memory->column;
  const coh_array *states = &column[COH_COLUMN_STATES];
  for (int k = 0; k < COH_N_COLUMNS; k++)
    COH_CHECK(column[k].data || !coh_column_forms[k].required, COH_E_DATA,
              "%s: has no %s; recorded behaviour has states, actions, rewards, next_states and "
              "terminated",
              t->source, coh_column_forms[k].name);
  COH_CHECK(states->n_dims >= 1, COH_E_DATA, "%s: states is a single number", t->source);
  t->n_rows = states->shape[0];
  COH_CHECK(t->n_rows > 0, COH_E_DATA, "%s: holds no transitions", t->source);
  t->n_values = coh_array_count(states) / t->n_rows;
  COH_CHECK(t->n_values > 0, COH_E_DATA, "%s: states have no values", t->source);
  for (int k = 0; k < COH_N_COLUMNS; k++) {
    if (!column[k].data) continue;
    int64_t n = column[k].n_dims ? column[k].shape[0] : 1;
    COH_CHECK(n == t->n_rows, COH_E_DATA, "%s: %s has %lld rows, states has %lld", t->source,
              coh_column_forms[k].name, (long long)n, (long long)t->n_rows);
    COH_CHECK(coh_array_count(&column[k]) == n * width_of(t, k), COH_E_DATA,
              "%s: a row of %s has %lld values, not %lld", t->source, coh_column_forms[k].name,
              (long long)(coh_array_count(&column[k]) / n), (long long)width_of(t, k));
  }
  return COH_OK;
}

static coh_status check_actions(coh_transitions *t, int64_t n_actions) {
  int32_t largest = 0;
  for (int64_t i = 0; i < t->n_rows; i++) {
    int32_t action = t->actions[i];
    if (action > largest) largest = action;
    if (action >= 0 && (n_actions == 0 || action < n_actions)) continue;
    char what[160];
    if (n_actions > 0)
      snprintf(what, sizeof what, "action %d is out of range; there are actions 0 to %lld",
               (int)action, (long long)n_actions - 1);
    else
      snprintf(what, sizeof what, "action %d is negative; actions are numbered from 0",
               (int)action);
    return fail_at(t, i, what);
  }
  COH_CHECK(largest < 1 << 20, COH_E_DATA, "%s: action %d: too many actions", t->source,
            (int)largest);
  t->n_actions = n_actions > 0 ? n_actions : (int64_t)largest + 1;
  return COH_OK;
}

static bool all_finite(const float *values, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    if (!isfinite(values[i])) return false;
  return true;
}

static coh_status check_values(const coh_transitions *t) {
  for (int64_t i = 0; i < t->n_rows; i++) {
    if (!isfinite(t->rewards[i])) return fail_at(t, i, "the reward is not a finite number");
    if (!all_finite(t->states + i * t->n_values, t->n_values))
      return fail_at(t, i, "a value of the state is not a finite number");
    if (!all_finite(t->next_states + i * t->n_values, t->n_values))
      return fail_at(t, i, "a value of the next state is not a finite number");
    if (t->terminated[i] > 1) return fail_at(t, i, "terminated is neither 0 nor 1");
    if (t->truncated[i] > 1) return fail_at(t, i, "truncated is neither 0 nor 1");
  }
  return COH_OK;
}

// what is not told: no row was cut, an episode goes on where the next row starts at its end
static coh_status fill_optional(coh_transitions *t) {
  coh_transitions_memory *memory = t->memory;
  if (!t->truncated) {
    uint8_t *truncated;
    COH_NEW(truncated, t->n_rows);
    memory->column[COH_COLUMN_TRUNCATED].data = truncated;
  }
  publish(t);
  if (t->episodes) return COH_OK;
  int64_t *episodes;
  COH_NEW(episodes, t->n_rows);
  memory->column[COH_COLUMN_EPISODES].data = episodes;
  size_t bytes = (size_t)t->n_values * sizeof(float);
  for (int64_t i = 1; i < t->n_rows; i++) {
    bool ended =
        t->terminated[i - 1] == 1 || t->truncated[i - 1] == 1 ||
        memcmp(t->next_states + (i - 1) * t->n_values, t->states + i * t->n_values, bytes) != 0;
    episodes[i] = episodes[i - 1] + ended;
  }
  publish(t);
  return COH_OK;
}

static coh_status count_episodes(coh_transitions *t) {
  t->n_episodes = 1;
  for (int64_t i = 1; i < t->n_rows; i++) {
    if (t->episodes[i] == t->episodes[i - 1]) {
      if (t->terminated[i - 1])
        return fail_at(t, i, "goes on with an episode that terminated in the row before");
      continue;
    }
    if (t->episodes[i] < t->episodes[i - 1])
      return fail_at(t, i, "the number of the episode falls; rows of an episode lie together");
    t->n_episodes++;
  }
  return COH_OK;
}

coh_status coh_transitions_complete(coh_transitions *t, int64_t n_actions) {
  publish(t);
  COH_TRY(check_shapes(t));
  COH_TRY(fill_optional(t));
  COH_TRY(check_actions(t, n_actions));
  COH_TRY(check_values(t));
  return count_episodes(t);
}
