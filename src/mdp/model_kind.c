/* The registry of models. */
#include "mdp/model_kind.h"

#define X(name) extern const coh_mdp_model_kind coh_mdp_##name;
#include "mdp/model.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_mdp_##name.kind,
#include "mdp/model.def"
#undef X
};

const coh_kind_set coh_mdp_model_kinds = {
    .noun = "model", .kinds = kinds, .n_kinds = sizeof kinds / sizeof *kinds};

coh_status coh_mdp_model_make(const coh_choice *choice, double discount, uint64_t seed,
                              coh_mdp **mdp) {
  return ((const coh_mdp_model_kind *)choice->kind)->make(choice->options, discount, seed, mdp);
}
