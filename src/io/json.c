/* Reading JSON: one pass over the text into a block of values and a block of strings.
 * Both blocks are sized beforehand from the text, so parsing itself allocates nothing:
 * a value follows the start, '[', ',' or ':', and no string decodes to more than its text. */
#include "io/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "io/file.h"

enum { MAX_DEPTH = 64, MAX_NUMBER = 400 };

struct coh_json {
  coh_json_value *values;
  char *strings;
};

typedef struct parser {
  const char *name, *begin, *at, *end;
  coh_json_value *values;
  size_t n_values, max_values;
  char *string; // next free byte of the strings block
} parser;

static coh_status parse_fail(const parser *p, const char *what) {
  return coh_fail(COH_E_DATA, "%s: not valid JSON at byte %td: %s", p->name, p->at - p->begin,
                  what);
}

static void skip_space(parser *p) {
  while (p->at < p->end &&
         (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
    p->at++;
}

static bool take(parser *p, char c) {
  if (p->at == p->end || *p->at != c) return false;
  p->at++;
  return true;
}

// ---- strings ------------------------------------------------------------------------------

static bool take_hex4(parser *p, uint32_t *unit) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++, p->at++) {
    if (p->at == p->end) return false;
    char c = *p->at;
    uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                            : 16;
    if (digit == 16) return false;
    value = value * 16 + digit;
  }
  *unit = value;
  return true;
}

static void put_utf8(parser *p, uint32_t code) {
  char *to = p->string;
  if (code < 0x80) {
    *to++ = (char)code;
  } else if (code < 0x800) {
    *to++ = (char)(0xC0 | code >> 6);
    *to++ = (char)(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *to++ = (char)(0xE0 | code >> 12);
    *to++ = (char)(0x80 | (code >> 6 & 0x3F));
    *to++ = (char)(0x80 | (code & 0x3F));
  } else {
    *to++ = (char)(0xF0 | code >> 18);
    *to++ = (char)(0x80 | (code >> 12 & 0x3F));
    *to++ = (char)(0x80 | (code >> 6 & 0x3F));
    *to++ = (char)(0x80 | (code & 0x3F));
  }
  p->string = to;
}

static coh_status parse_escape(parser *p) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  if (p->at == p->end) return parse_fail(p, "the text ends within a string");
  char c = *p->at;
  const char *found = c ? strchr(from, c) : NULL;
  if (found) {
    p->at++;
    *p->string++ = to[found - from];
    return COH_OK;
  }
  if (c != 'u') return parse_fail(p, "unknown escape");
  p->at++;
  uint32_t code, low;
  if (!take_hex4(p, &code)) return parse_fail(p, "\\u needs four hexadecimal digits");
  if (code == 0) return parse_fail(p, "a NUL character is not taken");
  if (code >= 0xD800 && code < 0xDC00) {
    if (!take(p, '\\') || !take(p, 'u') || !take_hex4(p, &low) || low < 0xDC00 || low > 0xDFFF)
      return parse_fail(p, "half a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  } else if (code >= 0xDC00 && code < 0xE000) {
    return parse_fail(p, "half a surrogate pair");
  }
  put_utf8(p, code);
  return COH_OK;
}

// copy one well-formed UTF-8 sequence of two to four bytes
static coh_status parse_utf8(parser *p) {
  const uint8_t *s = (const uint8_t *)p->at;
  ptrdiff_t left = p->end - p->at;
  int n = s[0] >= 0xC2 && s[0] <= 0xDF   ? 2
          : (s[0] & 0xF0) == 0xE0        ? 3
          : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                         : 0;
  if (n == 0 || n > left) return parse_fail(p, "not UTF-8");
  for (int i = 1; i < n; i++)
    if ((s[i] & 0xC0) != 0x80) return parse_fail(p, "not UTF-8");
  // overlong forms, surrogates, and codes past U+10FFFF
  if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
      (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
    return parse_fail(p, "not UTF-8");
  memcpy(p->string, s, (size_t)n);
  p->string += n;
  p->at += n;
  return COH_OK;
}

static coh_status parse_string(parser *p, const char **string) {
  const char *start = p->string;
  if (!take(p, '"')) return parse_fail(p, "a string should begin here");
  for (;;) {
    if (p->at == p->end) return parse_fail(p, "the text ends within a string");
    unsigned char c = (unsigned char)*p->at;
    if (c == '"') break;
    if (c < 0x20) return parse_fail(p, "a control character within a string");
    if (c == '\\') {
      p->at++;
      COH_TRY(parse_escape(p));
    } else if (c < 0x80) {
      *p->string++ = (char)c;
      p->at++;
    } else {
      COH_TRY(parse_utf8(p));
    }
  }
  p->at++;
  *p->string++ = '\0';
  *string = start;
  return COH_OK;
}

// ---- numbers and words --------------------------------------------------------------------

static bool take_digits(parser *p) {
  const char *from = p->at;
  while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
    p->at++;
  return p->at > from;
}

static coh_status parse_number(parser *p, coh_json_value *value) {
  const char *from = p->at;
  bool whole = true;
  take(p, '-');
  if (!take(p, '0') && !take_digits(p)) return parse_fail(p, "a value should begin here");
  if (take(p, '.')) {
    whole = false;
    if (!take_digits(p)) return parse_fail(p, "digits should follow the point");
  }
  if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
    whole = false;
    p->at++;
    if (!take(p, '+')) take(p, '-');
    if (!take_digits(p)) return parse_fail(p, "digits should follow the exponent");
  }
  char digits[MAX_NUMBER];
  size_t n = (size_t)(p->at - from);
  if (n >= sizeof digits) return parse_fail(p, "the number is too long");
  memcpy(digits, from, n);
  digits[n] = '\0';
  value->kind = COH_JSON_NUMBER;
  value->real = strtod(digits, NULL);
  if (!isfinite(value->real)) return parse_fail(p, "the number is too large");
  value->is_integer = whole && coh_text_to_int(digits, &value->integer);
  return COH_OK;
}

static bool take_word(parser *p, const char *word) {
  size_t n = strlen(word);
  if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0) return false;
  p->at += n;
  return true;
}

// ---- containers ---------------------------------------------------------------------------

static coh_status parse_value(parser *p, int depth, const char *key, coh_json_value **out);

static coh_status parse_member(parser *p, int depth, coh_json_value *object,
                               coh_json_value **member) {
  const char *key = NULL;
  skip_space(p);
  if (object->kind == COH_JSON_OBJECT) {
    COH_TRY(parse_string(p, &key));
    skip_space(p);
    if (!take(p, ':')) return parse_fail(p, "':' should follow the key");
  }
  return parse_value(p, depth + 1, key, member);
}

static int compare_keys(const void *a, const void *b) {
  return strcmp((*(const coh_json_value *const *)a)->key,
                (*(const coh_json_value *const *)b)->key);
}

// keys must differ; large objects are sorted so that the check stays quick
static coh_status check_keys(parser *p, const coh_json_value *object) {
  if (object->n_children < 2) return COH_OK;
  const coh_json_value **sorted;
  COH_NEW(sorted, object->n_children);
  size_t n = 0;
  for (const coh_json_value *v = object->first; v; v = v->next)
    sorted[n++] = v;
  qsort(sorted, n, sizeof *sorted, compare_keys);
  coh_status status = COH_OK;
  for (size_t i = 1; i < n && status == COH_OK; i++)
    if (compare_keys(&sorted[i - 1], &sorted[i]) == 0)
      status = parse_fail(p, "a key is given twice in the object that ends here");
  coh_free(sorted);
  return status;
}

static coh_status parse_container(parser *p, int depth, coh_json_value *container, char close) {
  if (depth >= MAX_DEPTH) return parse_fail(p, "nested too deeply");
  p->at++;
  skip_space(p);
  if (take(p, close)) return COH_OK;
  coh_json_value *last = NULL, *member;
  do {
    COH_TRY(parse_member(p, depth, container, &member));
    if (last)
      last->next = member;
    else
      container->first = member;
    last = member;
    container->n_children++;
    skip_space(p);
  } while (take(p, ','));
  if (!take(p, close)) return parse_fail(p, "',' or the closing bracket is missing");
  return container->kind == COH_JSON_OBJECT ? check_keys(p, container) : COH_OK;
}

static coh_status parse_value(parser *p, int depth, const char *key, coh_json_value **out) {
  skip_space(p);
  if (p->at == p->end) return parse_fail(p, "the text ends too early");
  coh_json_value *value = &p->values[p->n_values++];
  value->key = key;
  *out = value;
  switch (*p->at) {
  case '{':
    value->kind = COH_JSON_OBJECT;
    return parse_container(p, depth, value, '}');
  case '[':
    value->kind = COH_JSON_LIST;
    return parse_container(p, depth, value, ']');
  case '"':
    value->kind = COH_JSON_STRING;
    return parse_string(p, &value->string);
  case 't':
  case 'f':
    value->kind = COH_JSON_BOOL;
    value->boolean = *p->at == 't';
    return take_word(p, value->boolean ? "true" : "false") ? COH_OK
                                                           : parse_fail(p, "unknown word");
  case 'n':
    value->kind = COH_JSON_NULL;
    return take_word(p, "null") ? COH_OK : parse_fail(p, "unknown word");
  default:
    return parse_number(p, value);
  }
}

// ---- documents ----------------------------------------------------------------------------

static coh_status parse_document(coh_json *json, const char *name, const char *text,
                                 size_t n_bytes) {
  parser p = {.name = name, .begin = text, .at = text, .end = text + n_bytes, .max_values = 1};
  for (size_t i = 0; i < n_bytes; i++)
    if (text[i] == '[' || text[i] == ',' || text[i] == ':') p.max_values++;
  COH_NEW(json->values, p.max_values);
  COH_NEW(json->strings, n_bytes + 1);
  p.values = json->values;
  p.string = json->strings;
  coh_json_value *root;
  COH_TRY(parse_value(&p, 0, NULL, &root));
  skip_space(&p);
  return p.at == p.end ? COH_OK : parse_fail(&p, "something follows the value");
}

coh_status coh_json_parse(const char *name, const char *text, size_t n_bytes, coh_json **json) {
  coh_json *made;
  COH_NEW(made, 1);
  coh_status status = parse_document(made, name, text, n_bytes);
  if (status != COH_OK) {
    coh_json_destroy(&made);
    return status;
  }
  *json = made;
  return COH_OK;
}

coh_status coh_json_read(const char *path, size_t max_bytes, coh_json **json) {
  char *text;
  size_t n_bytes;
  COH_TRY(coh_file_load(path, max_bytes, &text, &n_bytes));
  coh_status status = coh_json_parse(path, text, n_bytes, json);
  coh_free(text);
  return status;
}

void coh_json_destroy(coh_json **json) {
  if (!*json) return;
  coh_free((*json)->values);
  coh_free((*json)->strings);
  COH_DELETE(*json);
}

const coh_json_value *coh_json_root(const coh_json *json) {
  return json->values;
}

const coh_json_value *coh_json_get(const coh_json_value *object, const char *key) {
  if (!object || object->kind != COH_JSON_OBJECT) return NULL;
  for (const coh_json_value *v = object->first; v; v = v->next)
    if (strcmp(v->key, key) == 0) return v;
  return NULL;
}

coh_status coh_json_get_int(const char *name, const coh_json_value *object, const char *key,
                            int64_t *value) {
  const coh_json_value *found = coh_json_get(object, key);
  COH_CHECK(found && found->is_integer, COH_E_DATA, "%s: '%s' must be a whole number", name,
            key);
  *value = found->integer;
  return COH_OK;
}

coh_status coh_json_get_real(const char *name, const coh_json_value *object, const char *key,
                             double *value) {
  const coh_json_value *found = coh_json_get(object, key);
  COH_CHECK(found && found->kind == COH_JSON_NUMBER, COH_E_DATA, "%s: '%s' must be a number",
            name, key);
  *value = found->real;
  return COH_OK;
}

coh_status coh_json_get_string(const char *name, const coh_json_value *object, const char *key,
                               const char **value) {
  const coh_json_value *found = coh_json_get(object, key);
  COH_CHECK(found && found->kind == COH_JSON_STRING, COH_E_DATA, "%s: '%s' must be a string",
            name, key);
  *value = found->string;
  return COH_OK;
}

coh_status coh_json_get_word(const char *name, const coh_json_value *object, const char *key,
                             uint64_t *value) {
  const char *text = "";
  COH_TRY(coh_json_get_string(name, object, key, &text));
  bool well_formed = strlen(text) == 18 && strncmp(text, "0x", 2) == 0 &&
                     strspn(text + 2, "0123456789abcdef") == 16;
  COH_CHECK(well_formed, COH_E_DATA, "%s: '%s' must be \"0x\" and 16 hexadecimal digits", name,
            key);
  *value = strtoull(text + 2, NULL, 16);
  return COH_OK;
}
