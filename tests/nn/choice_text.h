/* Choices and lists of them from YAML, for the tests of nn. */
#ifndef COHORT_TESTS_NN_CHOICE_TEXT_H
#define COHORT_TESTS_NN_CHOICE_TEXT_H

#include <stdio.h>
#include <string.h>

#include "cohort/alloc.h"
#include "cohort/option.h"

typedef struct choice_holder {
  coh_choice one;
  coh_choice_list list;
} choice_holder;

/* Fill holder->one (list: holder->list) from text such as "adam: 1e-3" or "[relu, dense: 3]".
 */
static inline coh_status choice_from(const coh_kind_set *kinds, const char *text, bool list,
                                     choice_holder *holder) {
  coh_option table[] = {
      {.name = "it",
       .type = list ? COH_KINDS : COH_KIND,
       .offset = list ? offsetof(choice_holder, list) : offsetof(choice_holder, one),
       .kinds = kinds,
       .doc = "What is tested."},
      {0}};
  char yaml[1024];
  // a lone name stays a scalar, anything else goes into braces unless it is a list
  bool map = !list && strchr(text, ':');
  snprintf(yaml, sizeof yaml, "it: %s%s%s\n", map ? "{" : "", text, map ? "}" : "");
  coh_config *root = NULL;
  coh_status status = coh_config_parse("test.yaml", yaml, strlen(yaml), &root);
  if (status == COH_OK) status = coh_options_fill(table, root, holder);
  coh_config_destroy(&root);
  return status;
}

static inline void choice_holder_clear(choice_holder *holder) {
  coh_choice_clear(&holder->one);
  for (int64_t i = 0; i < holder->list.n_items; i++)
    coh_choice_clear(&holder->list.item[i]);
  coh_free(holder->list.item);
  memset(holder, 0, sizeof *holder);
}

#endif
