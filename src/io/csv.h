/* CSV as RFC 4180 has it, of numbers and words. Strict: every row has as many fields as the
 * first, quotes are balanced, UTF-8 is not checked. */
#ifndef COHORT_IO_CSV_H
#define COHORT_IO_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "cohort/status.h"

/* A table of text fields. */
typedef struct coh_csv {
  int64_t n_rows, n_columns;
  const char *const *field; /* field[row * n_columns + column] */
  void *memory;             /* owned: the fields' text */
} coh_csv;

/* Read a file of at most max_bytes; separator is ',' or ';' or '\t'. A header line, if there is
 * one, is row 0. Not collective. csv: out; caller clears. Fails: COH_E_DATA with file:line. */
coh_status coh_csv_read(const char *path, size_t max_bytes, char separator, coh_csv *csv);
coh_status coh_csv_parse(const char *name, const char *text, size_t n_bytes, char separator,
                         coh_csv *csv);
void coh_csv_clear(coh_csv *csv);

/* One field as a number; accepts nan and inf. Fails: COH_E_DATA with name, row and column. */
coh_status coh_csv_number(const char *name, const coh_csv *csv, int64_t row, int64_t column,
                          double *value);

/* Append one field to a line, quoted where needed; numbers by shortest round trip. */
void coh_csv_add_text(coh_text *text, const char *field, bool is_last);
void coh_csv_add_real(coh_text *text, double value, bool is_last);

#endif
