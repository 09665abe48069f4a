/* A growing string, and strict conversions from text to numbers. */
#ifndef COHORT_BASE_TEXT_H
#define COHORT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"

typedef struct coh_text {
  char *data; /* NUL-terminated, owned; NULL while empty */
  size_t n_bytes, capacity;
  bool failed; /* memory ran out; appends are ignored from then on */
} coh_text;

/* Append, printf format. A failure is remembered and reported by coh_text_take. */
__attribute__((format(printf, 2, 3))) void coh_text_add(coh_text *text, const char *format,
                                                        ...);
void coh_text_add_bytes(coh_text *text, const char *bytes, size_t n_bytes);

/* Append plain text to HTML: what has a meaning there is escaped, control characters are left
 * out. */
void coh_text_add_html(coh_text *text, const char *plain);

/* Append bytes in base64, padded (RFC 4648). */
void coh_text_add_base64(coh_text *text, const void *bytes, size_t n_bytes);

/* Hand the string over (caller frees with coh_free; "" if nothing was added) and reset. */
coh_status coh_text_take(coh_text *text, char **out);
void coh_text_clear(coh_text *text);

/* Strict conversions: the whole string, nothing else; false on any deviation.
 * Integers are decimal, with '_' allowed between digits; reals are finite decimal numbers. */
bool coh_text_to_int(const char *text, int64_t *value);
bool coh_text_to_real(const char *text, double *value);
bool coh_text_to_bool(const char *text, bool *value);
bool coh_text_to_bytes(const char *text, int64_t *value);

/* Shortest decimal text that reads back as the same double; buffer of 32 bytes. */
void coh_text_from_real(double value, char buffer[32]);

/* Whether a text, such as a file's name, ends so. */
bool coh_text_ends_with(const char *text, const char *ending);

/* Levenshtein distance with adjacent transposition counted as one. */
int coh_text_distance(const char *a, const char *b);

/* The candidate nearest to `name` if it is close enough to be a likely typo, else NULL. */
const char *coh_text_nearest(const char *name, const char *const *candidates,
                             int64_t n_candidates);

#endif
