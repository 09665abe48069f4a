/* YAML, read strictly through libyaml's events into a tree that remembers places.
 *
 * Anchors, aliases, tags, merge keys, second documents and duplicate keys are refused: they
 * are where YAML surprises. Scalars stay text; option_fill.c converts them by their row. */
#include "base/config_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"

enum { MAX_BYTES = 1 << 20, MAX_DEPTH = 16, MAX_CHILDREN = 4096 };

typedef struct reader {
  yaml_parser_t yaml;
  yaml_event_t event;
  bool has_event;
  const char *source;
  const char *text; // n_bytes of it
  size_t n_bytes;
} reader;

static coh_config *node_new(const char *source, coh_config_type type, int line, int column) {
  coh_config *node = coh_alloc_array(1, sizeof *node);
  if (node)
    *node = (coh_config){.type = type, .source = source, .line = line, .column = column};
  return node;
}

void coh_config_destroy(coh_config **root) {
  coh_config *node = *root;
  if (!node) return;
  for (int64_t i = 0; i < node->n_children; i++)
    coh_config_destroy(&node->child[i]);
  coh_free(node->child);
  coh_free(node->key);
  coh_free(node->text);
  coh_free(node->sources);
  coh_free(node);
  *root = NULL;
}

// append a child; the parent takes it in every case
static coh_status adopt(coh_config *parent, coh_config *child) {
  if (parent->n_children == parent->capacity) {
    int64_t capacity = parent->capacity ? 2 * parent->capacity : 8;
    coh_config **grown = coh_alloc_resize(parent->child, (size_t)parent->n_children,
                                          (size_t)capacity, sizeof *grown);
    if (!grown || capacity > MAX_CHILDREN) {
      if (grown) parent->child = grown;
      coh_config_destroy(&child);
      return coh_fail(COH_E_CONFIG, "%s: over %d entries in one place", parent->source,
                      MAX_CHILDREN);
    }
    parent->child = grown;
    parent->capacity = capacity;
  }
  child->depth = parent->depth + 1;
  parent->child[parent->n_children++] = child;
  return COH_OK;
}

static coh_status fail_at(const reader *in, const char *what) {
  return coh_fail(COH_E_CONFIG, "%s:%zu:%zu: %s", in->source, in->event.start_mark.line + 1,
                  in->event.start_mark.column + 1, what);
}

// what libyaml could not read; bytes that are no text it knows only by their offset
static coh_status fail_parsing(const reader *in) {
  const yaml_parser_t *yaml = &in->yaml;
  size_t line = yaml->problem_mark.line, column = yaml->problem_mark.column;
  if (yaml->error == YAML_READER_ERROR) {
    line = column = 0;
    for (size_t i = 0; i < yaml->problem_offset && i < in->n_bytes; i++) {
      column = in->text[i] == '\n' ? 0 : column + 1;
      line += in->text[i] == '\n';
    }
  }
  return coh_fail(COH_E_CONFIG, "%s:%zu:%zu: not valid YAML: %s", in->source, line + 1,
                  column + 1, yaml->problem ? yaml->problem : "unreadable");
}

// fetch the next event; anchors and tags are refused here, for every kind of node
static coh_status next_event(reader *in) {
  if (in->has_event) yaml_event_delete(&in->event);
  in->has_event = false;
  if (!yaml_parser_parse(&in->yaml, &in->event)) return fail_parsing(in);
  in->has_event = true;
  const yaml_event_t *event = &in->event;
  const yaml_char_t *anchor = NULL, *tag = NULL;
  if (event->type == YAML_SCALAR_EVENT)
    anchor = event->data.scalar.anchor, tag = event->data.scalar.tag;
  if (event->type == YAML_MAPPING_START_EVENT)
    anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
  if (event->type == YAML_SEQUENCE_START_EVENT)
    anchor = event->data.sequence_start.anchor, tag = event->data.sequence_start.tag;
  if (event->type == YAML_ALIAS_EVENT || anchor)
    return fail_at(in, "anchors and aliases (&, *) are not allowed; write the value out");
  if (tag) return fail_at(in, "tags (!) are not allowed");
  return COH_OK;
}

static coh_status read_node(reader *in, int depth, coh_config **out);

static coh_status read_map(reader *in, int depth, coh_config *map) {
  for (;;) {
    COH_TRY(next_event(in));
    if (in->event.type == YAML_MAPPING_END_EVENT) return COH_OK;
    if (in->event.type != YAML_SCALAR_EVENT) return fail_at(in, "a key must be a plain name");
    const char *key = (const char *)in->event.data.scalar.value;
    if (in->event.data.scalar.length != strlen(key) || !*key)
      return fail_at(in, "a key must be a plain name");
    if (strcmp(key, "<<") == 0) return fail_at(in, "merge keys (<<) are not allowed");
    if (coh_config_child(map, key))
      return coh_fail(COH_E_CONFIG, "%s:%zu:%zu: %s: given twice", in->source,
                      in->event.start_mark.line + 1, in->event.start_mark.column + 1, key);
    int line = (int)in->event.start_mark.line + 1,
        column = (int)in->event.start_mark.column + 1;
    char *name = coh_alloc_string(key);
    COH_CHECK(name, COH_E_MEMORY, "out of memory while reading %s", in->source);
    coh_config *value = NULL;
    coh_status status = next_event(in);
    if (status == COH_OK) status = read_node(in, depth + 1, &value);
    if (status != COH_OK) {
      coh_free(name);
      return status;
    }
    value->key = name;
    value->key_line = line;
    value->key_column = column;
    COH_TRY(adopt(map, value));
  }
}

static coh_status read_list(reader *in, int depth, coh_config *list) {
  for (;;) {
    COH_TRY(next_event(in));
    if (in->event.type == YAML_SEQUENCE_END_EVENT) return COH_OK;
    coh_config *item = NULL;
    COH_TRY(read_node(in, depth + 1, &item));
    COH_TRY(adopt(list, item));
  }
}

// read the node that starts at the current event
static coh_status read_node(reader *in, int depth, coh_config **out) {
  if (depth > MAX_DEPTH) return fail_at(in, "nested too deeply");
  int line = (int)in->event.start_mark.line + 1, column = (int)in->event.start_mark.column + 1;
  coh_config_type type;
  switch (in->event.type) {
  case YAML_SCALAR_EVENT:
    type = COH_CONFIG_SCALAR;
    break;
  case YAML_MAPPING_START_EVENT:
    type = COH_CONFIG_MAP;
    break;
  case YAML_SEQUENCE_START_EVENT:
    type = COH_CONFIG_LIST;
    break;
  default:
    return fail_at(in, "a value, a map or a list is expected here");
  }
  coh_config *node = node_new(in->source, type, line, column);
  COH_CHECK(node, COH_E_MEMORY, "out of memory while reading %s", in->source);
  coh_status status = COH_OK;
  if (type == COH_CONFIG_MAP) status = read_map(in, depth, node);
  if (type == COH_CONFIG_LIST) status = read_list(in, depth, node);
  if (type == COH_CONFIG_SCALAR) {
    const char *text = (const char *)in->event.data.scalar.value;
    node->quoted = in->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (strlen(text) != in->event.data.scalar.length)
      status = fail_at(in, "a value must not contain a zero byte");
    else if (!(node->text = coh_alloc_string(text)))
      status = coh_fail(COH_E_MEMORY, "out of memory while reading %s", in->source);
  }
  if (status != COH_OK) {
    coh_config_destroy(&node);
    return status;
  }
  *out = node;
  return COH_OK;
}

static coh_status read_document(reader *in, coh_config **out) {
  COH_TRY(next_event(in)); // stream start
  COH_TRY(next_event(in));
  if (in->event.type == YAML_STREAM_END_EVENT)
    return coh_fail(COH_E_CONFIG, "%s: is empty; at least `task:` is needed", in->source);
  COH_TRY(next_event(in)); // past document start
  coh_config *root = NULL;
  COH_TRY(read_node(in, 0, &root));
  coh_status status = next_event(in); // document end
  if (status == COH_OK) status = next_event(in);
  if (status == COH_OK && in->event.type != YAML_STREAM_END_EVENT)
    status = fail_at(in, "a second document (---) is not allowed");
  if (status != COH_OK) {
    coh_config_destroy(&root);
    return status;
  }
  *out = root;
  return COH_OK;
}

coh_status coh_config_parse_value(const char *source, const char *text, size_t n_bytes,
                                  coh_config **out) {
  reader in = {.source = source, .text = text, .n_bytes = n_bytes};
  COH_CHECK(yaml_parser_initialize(&in.yaml), COH_E_MEMORY,
            "out of memory for the YAML reader");
  yaml_parser_set_input_string(&in.yaml, (const unsigned char *)text, n_bytes);
  coh_status status = read_document(&in, out);
  if (in.has_event) yaml_event_delete(&in.event);
  yaml_parser_delete(&in.yaml);
  return status;
}

coh_status coh_config_parse(const char *name, const char *text, size_t n_bytes,
                            coh_config **root) {
  COH_CHECK(n_bytes <= MAX_BYTES, COH_E_CONFIG, "%s: larger than 1 MiB, which no config is",
            name);
  char *source = coh_alloc_string(name);
  COH_CHECK(source, COH_E_MEMORY, "out of memory while reading %s", name);
  coh_config *tree = NULL;
  coh_status status = coh_config_parse_value(source, text, n_bytes, &tree);
  if (status == COH_OK && tree->type != COH_CONFIG_MAP) {
    status = coh_fail(COH_E_CONFIG, "%s:%d:%d: a config is a map of `key: value` lines", name,
                      tree->line, tree->column);
    coh_config_destroy(&tree);
  }
  if (status != COH_OK) {
    coh_free(source);
    return status;
  }
  tree->sources = source;
  *root = tree;
  return COH_OK;
}

coh_status coh_config_read(const char *path, coh_config **root) {
  FILE *file = fopen(path, "rb");
  COH_CHECK(file, COH_E_CONFIG, "%s: cannot read: %s", path, strerror(errno));
  char *text = coh_alloc_array(MAX_BYTES + 1, 1);
  size_t n_bytes = text ? fread(text, 1, MAX_BYTES + 1, file) : 0;
  int cause = ferror(file) ? errno : 0;
  fclose(file);
  coh_status status;
  if (!text)
    status = coh_fail(COH_E_MEMORY, "out of memory while reading %s", path);
  else if (cause)
    status = coh_fail(COH_E_CONFIG, "%s: cannot read: %s", path, strerror(cause));
  else
    status = coh_config_parse(path, text, n_bytes, root);
  coh_free(text);
  return status;
}

const coh_config *coh_config_child(const coh_config *map, const char *key) {
  if (!map || map->type != COH_CONFIG_MAP) return NULL;
  for (int64_t i = 0; i < map->n_children; i++)
    if (strcmp(map->child[i]->key, key) == 0) return map->child[i];
  return NULL;
}

const char *coh_config_text(const coh_config *node) {
  return node && node->type == COH_CONFIG_SCALAR ? node->text : NULL;
}

const char *coh_config_type_name(coh_config_type type) {
  static const char *const names[] = {"a value", "a map", "a list"};
  return names[type];
}

coh_status coh_config_fail(const coh_config *node, const char *format, ...) {
  char worded[768];
  va_list args;
  va_start(args, format);
  vsnprintf(worded, sizeof worded, format, args);
  va_end(args);
  char place[32] = "";
  if (node->line > 0) snprintf(place, sizeof place, ":%d:%d", node->line, node->column);
  if (node->key)
    return coh_fail(COH_E_CONFIG, "%s%s: %s: %s", node->source, place, node->key, worded);
  return coh_fail(COH_E_CONFIG, "%s%s: %s", node->source, place, worded);
}

// forget line numbers: an override's place is the command line itself
static void unplace(coh_config *node) {
  node->line = node->column = node->key_line = node->key_column = 0;
  for (int64_t i = 0; i < node->n_children; i++)
    unplace(node->child[i]);
}

// the map child `key` of map, made if absent; a scalar there becomes the map {scalar: {}}, so
// that `env=cartpole env.cartpole.max_steps=9` works
static coh_status enter(coh_config *map, const char *key, const char *assignment,
                        coh_config **out) {
  coh_config *child = (coh_config *)coh_config_child(map, key);
  if (!child) {
    child = node_new("command line", COH_CONFIG_MAP, 0, 0);
    COH_CHECK(child && (child->key = coh_alloc_string(key)), COH_E_MEMORY, "out of memory");
    COH_TRY(adopt(map, child));
  }
  if (child->type == COH_CONFIG_SCALAR) {
    coh_config *inner = node_new("command line", COH_CONFIG_MAP, 0, 0);
    COH_CHECK(inner, COH_E_MEMORY, "out of memory");
    inner->key = child->text;
    child->text = NULL;
    child->type = COH_CONFIG_MAP;
    COH_TRY(adopt(child, inner));
  }
  COH_CHECK(child->type == COH_CONFIG_MAP, COH_E_CONFIG,
            "command line: %s: %s is %s, so nothing can be set inside it", assignment, key,
            coh_config_type_name(child->type));
  *out = child;
  return COH_OK;
}

coh_status coh_config_override(coh_config *root, const char *assignment) {
  const char *equals = strchr(assignment, '=');
  COH_CHECK(equals && equals != assignment, COH_E_CONFIG,
            "command line: '%s' is not of the form key.path=value", assignment);
  COH_CHECK(equals - assignment < 256, COH_E_CONFIG, "command line: a key path is too long");
  char path[256];
  memcpy(path, assignment, (size_t)(equals - assignment));
  path[equals - assignment] = '\0';

  // walk to the map that holds the last key
  coh_config *map = root;
  char *key = path;
  for (char *dot; (dot = strchr(key, '.')); key = dot + 1) {
    *dot = '\0';
    COH_TRY(enter(map, key, assignment, &map));
  }
  COH_CHECK(*key, COH_E_CONFIG, "command line: '%s' has an empty key", assignment);

  coh_config *value = NULL;
  const char *text = equals[1] ? equals + 1 : "''";
  COH_TRY(coh_config_parse_value("command line", text, strlen(text), &value));
  unplace(value);
  value->key = coh_alloc_string(key);
  if (!value->key) {
    coh_config_destroy(&value);
    return coh_fail(COH_E_MEMORY, "out of memory");
  }
  for (int64_t i = 0; i < map->n_children; i++) {
    if (strcmp(map->child[i]->key, key) != 0) continue;
    coh_config_destroy(&map->child[i]);
    map->child[i] = value;
    return COH_OK;
  }
  return adopt(map, value);
}
