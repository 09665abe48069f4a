/* CSV: fields are unquoted in place in one copy of the text, which the table keeps. */
#include "io/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "io/file.h"

typedef struct csv_parser {
  const char *name;
  char separator;
  const char *at, *end;
  char *to; // next free byte of the fields' text
  int64_t line;
  const char **field;
  int64_t n_fields;
} csv_parser;

// a field in quotes; "" within stands for one quote
static coh_status take_quoted(csv_parser *p) {
  int64_t first_line = p->line;
  for (p->at++;; p->at++) {
    COH_CHECK(p->at < p->end, COH_E_DATA, "%s:%lld: a quoted field is not closed", p->name,
              (long long)first_line);
    if (*p->at == '"') {
      if (p->at + 1 == p->end || p->at[1] != '"') break;
      p->at++;
    }
    if (*p->at == '\n') p->line++;
    *p->to++ = *p->at;
  }
  p->at++;
  return COH_OK;
}

static coh_status take_field(csv_parser *p) {
  p->field[p->n_fields++] = p->to;
  if (p->at < p->end && *p->at == '"') {
    COH_TRY(take_quoted(p));
  } else {
    while (p->at < p->end && *p->at != p->separator && *p->at != '\n' && *p->at != '\r') {
      COH_CHECK(*p->at != '"', COH_E_DATA, "%s:%lld: a quote inside an unquoted field", p->name,
                (long long)p->line);
      *p->to++ = *p->at++;
    }
  }
  *p->to++ = '\0';
  return COH_OK;
}

static coh_status take_row(csv_parser *p, int64_t *n_columns) {
  int64_t before = p->n_fields, line = p->line;
  for (;;) {
    COH_TRY(take_field(p));
    if (p->at == p->end || *p->at != p->separator) break;
    p->at++;
  }
  if (p->at < p->end && *p->at == '\r') p->at++;
  COH_CHECK(p->at == p->end || *p->at == '\n', COH_E_DATA,
            "%s:%lld: something follows a quoted field", p->name, (long long)p->line);
  if (p->at < p->end) p->at++;
  p->line++;
  int64_t n = p->n_fields - before;
  if (*n_columns == 0) *n_columns = n;
  COH_CHECK(n == *n_columns, COH_E_DATA, "%s:%lld: has %lld fields, the first row has %lld",
            p->name, (long long)line, (long long)n, (long long)*n_columns);
  return COH_OK;
}

coh_status coh_csv_parse(const char *name, const char *text, size_t n_bytes, char separator,
                         coh_csv *csv) {
  COH_CHECK(!memchr(text, 0, n_bytes), COH_E_DATA, "%s: holds a NUL byte: not text", name);
  size_t most = 2;
  for (size_t i = 0; i < n_bytes; i++)
    if (text[i] == separator || text[i] == '\n') most++;
  // one block: the table of fields, then their text, each with a terminator
  size_t table_bytes = most * sizeof(char *);
  char *memory;
  COH_NEW(memory, table_bytes + n_bytes + most);
  csv_parser p = {.name = name,
                  .separator = separator,
                  .at = text,
                  .end = text + n_bytes,
                  .to = memory + table_bytes,
                  .line = 1,
                  .field = (const char **)memory};
  int64_t n_rows = 0, n_columns = 0;
  coh_status status = COH_OK;
  while (p.at < p.end && status == COH_OK) {
    status = take_row(&p, &n_columns);
    n_rows++;
  }
  if (status != COH_OK) {
    coh_free(memory);
    return status;
  }
  *csv = (coh_csv){n_rows, n_columns, p.field, memory};
  return COH_OK;
}

coh_status coh_csv_read(const char *path, size_t max_bytes, char separator, coh_csv *csv) {
  char *text;
  size_t n_bytes;
  COH_TRY(coh_file_load(path, max_bytes, &text, &n_bytes));
  size_t mark = n_bytes >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
  coh_status status = coh_csv_parse(path, text + mark, n_bytes - mark, separator, csv);
  coh_free(text);
  return status;
}

void coh_csv_clear(coh_csv *csv) {
  coh_free(csv->memory);
  *csv = (coh_csv){0};
}

coh_status coh_csv_number(const char *name, const coh_csv *csv, int64_t row, int64_t column,
                          double *value) {
  const char *text = csv->field[row * csv->n_columns + column];
  if (coh_text_to_real(text, value)) return COH_OK;
  if (strcmp(text, "nan") == 0)
    *value = NAN;
  else if (strcmp(text, "inf") == 0)
    *value = INFINITY;
  else if (strcmp(text, "-inf") == 0)
    *value = -INFINITY;
  else
    return coh_fail(COH_E_DATA, "%s: row %lld, column %lld: '%.40s' is not a number", name,
                    (long long)row + 1, (long long)column + 1, text);
  return COH_OK;
}

void coh_csv_add_text(coh_text *text, const char *field, bool is_last) {
  if (strpbrk(field, ",\"\r\n")) {
    coh_text_add_bytes(text, "\"", 1);
    for (const char *c = field; *c; c++)
      coh_text_add_bytes(text, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    coh_text_add_bytes(text, "\"", 1);
  } else {
    coh_text_add_bytes(text, field, strlen(field));
  }
  coh_text_add_bytes(text, is_last ? "\n" : ",", 1);
}

void coh_csv_add_real(coh_text *text, double value, bool is_last) {
  char digits[32];
  if (isfinite(value))
    coh_text_from_real(value, digits);
  else
    strcpy(digits, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
  coh_csv_add_text(text, digits, is_last);
}
