/* A finite environment as an exact model. */
#include "cohort/env.h"
#include "mdp/model_kind.h"

typedef struct environment_options {
  coh_choice env;
} environment_options;

static const coh_option table[] = {
    {.name = "name",
     .type = COH_KIND,
     .offset = offsetof(environment_options, env),
     .kinds = &coh_env_kinds,
     .doc = "gridworld, frozen_lake or cliff_walking, with its options; its time limit is left "
            "out."},
    {0},
};

static coh_status make(const void *given, double discount, uint64_t seed, coh_mdp **mdp) {
  (void)seed;
  return coh_mdp_from_env(&((const environment_options *)given)->env, discount, mdp);
}

const coh_mdp_model_kind coh_mdp_model_environment = {
    .kind = {"env", "The exact model of a finite environment that agents also learn in.", table,
             sizeof(environment_options)},
    .make = make};
