/* What the members of a sweep came to: gathered from their folders, written as CSV. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/csv.h"
#include "io/file.h"
#include "io/json.h"
#include "run/sweep.h"

enum { PATH_BYTES = 4096, OUTCOME_BYTES = 1 << 16 };

static void outcome_path(const char *folder, int64_t member, char path[PATH_BYTES]) {
  snprintf(path, PATH_BYTES, "%s/outcomes/%04lld.json", folder, (long long)member + 1);
}

coh_status coh_sweep_outcome_write(const char *folder, int64_t member,
                                   const coh_sweep_outcome *outcome) {
  coh_text text = {0};
  coh_json_writer out = {.text = &text};
  coh_json_begin_object(&out);
  coh_json_key(&out, "status");
  coh_json_string(&out, outcome->status == COH_OK ? "ok" : coh_status_name(outcome->status));
  coh_json_key(&out, "message");
  coh_json_string(&out, outcome->message);
  coh_json_key(&out, "seconds");
  coh_json_real(&out, outcome->seconds);
  coh_json_key(&out, "ranks");
  coh_json_int(&out, outcome->n_ranks);
  coh_json_end_object(&out);
  char *json = NULL, path[PATH_BYTES];
  COH_TRY(coh_text_take(&text, &json));
  outcome_path(folder, member, path);
  coh_status status = coh_file_save(path, json, strlen(json));
  coh_free(json);
  return status;
}

static coh_status read_outcome(const char *path, const coh_json_value *root,
                               coh_sweep_outcome *outcome) {
  const char *name = NULL, *message = NULL;
  COH_TRY(coh_json_get_string(path, root, "status", &name));
  COH_TRY(coh_json_get_string(path, root, "message", &message));
  COH_TRY(coh_json_get_real(path, root, "seconds", &outcome->seconds));
  COH_TRY(coh_json_get_int(path, root, "ranks", &outcome->n_ranks));
  snprintf(outcome->message, sizeof outcome->message, "%s", message);
  outcome->is_known = true;
  if (strcmp(name, "ok") == 0) return COH_OK;
  for (coh_status status = COH_E_CONFIG; status <= COH_E_HANG; status++)
    if (strcmp(name, coh_status_name(status)) == 0) outcome->status = status;
  COH_CHECK(outcome->status != COH_OK, COH_E_DATA, "%s: status '%s' is unknown", path, name);
  return COH_OK;
}

coh_status coh_sweep_outcome_read(const char *folder, int64_t member,
                                  coh_sweep_outcome *outcome) {
  *outcome = (coh_sweep_outcome){0};
  char path[PATH_BYTES];
  outcome_path(folder, member, path);
  if (!coh_file_exists(path)) return COH_OK;
  coh_json *json = NULL;
  COH_TRY(coh_json_read(path, OUTCOME_BYTES, &json));
  coh_status status = read_outcome(path, coh_json_root(json), outcome);
  coh_json_destroy(&json);
  return status;
}

void coh_sweep_words(const coh_sweep_plan *plan, int64_t member, bool with_seed, char *text,
                     size_t n_bytes) {
  char *const *value = plan->member[member].value;
  size_t n = 0;
  text[0] = '\0';
  for (int64_t k = 0; k <= plan->n_axes && n < n_bytes; k++) {
    if (!value[k] || (k == plan->n_axes && !with_seed)) continue;
    int length = snprintf(text + n, n_bytes - n, "%s%s=%s", n ? ", " : "",
                          k < plan->n_axes ? plan->axis[k].key : "seed", value[k]);
    n += length > 0 ? (size_t)length : 0;
  }
  if (!*text) snprintf(text, n_bytes, "the config");
}

/* ---- gathering ---- */

void coh_sweep_table_clear(coh_sweep_table *table) {
  for (int64_t k = 0; k < table->n_keys; k++)
    coh_free(table->key[k]), coh_free(table->label[k]), coh_free(table->value[k]);
  coh_free(table->key), coh_free(table->label), coh_free(table->value);
  coh_free(table->outcome);
  *table = (coh_sweep_table){0};
}

static coh_status find_key(coh_sweep_table *table, const coh_result_number *number,
                           int64_t *found) {
  for (*found = 0; *found < table->n_keys; ++*found)
    if (strcmp(table->key[*found], number->key) == 0) return COH_OK;
  COH_CHECK(*found < COH_MAX_RESULTS, COH_E_DATA, "a sweep has over %d different results",
            COH_MAX_RESULTS);
  COH_NEW(table->value[*found], table->plan->n_members);
  for (int64_t i = 0; i < table->plan->n_members; i++)
    table->value[*found][i] = NAN;
  table->n_keys++;
  table->key[*found] = coh_alloc_string(number->key);
  table->label[*found] = coh_alloc_string(number->label);
  COH_CHECK(table->key[*found] && table->label[*found], COH_E_MEMORY,
            "out of memory for the table of a sweep");
  return COH_OK;
}

static coh_status read_member(const char *folder, int64_t member, coh_results *results,
                              coh_sweep_table *table) {
  coh_sweep_outcome *outcome = &table->outcome[member];
  COH_TRY(coh_sweep_outcome_read(folder, member, outcome));
  if (!outcome->is_known) return COH_OK;
  if (outcome->status != COH_OK) {
    table->n_failed++;
    return COH_OK;
  }
  table->n_finished++;
  char path[PATH_BYTES];
  coh_sweep_member_folder(folder, member, path, sizeof path);
  COH_TRY(coh_results_load(path, results));
  coh_status status = COH_OK;
  for (int64_t i = 0; i < results->n_numbers && status == COH_OK; i++) {
    int64_t k = 0;
    status = find_key(table, &results->number[i], &k);
    if (status == COH_OK) table->value[k][member] = results->number[i].value;
  }
  coh_results_clear(results);
  return status;
}

// the metric that was named, or the first result
static coh_status choose_compared(coh_sweep_table *table) {
  const char *metric = table->plan->metric;
  table->compared = table->n_keys > 0 ? 0 : -1;
  if (!metric || table->n_keys == 0) return COH_OK;
  for (int64_t k = 0; k < table->n_keys; k++)
    if (strcmp(table->key[k], metric) == 0) {
      table->compared = k;
      return COH_OK;
    }
  const char *nearest =
      coh_text_nearest(metric, (const char *const *)table->key, table->n_keys);
  return coh_fail(COH_E_CONFIG, "--metric %s: no such result; %s%s", metric,
                  nearest ? "did you mean " : "the first is ",
                  nearest ? nearest : table->key[0]);
}

coh_status coh_sweep_table_read(const char *folder, const coh_sweep_plan *plan,
                                coh_sweep_table *table) {
  *table = (coh_sweep_table){.plan = plan, .compared = -1};
  coh_results *results;
  COH_NEW(results, 1);
  coh_status status = COH_OK;
  table->outcome = coh_alloc_array((size_t)plan->n_members, sizeof *table->outcome);
  table->key = coh_alloc_array(COH_MAX_RESULTS, sizeof *table->key);
  table->label = coh_alloc_array(COH_MAX_RESULTS, sizeof *table->label);
  table->value = coh_alloc_array(COH_MAX_RESULTS, sizeof *table->value);
  if (!table->outcome || !table->key || !table->label || !table->value)
    status = coh_fail(COH_E_MEMORY, "out of memory for the table of a sweep");
  for (int64_t i = 0; i < plan->n_members && status == COH_OK; i++)
    status = read_member(folder, i, results, table);
  coh_free(results);
  if (status == COH_OK) status = choose_compared(table);
  if (status != COH_OK) coh_sweep_table_clear(table);
  return status;
}

coh_sweep_summary coh_sweep_summarize(const coh_sweep_table *table, int64_t setting) {
  coh_sweep_summary out = {.mean = NAN, .error = NAN, .low = NAN, .high = NAN};
  if (table->compared < 0) return out;
  const double *value = table->value[table->compared];
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < table->plan->n_members; i++) {
    if (table->plan->member[i].setting != setting || !isfinite(value[i])) continue;
    out.low = out.n ? fmin(out.low, value[i]) : value[i];
    out.high = out.n ? fmax(out.high, value[i]) : value[i];
    out.n++;
    sum += value[i];
  }
  if (out.n == 0) return out;
  out.mean = sum / (double)out.n;
  for (int64_t i = 0; i < table->plan->n_members; i++)
    if (table->plan->member[i].setting == setting && isfinite(value[i]))
      squares += (value[i] - out.mean) * (value[i] - out.mean);
  if (out.n > 1) out.error = sqrt(squares / (double)(out.n - 1) / (double)out.n);
  return out;
}

/* ---- writing ---- */

static void add_number(coh_text *text, double value, bool is_last) {
  if (isfinite(value))
    coh_csv_add_real(text, value, is_last);
  else
    coh_csv_add_text(text, "", is_last);
}

static void add_member(const coh_sweep_table *table, int64_t i, coh_text *text) {
  const coh_sweep_plan *plan = table->plan;
  const coh_sweep_outcome *outcome = &table->outcome[i];
  coh_text_add(text, "%04lld,%lld,", (long long)i + 1, (long long)plan->member[i].setting + 1);
  for (int64_t k = 0; k <= plan->n_axes; k++)
    coh_csv_add_text(text, plan->member[i].value[k] ? plan->member[i].value[k] : "", false);
  coh_csv_add_text(text,
                   !outcome->is_known          ? "open"
                   : outcome->status == COH_OK ? "finished"
                                               : coh_status_name(outcome->status),
                   false);
  for (int64_t k = 0; k < table->n_keys; k++)
    add_number(text, table->value[k][i], false);
  coh_csv_add_text(text, outcome->message, true);
}

static coh_status save_text(coh_text *text, const char *folder, const char *name) {
  char *data = NULL, path[PATH_BYTES];
  COH_TRY(coh_text_take(text, &data));
  snprintf(path, sizeof path, "%s/%s", folder, name);
  coh_status status = coh_file_save(path, data, strlen(data));
  coh_free(data);
  return status;
}

// seconds are of a machine and a moment: they are in settings.csv, so that sweep.csv compares
coh_status coh_sweep_table_write(const coh_sweep_table *table, const char *folder) {
  const coh_sweep_plan *plan = table->plan;
  coh_text text = {0};
  coh_text_add(&text, "run,setting,");
  for (int64_t k = 0; k < plan->n_axes; k++)
    coh_csv_add_text(&text, plan->axis[k].key, false);
  coh_text_add(&text, "seed,status,");
  for (int64_t k = 0; k < table->n_keys; k++)
    coh_csv_add_text(&text, table->key[k], false);
  coh_text_add(&text, "message\n");
  for (int64_t i = 0; i < plan->n_members; i++)
    add_member(table, i, &text);
  COH_TRY(save_text(&text, folder, "sweep.csv"));

  coh_text_add(&text, "setting,");
  for (int64_t k = 0; k < plan->n_axes; k++)
    coh_csv_add_text(&text, plan->axis[k].key, false);
  coh_text_add(&text, "runs,mean,standard_error,lowest,highest,seconds\n");
  for (int64_t setting = 0, i = 0; setting < plan->n_settings; setting++) {
    coh_sweep_summary s = coh_sweep_summarize(table, setting);
    coh_text_add(&text, "%lld,", (long long)setting + 1);
    for (int64_t k = 0; k < plan->n_axes; k++)
      coh_csv_add_text(&text, plan->member[i].value[k], false);
    double seconds = 0;
    for (; i < plan->n_members && plan->member[i].setting == setting; i++)
      seconds += table->outcome[i].seconds;
    coh_text_add(&text, "%lld,", (long long)s.n);
    add_number(&text, s.mean, false);
    add_number(&text, s.error, false);
    add_number(&text, s.low, false);
    add_number(&text, s.high, false);
    add_number(&text, seconds, true);
  }
  return save_text(&text, folder, "settings.csv");
}
