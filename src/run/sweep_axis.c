/* One axis of a sweep: "a,b,c", "lo..hi" (integers or reals, uniform), "log:lo..hi". */
#include "run/sweep_axis.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

void coh_sweep_axis_clear(coh_sweep_axis *axis) {
  for (int64_t i = 0; i < axis->n_values; i++)
    coh_free(axis->value[i]);
  coh_free(axis->value);
  coh_free(axis->key);
  *axis = (coh_sweep_axis){0};
}

// the end of the first value: a comma outside of brackets, braces and quotes, or the text's end
static size_t value_length(const char *text) {
  int depth = 0;
  char quote = 0;
  size_t n = 0;
  for (; text[n]; n++) {
    char c = text[n];
    if (quote)
      quote = c == quote ? 0 : quote;
    else if (c == '\'' || c == '"')
      quote = c;
    else if (c == '[' || c == '{')
      depth++;
    else if (c == ']' || c == '}')
      depth--;
    else if (c == ',' && depth == 0)
      break;
  }
  return n;
}

static coh_status add_value(coh_sweep_axis *axis, const char *text, size_t n_bytes) {
  char **grown = coh_alloc_resize(axis->value, (size_t)axis->n_values,
                                  (size_t)axis->n_values + 1, sizeof *grown);
  COH_CHECK(grown, COH_E_MEMORY, "out of memory for the values of %s", axis->key);
  axis->value = grown;
  COH_NEW(axis->value[axis->n_values], n_bytes + 1);
  memcpy(axis->value[axis->n_values++], text, n_bytes);
  return COH_OK;
}

static coh_status parse_list(coh_sweep_axis *axis, const char *text) {
  for (;;) {
    while (*text == ' ')
      text++;
    size_t n = value_length(text), kept = n;
    while (kept > 0 && text[kept - 1] == ' ')
      kept--;
    COH_CHECK(kept > 0, COH_E_CONFIG, "%s: an empty value in a list", axis->key);
    COH_TRY(add_value(axis, text, kept));
    for (int64_t i = 0; i + 1 < axis->n_values; i++)
      COH_CHECK(strcmp(axis->value[i], axis->value[axis->n_values - 1]) != 0, COH_E_CONFIG,
                "%s: %s stands twice in the list", axis->key, axis->value[i]);
    if (!text[n]) return COH_OK;
    text += n + 1;
  }
}

// "lo..hi"; is_range stays false for anything that is not two numbers
static coh_status parse_range(coh_sweep_axis *axis, const char *text) {
  const char *digits = strncmp(text, "log:", 4) == 0 ? text + 4 : text;
  const char *dots = strstr(digits, "..");
  char low[64], high[64];
  bool is_named = digits != text;
  int64_t first, last;
  if (dots && (size_t)(dots - digits) < sizeof low && strlen(dots + 2) < sizeof high) {
    snprintf(low, sizeof low, "%.*s", (int)(dots - digits), digits);
    snprintf(high, sizeof high, "%s", dots + 2);
    axis->is_range = coh_text_to_real(low, &axis->low) && coh_text_to_real(high, &axis->high);
  }
  COH_CHECK(axis->is_range || !is_named, COH_E_CONFIG, "%s: '%s': log:LOW..HIGH is expected",
            axis->key, text);
  if (!axis->is_range) return COH_OK;
  axis->is_integer = coh_text_to_int(low, &first) && coh_text_to_int(high, &last);
  axis->is_logarithmic = is_named;
  COH_CHECK(axis->low < axis->high, COH_E_CONFIG, "%s: '%s': the range is empty", axis->key,
            text);
  COH_CHECK(!is_named || axis->low > 0, COH_E_CONFIG,
            "%s: '%s': a logarithmic range begins above 0", axis->key, text);
  return COH_OK;
}

coh_status coh_sweep_axis_parse(const char *key, const char *text, coh_sweep_axis *axis,
                                bool *varies) {
  *axis = (coh_sweep_axis){0};
  const char *equals = strchr(text, '=');
  size_t n_key = key ? strlen(key) : (size_t)(equals - text);
  COH_NEW(axis->key, n_key + 1);
  memcpy(axis->key, key ? key : text, n_key);
  const char *values = key ? text : equals + 1;
  coh_status status = parse_range(axis, values);
  if (status == COH_OK && !axis->is_range) status = parse_list(axis, values);
  *varies = axis->is_range || axis->n_values > 1;
  if (status != COH_OK || !*varies) coh_sweep_axis_clear(axis);
  return status;
}

coh_status coh_sweep_axis_enumerate(coh_sweep_axis *axis) {
  if (!axis->is_range) return COH_OK;
  COH_CHECK(
      axis->is_integer && !axis->is_logarithmic, COH_E_CONFIG,
      "%s: %g..%g: a grid needs single values (%s=a,b,c); a range of reals is for --random",
      axis->key, axis->low, axis->high, axis->key);
  COH_CHECK(axis->high - axis->low < COH_MAX_SWEEP_MEMBERS, COH_E_CONFIG,
            "%s: %g..%g: at most %d values", axis->key, axis->low, axis->high,
            COH_MAX_SWEEP_MEMBERS);
  for (int64_t value = (int64_t)axis->low; value <= (int64_t)axis->high; value++) {
    char text[32];
    int length = snprintf(text, sizeof text, "%" PRId64, value);
    COH_TRY(add_value(axis, text, (size_t)length));
  }
  axis->is_range = false;
  return COH_OK;
}

coh_status coh_sweep_axis_draw(const coh_sweep_axis *axis, coh_stream *stream, char **value) {
  char text[32];
  const char *drawn = text;
  if (!axis->is_range) {
    drawn = axis->value[coh_stream_below(stream, axis->n_values)];
  } else if (axis->is_integer && !axis->is_logarithmic) {
    int64_t span = (int64_t)axis->high - (int64_t)axis->low + 1;
    snprintf(text, sizeof text, "%" PRId64,
             (int64_t)axis->low + coh_stream_below(stream, span));
  } else {
    double u = coh_stream_uniform(stream);
    double x = axis->is_logarithmic ? axis->low * pow(axis->high / axis->low, u)
                                    : axis->low + u * (axis->high - axis->low);
    // three digits are what a person would try; more make tables that nobody reads
    if (axis->is_integer)
      snprintf(text, sizeof text, "%.0f", round(x));
    else
      snprintf(text, sizeof text, "%.3g", x);
  }
  *value = coh_alloc_string(drawn);
  COH_CHECK(*value, COH_E_MEMORY, "out of memory for a value of %s", axis->key);
  return COH_OK;
}
