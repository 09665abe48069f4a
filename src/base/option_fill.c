/* From a config map to a struct, by its option table: defaults, conversion, bounds, unknown
 * keys. Every failure names the place, the key, what was found and what would be right. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/config_tree.h"
#include "base/text.h"

static coh_status fill_map(const coh_option *table, const coh_config *map, char *target);
static void clear_row(const coh_option *row, char *field);

static bool bounded(const coh_option *row) {
  return row->min != 0 || row->max != 0;
}

// check min..max of a number and word the failure with the bounds
static coh_status check_bounds(const coh_option *row, const coh_config *node, double value) {
  if (!bounded(row) || (value >= row->min && value <= row->max)) return COH_OK;
  char low[32], high[32];
  coh_text_from_real(row->min, low);
  coh_text_from_real(row->max, high);
  if (isinf(row->max))
    return coh_config_fail(node, "%s is out of range; it must be at least %s", node->text, low);
  return coh_config_fail(node, "%s is out of range; it must be from %s to %s", node->text, low,
                         high);
}

static coh_status fill_int(const coh_option *row, const coh_config *node, int64_t *value) {
  if (node->type != COH_CONFIG_SCALAR || node->quoted || !coh_text_to_int(node->text, value))
    return coh_config_fail(node, "%s%s%s is not a whole number", node->text ? "'" : "",
                           node->text ? node->text : coh_config_type_name(node->type),
                           node->text ? "'" : "");
  return check_bounds(row, node, (double)*value);
}

static coh_status fill_choice(const coh_option *row, const coh_config *node, int *value) {
  const char *names[32];
  char buffer[512];
  int64_t n_names = 0;
  snprintf(buffer, sizeof buffer, "%s", row->choices);
  char *rest = buffer;
  for (char *name; n_names < 32 && (name = strsep(&rest, "|"));)
    names[n_names++] = name;
  for (int64_t i = 0; i < n_names; i++)
    if (strcmp(node->text, names[i]) == 0) return *value = (int)i, COH_OK;
  const char *nearest = coh_text_nearest(node->text, names, n_names);
  if (nearest)
    return coh_config_fail(node, "'%s' is unknown; did you mean '%s'?", node->text, nearest);
  return coh_config_fail(node, "'%s' is unknown; it must be one of %s", node->text,
                         row->choices);
}

// name and options of a kind: `name`, `{name: {options}}` or `{name: first option}`
static coh_status fill_kind(const coh_option *row, const coh_config *node, coh_choice *choice) {
  const coh_config *inner = NULL;
  const char *name = NULL;
  if (node->type == COH_CONFIG_SCALAR) name = node->text;
  if (node->type == COH_CONFIG_MAP && node->n_children == 1) {
    inner = node->child[0];
    name = inner->key;
  }
  if (!name)
    return coh_config_fail(node, "%s %s is written `name` or `name: {option: value}`",
                           strchr("aeiou", row->kinds->noun[0]) ? "an" : "a", row->kinds->noun);
  if (!*name && row->initial && !*row->initial) return COH_OK; // explicitly none
  const coh_kind *kind = coh_kind_find(row->kinds, name);
  if (!kind) {
    const coh_config *place = inner ? inner : node;
    const char *nearest = coh_kind_nearest(row->kinds, name);
    coh_config at = *place;
    at.key = node->key ? node->key : at.key;
    if (nearest)
      return coh_config_fail(&at, "'%s' is unknown; did you mean '%s'?", name, nearest);
    return coh_config_fail(&at, "'%s' is unknown; `cohort list` shows every %s", name,
                           row->kinds->noun);
  }
  if (!kind->options) {
    bool empty = !inner || (inner->type == COH_CONFIG_MAP && inner->n_children == 0) ||
                 (inner->type == COH_CONFIG_SCALAR && !*inner->text);
    if (!empty) return coh_config_fail(inner, "takes no options");
    *choice = (coh_choice){.kind = kind};
    return COH_OK;
  }
  char *options;
  COH_NEW(options, kind->options_size);
  coh_status status;
  if (inner && inner->type != COH_CONFIG_MAP &&
      (inner->type == COH_CONFIG_LIST || *inner->text)) {
    // `dense: 128` means `dense: {units: 128}`, and so with lists
    coh_config value = *inner, *children[1] = {&value};
    value.key = (char *)kind->options[0].name;
    coh_config map = {.type = COH_CONFIG_MAP,
                      .source = inner->source,
                      .line = inner->line,
                      .column = inner->column,
                      .key = inner->key,
                      .child = children,
                      .n_children = 1};
    status = fill_map(kind->options, &map, options);
  } else {
    coh_config none = {.type = COH_CONFIG_MAP,
                       .source = node->source,
                       .line = node->line,
                       .column = node->column,
                       .key = (char *)kind->name};
    status = fill_map(kind->options, inner && inner->type == COH_CONFIG_MAP ? inner : &none,
                      options);
  }
  if (status != COH_OK) {
    coh_free(options);
    return status;
  }
  *choice = (coh_choice){.kind = kind, .options = options};
  return COH_OK;
}

// `name` stands for `[name]` in lists of kinds and of numbers
static int64_t list_length(const coh_config *node) {
  if (node->type == COH_CONFIG_SCALAR && !*node->text) return 0;
  return node->type == COH_CONFIG_LIST ? node->n_children : 1;
}

static const coh_config *list_item(const coh_config *node, int64_t i) {
  return node->type == COH_CONFIG_LIST ? node->child[i] : node;
}

static coh_status fill_kinds(const coh_option *row, const coh_config *node,
                             coh_choice_list *list) {
  int64_t n_items = list_length(node);
  COH_NEW(list->item, n_items);
  list->n_items = n_items;
  for (int64_t i = 0; i < n_items; i++)
    COH_TRY(fill_kind(row, list_item(node, i), &list->item[i]));
  return COH_OK;
}

static coh_status fill_ints(const coh_option *row, const coh_config *node, coh_int_list *list) {
  int64_t n_items = list_length(node);
  COH_NEW(list->item, n_items);
  list->n_items = n_items;
  for (int64_t i = 0; i < n_items; i++)
    COH_TRY(fill_int(row, list_item(node, i), &list->item[i]));
  return COH_OK;
}

static coh_status fill_real(const coh_option *row, const coh_config *node, double *value) {
  if (node->quoted || !coh_text_to_real(node->text, value))
    return coh_config_fail(node, "'%s' is not a finite number", node->text);
  return check_bounds(row, node, *value);
}

static coh_status fill_row(const coh_option *row, const coh_config *node, char *field) {
  bool needs_scalar = row->type != COH_GROUP && row->type != COH_KIND &&
                      row->type != COH_KINDS && row->type != COH_INTS && row->type != COH_INT;
  if (needs_scalar && node->type != COH_CONFIG_SCALAR)
    return coh_config_fail(node, "%s was found where one value is expected",
                           coh_config_type_name(node->type));
  switch (row->type) {
  case COH_BOOL:
    if (node->quoted || !coh_text_to_bool(node->text, (bool *)field))
      return coh_config_fail(node, "'%s' is neither true nor false", node->text);
    return COH_OK;
  case COH_INT:
    return fill_int(row, node, (int64_t *)(void *)field);
  case COH_REAL:
    return fill_real(row, node, (double *)(void *)field);
  case COH_BYTES:
    if (!coh_text_to_bytes(node->text, (int64_t *)(void *)field))
      return coh_config_fail(node, "'%s' is not a size such as 512MiB or 2GiB", node->text);
    return check_bounds(row, node, (double)*(int64_t *)(void *)field);
  case COH_STRING: {
    char *copy = coh_alloc_string(node->text);
    COH_CHECK(copy, COH_E_MEMORY, "out of memory");
    *(char **)(void *)field = copy;
    return COH_OK;
  }
  case COH_CHOICE:
    return fill_choice(row, node, (int *)(void *)field);
  case COH_INTS:
    return fill_ints(row, node, (coh_int_list *)(void *)field);
  case COH_GROUP:
    return fill_map(row->group, node, field);
  case COH_KIND:
    return fill_kind(row, node, (coh_choice *)(void *)field);
  case COH_KINDS:
    return fill_kinds(row, node, (coh_choice_list *)(void *)field);
  }
  return coh_fail(COH_E_INTERNAL, "option %s has no type", row->name);
}

// fill a row that the config does not mention
static coh_status fill_default(const coh_option *row, const coh_config *map, char *field) {
  if (row->type == COH_GROUP) {
    coh_config none = {.type = COH_CONFIG_MAP,
                       .source = map ? map->source : "defaults",
                       .key = (char *)row->name};
    if (map) none.line = map->line, none.column = map->column;
    return fill_map(row->group, &none, field);
  }
  if (!row->initial) {
    if (!map) return coh_fail(COH_E_CONFIG, "%s: is missing: %s", row->name, row->doc);
    coh_config at = {.source = map->source,
                     .line = map->line,
                     .column = map->column,
                     .key = (char *)row->name};
    return coh_config_fail(&at, "is missing: %s", row->doc);
  }
  coh_config *value = NULL;
  const char *text = *row->initial ? row->initial : "''";
  COH_TRY(coh_config_parse_value("default", text, strlen(text), &value));
  if (!*row->initial) value->quoted = false;
  coh_status status = fill_row(row, value, field);
  coh_config_destroy(&value);
  return status == COH_OK ? COH_OK : coh_fail_within(status, "default of %s", row->name);
}

static coh_status check_keys(const coh_option *table, const coh_config *map) {
  for (int64_t i = 0; i < map->n_children; i++) {
    const char *names[256];
    int64_t n_names = 0;
    bool known = false;
    for (const coh_option *row = table; row->name && n_names < 256; row++) {
      names[n_names++] = row->name;
      known = known || strcmp(row->name, map->child[i]->key) == 0;
    }
    if (known) continue;
    coh_config at = *map->child[i];
    at.line = at.key_line;
    at.column = at.key_column;
    const char *nearest = coh_text_nearest(map->child[i]->key, names, n_names);
    if (nearest) return coh_config_fail(&at, "unknown key; did you mean '%s'?", nearest);
    return coh_config_fail(&at, "unknown key%s%s", map->key ? " in " : "",
                           map->key ? map->key : "");
  }
  return COH_OK;
}

static coh_status fill_map(const coh_option *table, const coh_config *map, char *target) {
  if (map && map->type == COH_CONFIG_SCALAR && !*map->text && !map->quoted) map = NULL;
  if (map && map->type != COH_CONFIG_MAP)
    return coh_config_fail(map, "%s was found where options are expected",
                           coh_config_type_name(map->type));
  coh_status status = map ? check_keys(table, map) : COH_OK;
  for (const coh_option *row = table; row->name && status == COH_OK; row++) {
    const coh_config *node = coh_config_child(map, row->name);
    char *field = target + row->offset;
    status = node ? fill_row(row, node, field) : fill_default(row, map, field);
  }
  if (status != COH_OK) coh_options_clear(table, target);
  return status;
}

coh_status coh_options_fill(const coh_option *table, const coh_config *map, void *target) {
  return fill_map(table, map, target);
}

static void clear_row(const coh_option *row, char *field) {
  switch (row->type) {
  case COH_STRING:
    COH_DELETE(*(char **)(void *)field);
    break;
  case COH_INTS: {
    coh_int_list *list = (coh_int_list *)(void *)field;
    COH_DELETE(list->item);
    list->n_items = 0;
    break;
  }
  case COH_GROUP:
    coh_options_clear(row->group, field);
    break;
  case COH_KIND:
    coh_choice_clear((coh_choice *)(void *)field);
    break;
  case COH_KINDS: {
    coh_choice_list *list = (coh_choice_list *)(void *)field;
    for (int64_t i = 0; i < list->n_items; i++)
      coh_choice_clear(&list->item[i]);
    COH_DELETE(list->item);
    list->n_items = 0;
    break;
  }
  default:
    break; // plain numbers own nothing
  }
}

void coh_options_clear(const coh_option *table, void *target) {
  for (const coh_option *row = table; row->name; row++)
    clear_row(row, (char *)target + row->offset);
}
