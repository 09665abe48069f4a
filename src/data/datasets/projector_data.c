/* The tables of TensorBoard's projector: vectors as tab-separated numbers without a header, and
 * a line of words for each, with a header where there are several columns. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/dataset_type.h"
#include "io/file.h"

typedef struct projector_options {
  char *tensors, *metadata, *column;
  int64_t memory;
} projector_options;

static const coh_option options_table[] = {
    {.name = "tensors",
     .type = COH_STRING,
     .offset = offsetof(projector_options, tensors),
     .doc = "Tab-separated numbers, a vector a line."},
    {.name = "metadata",
     .type = COH_STRING,
     .offset = offsetof(projector_options, metadata),
     .initial = "",
     .doc = "The words that belong to them: one column without a header, or several with one."},
    {.name = "column",
     .type = COH_STRING,
     .offset = offsetof(projector_options, column),
     .initial = "",
     .doc = "The column of metadata that holds the labels; by default the first."},
    {.name = "memory",
     .type = COH_BYTES,
     .offset = offsetof(projector_options, memory),
     .initial = COH_DATASET_MEMORY,
     .min = 1,
     .max = 1e15,
     .doc = "Refuse a larger file."},
    {.name = NULL}};

// A file in memory, cut at tabs and ends of lines. Quotes mean nothing.
typedef struct table {
  const char *path;
  char *text;
  char **field; // (n_lines, n_columns)
  int64_t n_lines, n_columns;
} table;

static void clear(table *t) {
  coh_free(t->text);
  coh_free(t->field);
}

static int64_t count(const char *text, char wanted) {
  int64_t n = 0;
  for (; *text; text++)
    n += *text == wanted;
  return n;
}

static coh_status cut_line(table *t, char *line) {
  int64_t n = count(line, '\t') + 1;
  if (t->n_lines == 0) t->n_columns = n;
  COH_CHECK(n == t->n_columns, COH_E_DATA,
            "%s:%" PRId64 ": has %" PRId64 " fields, the first line has %" PRId64, t->path,
            t->n_lines + 1, n, t->n_columns);
  char **to = t->field + t->n_lines++ * n;
  for (int64_t i = 0; i < n; i++) {
    to[i] = line;
    line += strcspn(line, "\t");
    if (*line) *line++ = '\0';
  }
  return COH_OK;
}

static coh_status read_table(const char *path, int64_t memory, table *t) {
  size_t n_bytes = 0;
  *t = (table){.path = path};
  COH_TRY(coh_file_load(path, (size_t)memory, &t->text, &n_bytes));
  COH_CHECK(strlen(t->text) == n_bytes, COH_E_DATA, "%s: holds a NUL byte", path);
  COH_NEW(t->field, count(t->text, '\t') + count(t->text, '\n') + 1);
  for (char *line = t->text, *end; *line; line = end) {
    end = line + strcspn(line, "\n");
    if (*end) *end++ = '\0';
    size_t length = strlen(line);
    if (length && line[length - 1] == '\r') line[length - 1] = '\0';
    COH_CHECK(*line, COH_E_DATA, "%s:%" PRId64 ": is empty", path, t->n_lines + 1);
    COH_TRY(cut_line(t, line));
  }
  COH_CHECK(t->n_lines, COH_E_DATA, "%s: is empty", path);
  return COH_OK;
}

static coh_status take_values(const table *t, coh_dataset *dataset) {
  float *to;
  COH_NEW(to, t->n_lines * t->n_columns);
  dataset->rows = (coh_array){COH_DTYPE_F32, 2, {t->n_lines, t->n_columns}, to};
  for (int64_t i = 0; i < t->n_lines * t->n_columns; i++) {
    double value;
    COH_CHECK(coh_text_to_real(t->field[i], &value) && fabs(value) <= 3.4028234663852886e38,
              COH_E_DATA, "%s:%" PRId64 ": column %" PRId64 ": '%.40s' is not a finite number",
              t->path, i / t->n_columns + 1, i % t->n_columns + 1, t->field[i]);
    to[i] = (float)value;
  }
  return COH_OK;
}

static coh_status take_words(const projector_options *o, const table *t, coh_dataset *dataset) {
  int64_t header = t->n_columns > 1, column = 0, n = t->n_lines - header;
  if (*o->column) {
    while (column < t->n_columns && strcmp(t->field[column], o->column) != 0)
      column++;
    COH_CHECK(header && column < t->n_columns, COH_E_DATA,
              "%s: has no column '%s' in its header", t->path, o->column);
  }
  COH_CHECK(n == dataset->rows.shape[0], COH_E_DATA,
            "%s: has %" PRId64 " rows, %s has %" PRId64, t->path, n, o->tensors,
            dataset->rows.shape[0]);
  const char **words;
  COH_NEW(words, n);
  for (int64_t i = 0; i < n; i++)
    words[i] = t->field[(i + header) * t->n_columns + column];
  coh_status status = coh_dataset_take_words(dataset, t->path, n, words);
  coh_free(words);
  return status;
}

static coh_status load(const void *options, coh_dataset *dataset) {
  const projector_options *o = options;
  table t;
  COH_TRY(coh_dataset_set_source(dataset, o->tensors));
  coh_status status = read_table(o->tensors, o->memory, &t);
  if (status == COH_OK) status = take_values(&t, dataset);
  clear(&t);
  if (status != COH_OK || !*o->metadata) return status;
  status = read_table(o->metadata, o->memory, &t);
  if (status == COH_OK) status = take_words(o, &t, dataset);
  clear(&t);
  return status;
}

const coh_dataset_type coh_dataset_type_projector_data = {
    .kind = {.name = "projector",
             .doc = "The tables of TensorBoard's projector: vectors, and words for each.",
             .options = options_table,
             .options_size = sizeof(projector_options)},
    .load = load,
};
