/* Reading metrics.jsonl back as columns, for figures, reports and metrics.csv. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "io/csv.h"
#include "io/file.h"
#include "io/json.h"
#include "run/metrics.h"

enum { MAX_COLUMNS = 4096 };

// the column of a key, made where it is new; column_hint: where the row before had its next key
static coh_status column_of(coh_metrics_table *table, int64_t max_rows, const char *key,
                            int64_t hint, int64_t *column) {
  if (hint < table->n_columns && strcmp(table->name[hint], key) == 0) {
    *column = hint;
    return COH_OK;
  }
  for (*column = 0; *column < table->n_columns; ++*column)
    if (strcmp(table->name[*column], key) == 0) return COH_OK;
  COH_CHECK(table->n_columns < MAX_COLUMNS, COH_E_DATA, "more than %d metrics", MAX_COLUMNS);
  int64_t c = table->n_columns;
  char *name = coh_alloc_string(key);
  COH_CHECK(name, COH_E_MEMORY, "out of memory for the metric %s", key);
  table->name[c] = name;
  table->n_columns++; // from here on coh_metrics_clear finds it
  COH_NEW(table->value[c], max_rows);
  COH_NEW(table->present[c], max_rows);
  for (int64_t i = 0; i < max_rows; i++)
    table->value[c][i] = NAN;
  return COH_OK;
}

static bool value_of(const coh_json_value *v, double *value) {
  if (v->kind == COH_JSON_NUMBER)
    *value = v->real;
  else if (v->kind == COH_JSON_NULL)
    *value = NAN;
  else if (v->kind != COH_JSON_STRING)
    return false;
  else if (strcmp(v->string, "nan") == 0)
    *value = NAN;
  else if (strcmp(v->string, "inf") == 0)
    *value = INFINITY;
  else if (strcmp(v->string, "-inf") == 0)
    *value = -INFINITY;
  else
    return false;
  return true;
}

static coh_status add_row(coh_metrics_table *table, int64_t max_rows,
                          const coh_json_value *row) {
  int64_t at = table->n_rows, column = -1;
  COH_TRY(coh_json_get_int("row", row, "step", &table->step[at]));
  for (const coh_json_value *v = row->first; v; v = v->next) {
    if (strcmp(v->key, "step") == 0) continue;
    double value;
    COH_CHECK(value_of(v, &value), COH_E_DATA, "'%s' is not a number", v->key);
    COH_TRY(column_of(table, max_rows, v->key, column + 1, &column));
    table->value[column][at] = value;
    table->present[column][at] = 1;
  }
  table->n_rows++;
  return COH_OK;
}

static coh_status add_line(coh_metrics_table *table, int64_t max_rows, const char *line,
                           size_t n_bytes) {
  coh_json *json;
  COH_TRY(coh_json_parse("row", line, n_bytes, &json));
  coh_status status = add_row(table, max_rows, coh_json_root(json));
  coh_json_destroy(&json);
  return status;
}

static coh_status add_lines(coh_metrics_table *table, const char *path, const char *text,
                            size_t n_bytes) {
  int64_t max_rows = 0;
  for (size_t i = 0; i < n_bytes; i++)
    max_rows += text[i] == '\n';
  COH_NEW(table->step, max_rows);
  COH_NEW(table->name, MAX_COLUMNS);
  COH_NEW(table->value, MAX_COLUMNS);
  COH_NEW(table->present, MAX_COLUMNS);
  const char *line = text;
  for (int64_t i = 0; i < max_rows; i++) {
    const char *end = memchr(line, '\n', n_bytes - (size_t)(line - text));
    coh_status status = add_line(table, max_rows, line, (size_t)(end - line));
    if (status != COH_OK) return coh_fail_within(status, "%s:%lld", path, (long long)i + 1);
    line = end + 1;
  }
  return COH_OK;
}

coh_status coh_metrics_read(const char *path, coh_metrics_table *table) {
  char *text;
  size_t n_bytes;
  COH_TRY(coh_file_load(path, (size_t)1 << 30, &text, &n_bytes));
  coh_metrics_table made = {0};
  coh_status status = add_lines(&made, path, text, n_bytes);
  coh_free(text);
  if (status == COH_OK)
    *table = made;
  else
    coh_metrics_clear(&made);
  return status;
}

void coh_metrics_clear(coh_metrics_table *table) {
  for (int64_t c = 0; c < table->n_columns; c++) {
    coh_free(table->name[c]);
    coh_free(table->value[c]);
    coh_free(table->present[c]);
  }
  coh_free(table->step);
  coh_free(table->name);
  coh_free(table->value);
  coh_free(table->present);
  *table = (coh_metrics_table){0};
}

coh_status coh_metrics_column(const coh_metrics_table *table, const char *name, double **x,
                              double **y, int64_t *n) {
  int64_t c = 0, count = 0;
  while (c < table->n_columns && strcmp(table->name[c], name) != 0)
    c++;
  bool known = c < table->n_columns;
  for (int64_t i = 0; known && i < table->n_rows; i++)
    count += table->present[c][i];
  double *steps = coh_alloc_array((size_t)count, sizeof *steps);
  double *values = coh_alloc_array((size_t)count, sizeof *values);
  if (!steps || !values) {
    coh_free(steps);
    coh_free(values);
    return coh_fail(COH_E_MEMORY, "out of memory for the metric %s", name);
  }
  for (int64_t i = 0, k = 0; known && i < table->n_rows; i++) {
    if (!table->present[c][i]) continue;
    steps[k] = (double)table->step[i];
    values[k++] = table->value[c][i];
  }
  if (n) *n = count;
  if (x)
    *x = steps;
  else
    coh_free(steps);
  if (y)
    *y = values;
  else
    coh_free(values);
  return COH_OK;
}

coh_status coh_metrics_write_csv(const coh_metrics_table *table, const char *path) {
  coh_text text = {0};
  coh_csv_add_text(&text, "step", table->n_columns == 0);
  for (int64_t c = 0; c < table->n_columns; c++)
    coh_csv_add_text(&text, table->name[c], c + 1 == table->n_columns);
  for (int64_t i = 0; i < table->n_rows; i++) {
    coh_text_add(&text, "%lld%s", (long long)table->step[i], table->n_columns ? "," : "\n");
    for (int64_t c = 0; c < table->n_columns; c++) {
      bool last = c + 1 == table->n_columns;
      if (table->present[c][i])
        coh_csv_add_real(&text, table->value[c][i], last);
      else
        coh_csv_add_text(&text, "", last);
    }
  }
  coh_status status = text.failed
                          ? coh_fail(COH_E_MEMORY, "%s: out of memory for the table", path)
                          : coh_file_save(path, text.data, text.n_bytes);
  coh_text_clear(&text);
  return status;
}
