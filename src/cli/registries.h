/* Every registry of kinds that people choose from, for list and help. */
#ifndef COHORT_CLI_REGISTRIES_H
#define COHORT_CLI_REGISTRIES_H

#include "cohort/option.h"

typedef struct coh_registry {
  const char *name; /* plural, as in `cohort list envs` */
  const coh_kind_set *set;
} coh_registry;

/* Ends with a NULL name. */
extern const coh_registry coh_registries[];

#endif
