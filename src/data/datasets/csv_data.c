/* Rows from a table of text: every column is a value, but for the one that holds the labels. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/dataset_type.h"
#include "io/csv.h"

typedef enum csv_header { HEADER_AUTO, HEADER_YES, HEADER_NO } csv_header;

typedef struct csv_options {
  char *file, *label;
  int separator, header;
  int64_t memory;
} csv_options;

static const coh_option options_table[] = {
    {.name = "file",
     .type = COH_STRING,
     .offset = offsetof(csv_options, file),
     .doc = "The table: RFC 4180, every row with as many fields as the first."},
    {.name = "label",
     .type = COH_STRING,
     .offset = offsetof(csv_options, label),
     .initial = "",
     .doc = "The column that holds the labels: its name, or its number from 1 (-1: the last). "
            "Labels may be words; classes are their distinct values in order."},
    {.name = "separator",
     .type = COH_CHOICE,
     .offset = offsetof(csv_options, separator),
     .initial = "comma",
     .choices = "comma|semicolon|tab",
     .doc = "What stands between fields."},
    {.name = "header",
     .type = COH_CHOICE,
     .offset = offsetof(csv_options, header),
     .initial = "auto",
     .choices = "auto|yes|no",
     .doc = "Is the first line names? auto: it is if one of its values is not a number."},
    {.name = "memory",
     .type = COH_BYTES,
     .offset = offsetof(csv_options, memory),
     .initial = COH_DATASET_MEMORY,
     .min = 1,
     .max = 1e15,
     .doc = "Refuse a larger file."},
    {.name = NULL}};

typedef struct csv_source {
  const csv_options *o;
  const coh_csv *csv;
  int64_t first_row; // 1 with a header
  int64_t label;     // column, -1: none
} csv_source;

static coh_status number(const csv_source *s, int64_t row, int64_t column, double *value) {
  return coh_csv_number(s->o->file, s->csv, row, column, value);
}

// the column by name, else by number
static bool find_label(csv_source *s) {
  const int64_t n = s->csv->n_columns;
  for (int64_t c = 0; c < n && s->o->header != HEADER_NO; c++) {
    if (strcmp(s->csv->field[c], s->o->label) != 0) continue;
    double ignored;
    // a number in the first line is a name only where there is a header
    if (s->o->header == HEADER_AUTO && coh_text_to_real(s->csv->field[c], &ignored)) continue;
    s->label = c;
    s->first_row = 1;
    return true;
  }
  int64_t given;
  if (!coh_text_to_int(s->o->label, &given)) return false;
  if (given == -1) given = n;
  s->label = given - 1;
  return given >= 1 && given <= n;
}

static coh_status find_columns(csv_source *s) {
  const coh_csv *csv = s->csv;
  s->label = -1;
  s->first_row = s->o->header == HEADER_YES;
  COH_CHECK(csv->n_rows >= 1, COH_E_DATA, "%s: is empty", s->o->file);
  COH_CHECK(!*s->o->label || find_label(s), COH_E_DATA,
            "%s: has no column '%s' among its %" PRId64, s->o->file, s->o->label,
            csv->n_columns);
  for (int64_t c = 0; c < csv->n_columns && s->o->header == HEADER_AUTO; c++) {
    double ignored;
    if (c != s->label && coh_csv_number("", csv, 0, c, &ignored) != COH_OK) s->first_row = 1;
  }
  COH_CHECK(csv->n_rows > s->first_row, COH_E_DATA, "%s: has no rows below its header",
            s->o->file);
  COH_CHECK(csv->n_columns > (s->label >= 0), COH_E_DATA,
            "%s: has no column beside the labels (is '%s' its separator?)", s->o->file,
            s->o->separator == 0   ? ","
            : s->o->separator == 1 ? ";"
                                   : "tab");
  return COH_OK;
}

static coh_status take_values(const csv_source *s, coh_dataset *dataset) {
  const coh_csv *csv = s->csv;
  int64_t n = csv->n_rows - s->first_row, d = csv->n_columns - (s->label >= 0);
  float *to;
  COH_NEW(to, n * d);
  dataset->rows = (coh_array){.dtype = COH_DTYPE_F32, .n_dims = 2, .shape = {n, d}, .data = to};
  for (int64_t row = s->first_row; row < csv->n_rows; row++)
    for (int64_t column = 0; column < csv->n_columns; column++) {
      double value;
      if (column == s->label) continue;
      COH_TRY(number(s, row, column, &value));
      COH_CHECK(fabs(value) <= 3.4028234663852886e38, COH_E_DATA,
                "%s: row %" PRId64 ", column %" PRId64 ": '%.40s' is not a finite number",
                s->o->file, row + 1, column + 1, csv->field[row * csv->n_columns + column]);
      *to++ = (float)value;
    }
  return COH_OK;
}

static coh_status take_labels(const csv_source *s, coh_dataset *dataset) {
  const coh_csv *csv = s->csv;
  int64_t n = csv->n_rows - s->first_row;
  const char **words;
  COH_NEW(words, n);
  for (int64_t i = 0; i < n; i++)
    words[i] = csv->field[(i + s->first_row) * csv->n_columns + s->label];
  coh_status status = coh_dataset_take_words(dataset, s->o->file, n, words);
  coh_free(words);
  return status;
}

static coh_status load(const void *options, coh_dataset *dataset) {
  static const char separators[] = {',', ';', '\t'};
  const csv_options *o = options;
  coh_csv csv;
  COH_TRY(coh_dataset_set_source(dataset, o->file));
  COH_TRY(coh_csv_read(o->file, (size_t)o->memory, separators[o->separator], &csv));
  csv_source source = {.o = o, .csv = &csv};
  coh_status status = find_columns(&source);
  if (status == COH_OK) status = take_values(&source, dataset);
  if (status == COH_OK && source.label >= 0) status = take_labels(&source, dataset);
  coh_csv_clear(&csv);
  return status;
}

const coh_dataset_type coh_dataset_type_csv_data = {
    .kind = {.name = "csv",
             .doc = "A table of numbers in text, with a column of labels if there is one.",
             .options = options_table,
             .options_size = sizeof(csv_options)},
    .load = load,
};
