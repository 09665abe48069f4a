/* JSON, strictly as RFC 8259 has it: one value, valid UTF-8, no duplicate keys, no trailing
 * bytes, nesting of at most 64. The base of metrics, manifests and safetensors headers. */
#ifndef COHORT_IO_JSON_H
#define COHORT_IO_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "cohort/status.h"

/* ---- reading -------------------------------------------------------------------------- */

typedef enum coh_json_kind {
  COH_JSON_NULL,
  COH_JSON_BOOL,
  COH_JSON_NUMBER,
  COH_JSON_STRING,
  COH_JSON_LIST,
  COH_JSON_OBJECT
} coh_json_kind;

/* One value; lives as long as its document. Walk children with first and next. */
typedef struct coh_json_value {
  coh_json_kind kind;
  bool boolean;
  bool is_integer;    /* COH_JSON_NUMBER written without fraction or exponent, fits int64 */
  int64_t integer;    /* then its exact value */
  double real;        /* every COH_JSON_NUMBER; finite */
  const char *key;    /* inside an object, else NULL; UTF-8 without NUL bytes */
  const char *string; /* COH_JSON_STRING, likewise */
  int64_t n_children; /* of a list or an object */
  const struct coh_json_value *first, *next;
} coh_json_value;

typedef struct coh_json coh_json;

/* Parse a document. name: stands in messages. text: borrowed, copied. Caller destroys.
 * Memory is bounded by about 80 bytes a value. Not collective. Fails: COH_E_DATA with name and
 * byte offset, COH_E_MEMORY. */
coh_status coh_json_parse(const char *name, const char *text, size_t n_bytes, coh_json **json);

/* Read a file of at most max_bytes and parse it. Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_json_read(const char *path, size_t max_bytes, coh_json **json);

/* Destroy; accepts NULL, sets NULL. */
void coh_json_destroy(coh_json **json);

/* The document's value. Borrowed. */
const coh_json_value *coh_json_root(const coh_json *json);

/* The member of an object, NULL if absent or not an object. Borrowed. */
const coh_json_value *coh_json_get(const coh_json_value *object, const char *key);

/* A member that must be there and of that type. name: stands in messages.
 * Fails: COH_E_DATA. */
coh_status coh_json_get_int(const char *name, const coh_json_value *object, const char *key,
                            int64_t *value);
coh_status coh_json_get_real(const char *name, const coh_json_value *object, const char *key,
                             double *value);
coh_status coh_json_get_string(const char *name, const coh_json_value *object, const char *key,
                               const char **value);
/* 64-bit words (checksums, seeds) are written as strings "0x..." because JSON numbers lose
 * them elsewhere. */
coh_status coh_json_get_word(const char *name, const coh_json_value *object, const char *key,
                             uint64_t *value);

/* ---- writing -------------------------------------------------------------------------- */

/* Writes one document into a text, compact (one line) or indented by two spaces. Keep it on the
 * stack: `coh_json_writer writer = {.text = &text, .indented = true};` */
typedef struct coh_json_writer {
  coh_text *text; /* borrowed; remembers a lack of memory until coh_text_take */
  bool indented;
  int depth;
  bool has_members; /* of the container being written */
  bool after_key;
} coh_json_writer;

void coh_json_begin_object(coh_json_writer *writer);
void coh_json_end_object(coh_json_writer *writer);
void coh_json_begin_list(coh_json_writer *writer);
void coh_json_end_list(coh_json_writer *writer);
void coh_json_key(coh_json_writer *writer, const char *key);
void coh_json_string(coh_json_writer *writer, const char *string); /* NULL writes null */
void coh_json_int(coh_json_writer *writer, int64_t value);
/* Shortest text that reads back equal; not-finite numbers as "nan", "inf", "-inf". */
void coh_json_real(coh_json_writer *writer, double value);
void coh_json_bool(coh_json_writer *writer, bool value);
void coh_json_word(coh_json_writer *writer, uint64_t value); /* "0x0123456789abcdef" */

#endif
