/* A growing string, strict text-to-number conversions, and edit distance.
 * The conversions exist because strtol and strtod accept prefixes, blanks, hex and nan. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

// make room for n_bytes more and the terminator
static bool reserve(coh_text *text, size_t n_bytes) {
  if (text->failed) return false;
  size_t needed = text->n_bytes + n_bytes + 1;
  if (needed <= text->capacity) return true;
  size_t capacity = text->capacity ? text->capacity : 256;
  while (capacity < needed)
    capacity *= 2;
  char *data = coh_alloc_resize(text->data, text->n_bytes, capacity, 1);
  if (!data) {
    text->failed = true;
    return false;
  }
  text->data = data;
  text->capacity = capacity;
  return true;
}

void coh_text_add_bytes(coh_text *text, const char *bytes, size_t n_bytes) {
  if (!reserve(text, n_bytes)) return;
  memcpy(text->data + text->n_bytes, bytes, n_bytes);
  text->n_bytes += n_bytes;
  text->data[text->n_bytes] = '\0';
}

void coh_text_add(coh_text *text, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n_bytes = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (n_bytes < 0 || !reserve(text, (size_t)n_bytes)) return;
  va_start(args, format);
  vsnprintf(text->data + text->n_bytes, (size_t)n_bytes + 1, format, args);
  va_end(args);
  text->n_bytes += (size_t)n_bytes;
}

void coh_text_add_html(coh_text *text, const char *plain) {
  for (const char *c = plain; *c;) {
    size_t n = strcspn(c, "&<>\"'\1\2\3\4\5\6\7\10\13\14\16\17\20\21\22\23\24\25\26\27\30\31\32"
                          "\33\34\35\36\37\177");
    coh_text_add_bytes(text, c, n);
    c += n;
    if (!*c) break;
    if (*c == '&')
      coh_text_add(text, "&amp;");
    else if (*c == '<')
      coh_text_add(text, "&lt;");
    else if (*c == '>')
      coh_text_add(text, "&gt;");
    else if (*c == '"')
      coh_text_add(text, "&quot;");
    else if (*c == '\'')
      coh_text_add(text, "&#39;");
    c++;
  }
}

void coh_text_add_base64(coh_text *text, const void *bytes, size_t n_bytes) {
  const uint8_t *data = bytes;
  static const char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char block[4096];
  size_t n = 0;
  for (size_t i = 0; i < n_bytes; i += 3) {
    size_t left = n_bytes - i;
    uint32_t word = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                    (left > 2 ? data[i + 2] : 0);
    block[n++] = digits[word >> 18];
    block[n++] = digits[word >> 12 & 63];
    block[n++] = left > 1 ? digits[word >> 6 & 63] : '=';
    block[n++] = left > 2 ? digits[word & 63] : '=';
    if (n < sizeof block) continue;
    coh_text_add_bytes(text, block, n);
    n = 0;
  }
  coh_text_add_bytes(text, block, n);
}

coh_status coh_text_take(coh_text *text, char **out) {
  if (!text->failed && !text->data) reserve(text, 0);
  if (text->failed) {
    coh_text_clear(text);
    return coh_fail(COH_E_MEMORY, "out of memory while composing a text");
  }
  *out = text->data;
  *text = (coh_text){0};
  return COH_OK;
}

void coh_text_clear(coh_text *text) {
  coh_free(text->data);
  *text = (coh_text){0};
}

// copy without the '_' that stand between digits; false if one stands elsewhere or text is long
static bool copy_digits(const char *text, char out[64]) {
  size_t n = 0;
  for (size_t i = 0; text[i]; i++) {
    if (text[i] == '_') {
      if (i == 0 || !isdigit((unsigned char)text[i - 1]) ||
          !isdigit((unsigned char)text[i + 1]))
        return false;
      continue;
    }
    if (n == 63) return false;
    out[n++] = text[i];
  }
  out[n] = '\0';
  return n > 0;
}

bool coh_text_to_int(const char *text, int64_t *value) {
  char digits[64];
  if (!copy_digits(text, digits)) return false;
  const char *first = digits + (digits[0] == '-' || digits[0] == '+');
  if (!*first || strspn(first, "0123456789") != strlen(first)) return false;
  errno = 0;
  long long parsed = strtoll(digits, NULL, 10);
  if (errno) return false;
  *value = parsed;
  return true;
}

bool coh_text_to_real(const char *text, double *value) {
  char digits[64];
  if (!copy_digits(text, digits)) return false;
  // sign, digits, point and exponent only: no hex, inf or nan
  if (strspn(digits, "0123456789+-.eE") != strlen(digits)) return false;
  if (!strpbrk(digits, "0123456789")) return false;
  char *end = NULL;
  double parsed = strtod(digits, &end);
  if (*end || !isfinite(parsed)) return false;
  *value = parsed;
  return true;
}

bool coh_text_to_bool(const char *text, bool *value) {
  static const char *const yes[] = {"true", "on", "yes"};
  static const char *const no[] = {"false", "off", "no"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(text, yes[i]) == 0) return *value = true, true;
    if (strcmp(text, no[i]) == 0) return *value = false, true;
  }
  return false;
}

bool coh_text_to_bytes(const char *text, int64_t *value) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t n_digits = strspn(text, "0123456789_.");
  if (n_digits == 0 || n_digits > 40) return false;
  char digits[64];
  memcpy(digits, text, n_digits);
  digits[n_digits] = '\0';
  const char *unit = text + n_digits;
  while (*unit == ' ')
    unit++;
  double scale = 1;
  if (*unit) {
    int k = 0;
    while (k < 5 && strcmp(unit, units[k]) != 0)
      k++;
    if (k == 5) return false;
    scale = ldexp(1, 10 * k);
  }
  double number;
  if (!coh_text_to_real(digits, &number)) return false;
  number *= scale;
  if (number < 0 || number >= 0x1p63 || number != floor(number)) return false;
  *value = (int64_t)number;
  return true;
}

void coh_text_from_real(double value, char buffer[32]) {
  if (fabs(value) < 1e15 && value == floor(value)) {
    snprintf(buffer, 32, "%.0f", value); // 500 rather than 5e+02
    return;
  }
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(buffer, 32, "%.*g", digits, value);
    if (strtod(buffer, NULL) == value) return;
  }
}

int coh_text_distance(const char *a, const char *b) {
  enum { LIMIT = 64 };
  int n = (int)strnlen(a, LIMIT), m = (int)strnlen(b, LIMIT);
  int rows[3][LIMIT + 1]; // distances of the last three prefixes of a
  for (int j = 0; j <= m; j++)
    rows[0][j] = j;
  for (int i = 1; i <= n; i++) {
    int *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
    row[0] = i;
    for (int j = 1; j <= m; j++) {
      int best = above[j - 1] + (a[i - 1] != b[j - 1]);
      if (above[j] + 1 < best) best = above[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && two_above[j - 2] + 1 < best) best = two_above[j - 2] + 1;
      row[j] = best;
    }
  }
  return rows[n % 3][m];
}

const char *coh_text_nearest(const char *name, const char *const *candidates,
                             int64_t n_candidates) {
  const char *nearest = NULL;
  int least = (int)strlen(name) / 3 + 1; // as far as this is no typo
  for (int64_t i = 0; i < n_candidates; i++) {
    int distance = coh_text_distance(name, candidates[i]);
    if (distance < least) {
      least = distance;
      nearest = candidates[i];
    }
  }
  return nearest;
}

bool coh_text_ends_with(const char *text, const char *ending) {
  size_t n = strlen(text), m = strlen(ending);
  return n >= m && strcmp(text + n - m, ending) == 0;
}
