/* Forest management. */
#include "mdp/model_kind.h"

typedef struct forest_options {
  int64_t states;
  double wait, cut, fire;
} forest_options;

#define FIELD(member) .offset = offsetof(forest_options, member)
static const coh_option table[] = {
    {.name = "states",
     .type = COH_INT,
     FIELD(states),
     .initial = "3",
     .min = 2,
     .max = 4e9,
     .unit = "ages",
     .doc = "Ages of the forest."},
    {.name = "wait",
     .type = COH_REAL,
     FIELD(wait),
     .initial = "4",
     .min = -1e100,
     .max = 1e100,
     .doc = "Reward of waiting in the oldest forest."},
    {.name = "cut",
     .type = COH_REAL,
     FIELD(cut),
     .initial = "2",
     .min = -1e100,
     .max = 1e100,
     .doc = "Reward of cutting the oldest forest; a younger one pays 1, the youngest nothing."},
    {.name = "fire",
     .type = COH_REAL,
     FIELD(fire),
     .initial = "0.1",
     .max = 1,
     .doc = "Chance of a fire in a year."},
    {0},
};

static coh_status make(const void *given, double discount, uint64_t seed, coh_mdp **mdp) {
  (void)seed;
  const forest_options *o = given;
  return coh_mdp_make_forest(o->states, o->wait, o->cut, o->fire, discount, mdp);
}

const coh_mdp_model_kind coh_mdp_model_forest = {
    .kind = {"forest", "Forest management: wait or cut, with fires (pymdptoolbox).", table,
             sizeof(forest_options)},
    .make = make};
