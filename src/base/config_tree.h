/* The parsed config: what option_fill.c walks. */
#ifndef COHORT_BASE_CONFIG_TREE_H
#define COHORT_BASE_CONFIG_TREE_H

#include "cohort/option.h"

typedef enum coh_config_type {
  COH_CONFIG_SCALAR,
  COH_CONFIG_MAP,
  COH_CONFIG_LIST
} coh_config_type;

struct coh_config {
  coh_config_type type;
  const char *source;       /* file name or "command line"; owned by the root */
  char *sources;            /* root only: the owned source names, one block */
  int key_line, key_column; /* where the key itself stands */
  int line, column;         /* 1-based; 0 where the source has none */
  int depth;                /* of nesting, bounded */
  char *key;   /* name within the parent map, NULL in lists and at the root; owned */
  char *text;  /* scalar: its text, owned */
  bool quoted; /* scalar: written in quotes */
  struct coh_config **child; /* map and list: children, owned */
  int64_t n_children, capacity;
};

/* Words a type for messages: "a map", "a list", "a value". */
const char *coh_config_type_name(coh_config_type type);

/* Parse any YAML value (not only a map). source: borrowed, must outlive the tree. */
coh_status coh_config_parse_value(const char *source, const char *text, size_t n_bytes,
                                  coh_config **value);

#endif
