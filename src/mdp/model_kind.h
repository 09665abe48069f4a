/* Models by name: what `model:` of a config, or a command line, chooses from. */
#ifndef COHORT_MDP_MODEL_KIND_H
#define COHORT_MDP_MODEL_KIND_H

#include "cohort/mdp.h"

typedef struct coh_mdp_model_kind {
  coh_kind kind;

  /* Make it. seed: of what is drawn, e.g. walls. *mdp: caller destroys. Not collective. */
  coh_status (*make)(const void *options, double discount, uint64_t seed, coh_mdp **mdp);
} coh_mdp_model_kind;

extern const coh_kind_set coh_mdp_model_kinds;

coh_status coh_mdp_model_make(const coh_choice *choice, double discount, uint64_t seed,
                              coh_mdp **mdp);

#endif
