/* Collecting results and keeping them as JSON beside the run. */
#include "run/results.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/file.h"
#include "io/json.h"

enum { PATH_BYTES = 4096, SUMMARY_BYTES = 4 << 20 };

static char *copy(const char *text) {
  return coh_alloc_string(text ? text : "");
}

void coh_metric_add(coh_metric_row *row, const char *name, double value) {
  if (row->n_metrics < COH_MAX_METRICS)
    row->metric[row->n_metrics++] = (coh_metric){name, value};
}

void coh_results_number(coh_results *results, const char *key, double value, const char *text,
                        const char *label, const char *note) {
  char digits[32];
  if (!results->active || results->n_numbers == COH_MAX_RESULTS) return;
  snprintf(digits, sizeof digits, "%.4g", value);
  results->number[results->n_numbers++] =
      (coh_result_number){.key = copy(key),
                          .text = copy(text ? text : digits),
                          .label = copy(label),
                          .note = copy(note),
                          .value = value};
}

void coh_results_picture(coh_results *results, const char *path, const char *caption,
                         bool pixelated) {
  if (!results->active || results->n_pictures == COH_MAX_RESULTS) return;
  results->picture[results->n_pictures++] = (coh_result_picture){
      .path = copy(path), .caption = copy(caption), .pixelated = pixelated};
}

static void add_line(coh_results *results, const char *text, bool warning) {
  if (!results->active || results->n_lines == COH_MAX_RESULTS) return;
  results->line[results->n_lines++] = (coh_result_line){copy(text), warning};
}

void coh_results_text(coh_results *results, const char *text) {
  add_line(results, text, false);
}

void coh_results_warning(coh_results *results, const char *text) {
  add_line(results, text, true);
}

// n cells of a table, header and rows alike; NULL is an empty text
static void copy_cells(const char *const *cells, int64_t n, char **copies) {
  for (int64_t i = 0; i < n; i++)
    copies[i] = copy(cells[i]);
}

void coh_results_table(coh_results *results, const char *caption, const char *const *header,
                       const char *const *cells, int64_t n_rows, int64_t n_columns) {
  if (!results->active || results->n_tables == COH_MAX_RESULTS) return;
  char **text = coh_alloc_array((size_t)((n_rows + 1) * n_columns), sizeof *text);
  if (!text) return;
  copy_cells(header, n_columns, text);
  copy_cells(cells, n_rows * n_columns, text + n_columns);
  results->table[results->n_tables++] = (coh_result_table){
      .caption = copy(caption), .text = text, .n_rows = n_rows, .n_columns = n_columns};
}

static void clear_table(coh_result_table *table) {
  for (int64_t i = 0; i < (table->n_rows + 1) * table->n_columns; i++)
    coh_free(table->text[i]);
  coh_free(table->text);
  coh_free(table->caption);
}

void coh_results_clear(coh_results *results) {
  for (int64_t i = 0; i < results->n_numbers; i++) {
    coh_result_number *number = &results->number[i];
    coh_free(number->key), coh_free(number->text);
    coh_free(number->label), coh_free(number->note);
  }
  for (int64_t i = 0; i < results->n_pictures; i++)
    coh_free(results->picture[i].path), coh_free(results->picture[i].caption);
  for (int64_t i = 0; i < results->n_lines; i++)
    coh_free(results->line[i].text);
  for (int64_t i = 0; i < results->n_tables; i++)
    clear_table(&results->table[i]);
  coh_free(results->status);
  *results = (coh_results){0};
}

double coh_results_value(const coh_results *results, const char *key) {
  for (int64_t i = 0; i < results->n_numbers; i++)
    if (strcmp(results->number[i].key, key) == 0) return results->number[i].value;
  return NAN;
}

static void member(coh_json_writer *out, const char *key, const char *text) {
  coh_json_key(out, key);
  coh_json_string(out, text);
}

static void write_tables(const coh_results *results, coh_json_writer *out) {
  coh_json_key(out, "tables");
  coh_json_begin_list(out);
  for (int64_t i = 0; i < results->n_tables; i++) {
    const coh_result_table *table = &results->table[i];
    coh_json_begin_object(out);
    member(out, "caption", table->caption);
    coh_json_key(out, "rows");
    coh_json_begin_list(out);
    for (int64_t r = 0; r <= table->n_rows; r++) {
      coh_json_begin_list(out);
      for (int64_t k = 0; k < table->n_columns; k++)
        coh_json_string(out, table->text[r * table->n_columns + k]);
      coh_json_end_list(out);
    }
    coh_json_end_list(out);
    coh_json_end_object(out);
  }
  coh_json_end_list(out);
}

coh_status coh_results_save_as(const coh_results *results, const char *folder,
                               const char *name) {
  coh_text text = {0};
  coh_json_writer out = {.text = &text, .indented = true};
  coh_json_begin_object(&out);
  member(&out, "status", results->status ? results->status : "running");
  coh_json_key(&out, "numbers");
  coh_json_begin_list(&out);
  for (int64_t i = 0; i < results->n_numbers; i++) {
    const coh_result_number *number = &results->number[i];
    coh_json_begin_object(&out);
    member(&out, "key", number->key);
    coh_json_key(&out, "value");
    coh_json_real(&out, number->value);
    member(&out, "text", number->text);
    member(&out, "label", number->label);
    member(&out, "note", number->note);
    coh_json_end_object(&out);
  }
  coh_json_end_list(&out);
  coh_json_key(&out, "pictures");
  coh_json_begin_list(&out);
  for (int64_t i = 0; i < results->n_pictures; i++) {
    coh_json_begin_object(&out);
    member(&out, "path", results->picture[i].path);
    member(&out, "caption", results->picture[i].caption);
    coh_json_key(&out, "pixelated");
    coh_json_bool(&out, results->picture[i].pixelated);
    coh_json_end_object(&out);
  }
  coh_json_end_list(&out);
  coh_json_key(&out, "lines");
  coh_json_begin_list(&out);
  for (int64_t i = 0; i < results->n_lines; i++) {
    coh_json_begin_object(&out);
    member(&out, "text", results->line[i].text);
    coh_json_key(&out, "warning");
    coh_json_bool(&out, results->line[i].warning);
    coh_json_end_object(&out);
  }
  coh_json_end_list(&out);
  write_tables(results, &out);
  coh_json_end_object(&out);
  char *json = NULL;
  COH_TRY(coh_text_take(&text, &json));
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results", folder);
  coh_status status = coh_folder_make(path);
  snprintf(path, sizeof path, "%s/results/%s", folder, name);
  if (status == COH_OK) status = coh_file_save(path, json, strlen(json));
  coh_free(json);
  return status;
}

static bool boolean_of(const coh_json_value *object, const char *key) {
  const coh_json_value *value = coh_json_get(object, key);
  return value && value->kind == COH_JSON_BOOL && value->boolean;
}

static const coh_json_value *first_of(const coh_json_value *root, const char *key) {
  const coh_json_value *list = coh_json_get(root, key);
  return list && list->kind == COH_JSON_LIST ? list->first : NULL;
}

// the first row is the header; all rows are equally long
static coh_status read_table(const char *path, const coh_json_value *object,
                             coh_results *results) {
  const char *caption = NULL;
  COH_TRY(coh_json_get_string(path, object, "caption", &caption));
  const coh_json_value *rows = coh_json_get(object, "rows");
  COH_CHECK(rows && rows->kind == COH_JSON_LIST && rows->first, COH_E_DATA,
            "%s: a table without rows", path);
  int64_t n_rows = rows->n_children, n_columns = rows->first->n_children, n = 0;
  const char **cells;
  COH_NEW(cells, n_rows * n_columns + 1);
  bool whole = true;
  for (const coh_json_value *row = rows->first; row && whole; row = row->next) {
    whole = row->kind == COH_JSON_LIST && row->n_children == n_columns;
    for (const coh_json_value *cell = row->first; whole && cell; cell = cell->next) {
      whole = cell->kind == COH_JSON_STRING;
      cells[n++] = whole ? cell->string : NULL;
    }
  }
  if (whole)
    coh_results_table(results, caption, cells, cells + n_columns, n_rows - 1, n_columns);
  coh_free(cells);
  COH_CHECK(whole, COH_E_DATA, "%s: the rows of a table are lists of as many texts", path);
  return COH_OK;
}

static coh_status read_all(const char *path, const coh_json_value *root, coh_results *results) {
  const char *text = NULL, *key = NULL, *label = NULL, *note = NULL;
  COH_TRY(coh_json_get_string(path, root, "status", &text));
  results->status = copy(text);
  for (const coh_json_value *row = first_of(root, "numbers"); row; row = row->next) {
    COH_TRY(coh_json_get_string(path, row, "key", &key));
    COH_TRY(coh_json_get_string(path, row, "text", &text));
    COH_TRY(coh_json_get_string(path, row, "label", &label));
    COH_TRY(coh_json_get_string(path, row, "note", &note));
    const coh_json_value *value = coh_json_get(row, "value");
    double number = value && value->kind == COH_JSON_NUMBER ? value->real : NAN;
    coh_results_number(results, key, number, text, label, note);
  }
  for (const coh_json_value *row = first_of(root, "pictures"); row; row = row->next) {
    COH_TRY(coh_json_get_string(path, row, "path", &key));
    COH_TRY(coh_json_get_string(path, row, "caption", &text));
    COH_CHECK(*key != '/' && !strstr(key, ".."), COH_E_DATA,
              "%s: '%.100s' leaves the run folder", path, key);
    coh_results_picture(results, key, text, boolean_of(row, "pixelated"));
  }
  for (const coh_json_value *row = first_of(root, "lines"); row; row = row->next) {
    COH_TRY(coh_json_get_string(path, row, "text", &text));
    add_line(results, text, boolean_of(row, "warning"));
  }
  for (const coh_json_value *row = first_of(root, "tables"); row; row = row->next)
    COH_TRY(read_table(path, row, results));
  return COH_OK;
}

coh_status coh_results_load_as(const char *folder, const char *name, coh_results *results) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results/%s", folder, name);
  *results = (coh_results){.active = true};
  coh_json *json = NULL;
  COH_TRY(coh_json_read(path, SUMMARY_BYTES, &json));
  coh_status status = read_all(path, coh_json_root(json), results);
  coh_json_destroy(&json);
  if (status != COH_OK) coh_results_clear(results);
  return status;
}

coh_status coh_results_save(const coh_results *results, const char *folder) {
  return coh_results_save_as(results, folder, "summary.json");
}

coh_status coh_results_load(const char *folder, coh_results *results) {
  return coh_results_load_as(folder, "summary.json", results);
}
