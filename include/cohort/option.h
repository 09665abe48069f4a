/* Option tables: every option is one row beside the struct that it fills.
 *
 * From the rows come parsing, validation, defaults, help texts and the resolved config that is
 * saved with each run. A `kind` is a named thing with options of its own (an environment, a
 * layer, an optimiser); a `kind set` is the registry it is chosen from. In YAML a kind is
 * written `env: cartpole`, or `env: {cartpole: {max_steps: 500}}`; a scalar given to a kind,
 * as in `dense: 128`, fills the first row of its table. */
#ifndef COHORT_OPTION_H
#define COHORT_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum coh_option_type {
  COH_BOOL,   /* bool */
  COH_INT,    /* int64_t; min..max inclusive */
  COH_REAL,   /* double, finite; min..max inclusive */
  COH_BYTES,  /* int64_t; digits with an optional KiB, MiB, GiB or TiB */
  COH_STRING, /* char *, owned by the struct */
  COH_CHOICE, /* int: index into `choices`, names separated by '|' */
  COH_INTS,   /* coh_int_list, owned by the struct; min..max bound each entry */
  COH_GROUP,  /* a nested struct with its own table `group` */
  COH_KIND,   /* coh_choice, owned by the struct; chosen from `kinds` */
  COH_KINDS,  /* coh_choice_list, owned by the struct; chosen from `kinds` */
} coh_option_type;

typedef struct coh_kind_set coh_kind_set;

/* One option. Tables end with a row whose name is NULL. */
typedef struct coh_option {
  const char *name;
  coh_option_type type;
  size_t offset;                  /* of the field within the struct */
  const char *initial;            /* default as YAML text; NULL: must be given */
  double min, max;                /* inclusive bounds of numbers; both 0: no bounds */
  const char *choices;            /* COH_CHOICE: "huber|squared" */
  const struct coh_option *group; /* COH_GROUP: the nested table */
  const coh_kind_set *kinds;      /* COH_KIND, COH_KINDS: the registry */
  const char *unit;               /* "steps", "s", ""; may be NULL */
  const char *doc;                /* one sentence */
} coh_option;

/* A named thing with options. Embedded as the first member of richer descriptors
 * (coh_env_type, coh_optimizer_type ...), so a coh_kind pointer casts to those. */
typedef struct coh_kind {
  const char *name;
  const char *doc;           /* one sentence, with the source (paper or system) */
  const coh_option *options; /* NULL: takes none */
  size_t options_size;       /* bytes of the options struct, 0 with no options */
} coh_kind;

struct coh_kind_set {
  const char *noun; /* "environment": used in messages and help topics */
  const coh_kind *const *kinds;
  int64_t n_kinds;
};

/* What a COH_KIND row fills. kind: borrowed from the registry; options: owned, may be NULL. */
typedef struct coh_choice {
  const coh_kind *kind;
  void *options;
} coh_choice;

typedef struct coh_choice_list {
  coh_choice *item;
  int64_t n_items;
} coh_choice_list;

typedef struct coh_int_list {
  int64_t *item;
  int64_t n_items;
} coh_int_list;

/* A parsed config: a tree of maps, lists and scalars that know their file:line:column. */
typedef struct coh_config coh_config;

/* Read a YAML file, strictly: one document, no anchors, tags, merge keys or duplicate keys,
 * at most 1 MiB. Caller destroys *root. Not collective.
 * Fails: COH_E_CONFIG with file:line:column. */
coh_status coh_config_read(const char *path, coh_config **root);

/* The same from memory; name stands in messages where a file name would. text: borrowed. */
coh_status coh_config_parse(const char *name, const char *text, size_t n_bytes,
                            coh_config **root);

/* Apply one command-line override `key.path=value` (value is YAML). Not collective. */
coh_status coh_config_override(coh_config *root, const char *assignment);

/* Destroy a tree; accepts NULL, sets NULL. */
void coh_config_destroy(coh_config **root);

/* The child of a map, NULL if absent or not a map. Borrowed. */
const coh_config *coh_config_child(const coh_config *map, const char *key);

/* The text of a scalar, NULL if it is not one. Borrowed. */
const char *coh_config_text(const coh_config *node);

/* Word a failure at a node: "file:line:column: key: message". Returns COH_E_CONFIG. */
__attribute__((format(printf, 2, 3))) coh_status coh_config_fail(const coh_config *node,
                                                                 const char *format, ...);

/* Fill a struct from a map by its table: defaults first, then every key of the map, which must
 * be known. map may be NULL (all defaults). On failure the struct is left empty (zero).
 * Not collective. Fails: COH_E_CONFIG with the place and the closest match. */
coh_status coh_options_fill(const coh_option *table, const coh_config *map, void *target);

/* Release what the struct owns and zero those fields. */
void coh_options_clear(const coh_option *table, void *target);

/* Write the struct back as YAML, indented by `indent` spaces. *text: caller frees with
 * coh_free. The text parses to the same values (doubles by shortest round trip). */
coh_status coh_options_write(const coh_option *table, const void *source, int indent,
                             char **text);

/* Find a kind by name; NULL if unknown. Not collective. */
const coh_kind *coh_kind_find(const coh_kind_set *set, const char *name);

/* The registered name nearest to `name` by edit distance, NULL if nothing is close. */
const char *coh_kind_nearest(const coh_kind_set *set, const char *name);

/* Make a choice with the kind's defaults. Caller clears with coh_choice_clear. */
coh_status coh_choice_make(const coh_kind_set *set, const char *name, coh_choice *choice);
void coh_choice_clear(coh_choice *choice);

/* Describe a table for a person: name, type, default, bounds, unit, sentence; one row a line
 * pair. *text: caller frees with coh_free. */
coh_status coh_options_help(const coh_option *table, int indent, char **text);

#ifdef __cplusplus
}
#endif
#endif
