/* Writing JSON into a growing text; the writer keeps commas and indentation. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "io/json.h"

static void new_line(coh_json_writer *writer) {
  if (!writer->indented) return;
  coh_text_add_bytes(writer->text, "\n", 1);
  for (int i = 0; i < writer->depth; i++)
    coh_text_add_bytes(writer->text, "  ", 2);
}

// what stands before any member or value
static void before(coh_json_writer *writer) {
  if (writer->after_key) {
    writer->after_key = false;
    return;
  }
  if (writer->depth == 0) return;
  if (writer->has_members) coh_text_add_bytes(writer->text, ",", 1);
  new_line(writer);
  writer->has_members = true;
}

static void begin(coh_json_writer *writer, const char *bracket) {
  before(writer);
  coh_text_add_bytes(writer->text, bracket, 1);
  writer->depth++;
  writer->has_members = false;
}

static void end(coh_json_writer *writer, const char *bracket) {
  writer->depth--;
  if (writer->has_members) new_line(writer);
  coh_text_add_bytes(writer->text, bracket, 1);
  writer->has_members = true;
}

void coh_json_begin_object(coh_json_writer *writer) {
  begin(writer, "{");
}

void coh_json_end_object(coh_json_writer *writer) {
  end(writer, "}");
}

void coh_json_begin_list(coh_json_writer *writer) {
  begin(writer, "[");
}

void coh_json_end_list(coh_json_writer *writer) {
  end(writer, "]");
}

static void quoted(coh_text *text, const char *string) {
  coh_text_add_bytes(text, "\"", 1);
  for (const char *at = string; *at;) {
    size_t plain = 0;
    while ((unsigned char)at[plain] >= 0x20 && at[plain] != '"' && at[plain] != '\\')
      plain++;
    coh_text_add_bytes(text, at, plain);
    at += plain;
    if (!*at) break;
    if (*at == '"' || *at == '\\')
      coh_text_add(text, "\\%c", *at);
    else if (*at == '\n')
      coh_text_add_bytes(text, "\\n", 2);
    else if (*at == '\t')
      coh_text_add_bytes(text, "\\t", 2);
    else
      coh_text_add(text, "\\u%04x", (unsigned)(unsigned char)*at);
    at++;
  }
  coh_text_add_bytes(text, "\"", 1);
}

void coh_json_key(coh_json_writer *writer, const char *key) {
  before(writer);
  quoted(writer->text, key);
  coh_text_add_bytes(writer->text, ": ", writer->indented ? 2 : 1);
  writer->after_key = true;
}

void coh_json_string(coh_json_writer *writer, const char *string) {
  before(writer);
  if (string)
    quoted(writer->text, string);
  else
    coh_text_add_bytes(writer->text, "null", 4);
}

void coh_json_int(coh_json_writer *writer, int64_t value) {
  before(writer);
  coh_text_add(writer->text, "%" PRId64, value);
}

void coh_json_real(coh_json_writer *writer, double value) {
  before(writer);
  char digits[32];
  if (isfinite(value)) {
    coh_text_from_real(value, digits);
    coh_text_add_bytes(writer->text, digits, strlen(digits));
  } else {
    const char *word = isnan(value) ? "\"nan\"" : value > 0 ? "\"inf\"" : "\"-inf\"";
    coh_text_add_bytes(writer->text, word, strlen(word));
  }
}

void coh_json_bool(coh_json_writer *writer, bool value) {
  before(writer);
  const char *word = value ? "true" : "false";
  coh_text_add_bytes(writer->text, word, strlen(word));
}

void coh_json_word(coh_json_writer *writer, uint64_t value) {
  before(writer);
  coh_text_add(writer->text, "\"0x%016" PRIx64 "\"", value);
}
