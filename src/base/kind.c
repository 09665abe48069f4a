/* Kinds: named things with options, found in their registry by name. */
#include <string.h>

#include "base/alloc.h"
#include "base/choice.h"
#include "base/text.h"
#include "cohort/option.h"

const coh_kind *coh_kind_find(const coh_kind_set *set, const char *name) {
  for (int64_t i = 0; i < set->n_kinds; i++)
    if (strcmp(set->kinds[i]->name, name) == 0) return set->kinds[i];
  return NULL;
}

const char *coh_kind_nearest(const coh_kind_set *set, const char *name) {
  const char *names[256];
  int64_t n_names = 0;
  for (int64_t i = 0; i < set->n_kinds && i < 256; i++)
    names[n_names++] = set->kinds[i]->name;
  return coh_text_nearest(name, names, n_names);
}

coh_status coh_choice_make(const coh_kind_set *set, const char *name, coh_choice *choice) {
  const coh_kind *kind = coh_kind_find(set, name);
  if (!kind) {
    const char *nearest = coh_kind_nearest(set, name);
    return coh_fail(COH_E_CONFIG, "%s: '%s' is unknown%s%s%s", set->noun, name,
                    nearest ? "; did you mean '" : "", nearest ? nearest : "",
                    nearest ? "'?" : "");
  }
  void *options = NULL;
  if (kind->options) {
    options = coh_alloc_array(1, kind->options_size);
    COH_CHECK(options, COH_E_MEMORY, "out of memory for the options of %s", name);
    coh_status status = coh_options_fill(kind->options, NULL, options);
    if (status != COH_OK) {
      coh_free(options);
      return status;
    }
  }
  *choice = (coh_choice){.kind = kind, .options = options};
  return COH_OK;
}

coh_status coh_choice_parse(const char *where, const coh_kind_set *set, const char *text,
                            coh_choice *choice) {
  const coh_option table[] = {
      {.name = set->noun, .type = COH_KIND, .offset = 0, .kinds = set, .doc = "A choice."},
      {0}};
  coh_text line = {0};
  coh_text_add(&line, "%s: %s\n", set->noun, text);
  char *yaml = NULL;
  COH_TRY(coh_text_take(&line, &yaml));
  coh_config *config = NULL;
  coh_status status = coh_config_parse(where, yaml, strlen(yaml), &config);
  if (status == COH_OK) status = coh_options_fill(table, config, choice);
  coh_config_destroy(&config);
  coh_free(yaml);
  return status;
}

void coh_choice_clear(coh_choice *choice) {
  if (choice->options) coh_options_clear(choice->kind->options, choice->options);
  coh_free(choice->options);
  *choice = (coh_choice){0};
}
