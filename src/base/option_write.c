/* From a struct back to YAML, and from a table to help text: the same rows, other directions.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cohort/option.h"

static void write_map(coh_text *out, const coh_option *table, const char *source, int indent);

// plain where that reads back as the same text, otherwise in single quotes
static void write_string(coh_text *out, const char *text) {
  bool plain = *text && !strchr("-?:[]{},#&*!|>'\"%@` ", *text);
  for (const char *c = text; *c && plain; c++)
    plain = (unsigned char)*c >= ' ' && !strchr("#:,[]{}", *c);
  if (plain && text[strlen(text) - 1] != ' ') {
    coh_text_add(out, "%s", text);
    return;
  }
  coh_text_add_bytes(out, "'", 1);
  for (const char *c = text; *c; c++)
    coh_text_add(out, *c == '\'' ? "''" : "%c", *c);
  coh_text_add_bytes(out, "'", 1);
}

static void choice_name(const char *choices, int index, char name[64]) {
  for (; index > 0; index--)
    choices = strchr(choices, '|') + 1;
  snprintf(name, 64, "%.*s", (int)strcspn(choices, "|"), choices);
}

// a kind after "key: " or "- ": the bare name, or a map one level deeper
static void write_kind(coh_text *out, const coh_choice *choice, int indent, bool in_list) {
  if (!choice->kind) {
    coh_text_add(out, " ''\n");
  } else if (!choice->kind->options) {
    coh_text_add(out, " %s\n", choice->kind->name);
  } else {
    if (in_list)
      coh_text_add(out, " %s:\n", choice->kind->name);
    else
      coh_text_add(out, "\n%*s%s:\n", indent + 2, "", choice->kind->name);
    write_map(out, choice->kind->options, choice->options, indent + 4);
  }
}

static void write_row(coh_text *out, const coh_option *row, const char *field, int indent) {
  char number[64];
  coh_text_add(out, "%*s%s:", indent, "", row->name);
  switch (row->type) {
  case COH_BOOL:
    coh_text_add(out, " %s\n", *(const bool *)field ? "true" : "false");
    break;
  case COH_INT:
  case COH_BYTES:
    coh_text_add(out, " %" PRId64 "\n", *(const int64_t *)(const void *)field);
    break;
  case COH_REAL:
    coh_text_from_real(*(const double *)(const void *)field, number);
    coh_text_add(out, " %s\n", number);
    break;
  case COH_STRING: {
    const char *text = *(char *const *)(const void *)field;
    coh_text_add_bytes(out, " ", 1);
    write_string(out, text ? text : "");
    coh_text_add_bytes(out, "\n", 1);
    break;
  }
  case COH_CHOICE:
    choice_name(row->choices, *(const int *)(const void *)field, number);
    coh_text_add(out, " %s\n", number);
    break;
  case COH_INTS: {
    const coh_int_list *list = (const coh_int_list *)(const void *)field;
    coh_text_add_bytes(out, " [", 2);
    for (int64_t i = 0; i < list->n_items; i++)
      coh_text_add(out, "%s%" PRId64, i ? ", " : "", list->item[i]);
    coh_text_add_bytes(out, "]\n", 2);
    break;
  }
  case COH_GROUP:
    coh_text_add_bytes(out, "\n", 1);
    write_map(out, row->group, field, indent + 2);
    break;
  case COH_KIND:
    write_kind(out, (const coh_choice *)(const void *)field, indent, false);
    break;
  case COH_KINDS: {
    const coh_choice_list *list = (const coh_choice_list *)(const void *)field;
    coh_text_add(out, list->n_items ? "\n" : " []\n");
    for (int64_t i = 0; i < list->n_items; i++) {
      coh_text_add(out, "%*s-", indent + 2, "");
      write_kind(out, &list->item[i], indent + 2, true);
    }
    break;
  }
  }
}

static void write_map(coh_text *out, const coh_option *table, const char *source, int indent) {
  for (const coh_option *row = table; row->name; row++)
    write_row(out, row, source + row->offset, indent);
}

coh_status coh_options_write(const coh_option *table, const void *source, int indent,
                             char **text) {
  coh_text out = {0};
  write_map(&out, table, source, indent);
  return coh_text_take(&out, text);
}

static const char *type_name(const coh_option *row) {
  static const char *const names[] = {
      [COH_BOOL] = "true or false", [COH_INT] = "whole number", [COH_REAL] = "number",
      [COH_BYTES] = "size",         [COH_STRING] = "text",      [COH_CHOICE] = "choice",
      [COH_INTS] = "whole numbers", [COH_GROUP] = "options",    [COH_KIND] = "name",
      [COH_KINDS] = "list of names"};
  return names[row->type];
}

static void help_row(coh_text *out, const coh_option *row, int indent) {
  coh_text_add(out, "%*s%s  (%s", indent, "", row->name, type_name(row));
  if (row->type == COH_CHOICE) coh_text_add(out, ": %s", row->choices);
  if (row->type == COH_KIND || row->type == COH_KINDS)
    coh_text_add(out, ", see `cohort list`: %s", row->kinds->noun);
  if (row->min != 0 || row->max != 0) {
    char low[32], high[32];
    coh_text_from_real(row->min, low);
    coh_text_from_real(row->max, high);
    if (isinf(row->max))
      coh_text_add(out, ", at least %s", low);
    else
      coh_text_add(out, ", %s to %s", low, high);
  }
  if (row->unit && *row->unit) coh_text_add(out, ", in %s", row->unit);
  if (row->type != COH_GROUP) {
    if (!row->initial)
      coh_text_add(out, "; must be given");
    else
      coh_text_add(out, "; default %s", *row->initial ? row->initial : "none");
  }
  coh_text_add(out, ")\n%*s%s\n", indent + 4, "", row->doc);
}

static void help_map(coh_text *out, const coh_option *table, int indent) {
  for (const coh_option *row = table; row->name; row++) {
    help_row(out, row, indent);
    if (row->type == COH_GROUP) help_map(out, row->group, indent + 4);
  }
}

coh_status coh_options_help(const coh_option *table, int indent, char **text) {
  coh_text out = {0};
  help_map(&out, table, indent);
  return coh_text_take(&out, text);
}
