/* The registry of models. */
#include "mdp/model_kind.h"

#include "base/alloc.h"

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

static coh_status supply_whole(const coh_choice *choice, double discount, uint64_t seed,
                               coh_mdp_supply *supply) {
  COH_TRY(coh_mdp_model_make(choice, discount, seed, &supply->whole));
  coh_mdp *mdp = supply->whole;
  coh_mdp_source_of(mdp, &supply->source);
  supply->picture = mdp->picture;
  supply->start = mdp->start;
  mdp->picture = (coh_mdp_picture){0};
  mdp->start = NULL;
  return COH_OK;
}

coh_status coh_mdp_model_supply(const coh_choice *choice, double discount, uint64_t seed,
                                bool as_whole, coh_mdp_supply *supply) {
  const coh_mdp_model_kind *kind = (const coh_mdp_model_kind *)choice->kind;
  *supply = (coh_mdp_supply){0};
  coh_status status = kind->supply && !as_whole
                          ? kind->supply(choice->options, discount, seed, supply)
                          : supply_whole(choice, discount, seed, supply);
  if (status != COH_OK) coh_mdp_supply_clear(supply);
  return status;
}

void coh_mdp_supply_shed(coh_mdp_supply *supply) {
  coh_mdp_destroy(&supply->whole);
  coh_mdp_grid_source_destroy(&supply->grid);
  COH_DELETE(supply->options);
  supply->source = (coh_mdp_source){0};
}

void coh_mdp_supply_clear(coh_mdp_supply *supply) {
  coh_mdp_supply_shed(supply);
  COH_DELETE(supply->picture.wall);
  COH_DELETE(supply->start);
}
