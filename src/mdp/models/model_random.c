/* Random rows in a band. */
#include "base/alloc.h"
#include "mdp/make_random.h"
#include "mdp/model_kind.h"

typedef struct random_options {
  int64_t states, actions, successors, band;
} random_options;

#define FIELD(member) .offset = offsetof(random_options, member)
static const coh_option table[] = {
    {.name = "states",
     .type = COH_INT,
     FIELD(states),
     .initial = "1000",
     .min = 1,
     .max = 4e9,
     .doc = "States."},
    {.name = "actions",
     .type = COH_INT,
     FIELD(actions),
     .initial = "4",
     .min = 1,
     .max = 1 << 20,
     .doc = "Actions of every state."},
    {.name = "successors",
     .type = COH_INT,
     FIELD(successors),
     .initial = "8",
     .min = 1,
     .max = 1 << 20,
     .doc = "Next states of every action."},
    {.name = "band",
     .type = COH_INT,
     FIELD(band),
     .initial = "0",
     .max = 4e9,
     .doc = "Window of columns around the state that they lie in; 0: anywhere."},
    {0},
};

static coh_mdp_random random_of(const random_options *o, double discount, uint64_t seed) {
  return (coh_mdp_random){o->states, o->actions, o->successors, o->band, seed, discount};
}

static coh_status make(const void *given, double discount, uint64_t seed, coh_mdp **mdp) {
  coh_mdp_random random = random_of(given, discount, seed);
  return coh_mdp_make_random(&random, mdp);
}

static coh_status supply(const void *given, double discount, uint64_t seed,
                         coh_mdp_supply *to) {
  coh_mdp_random *random;
  COH_NEW(random, 1);
  to->options = random;
  *random = random_of(given, discount, seed);
  COH_TRY(coh_mdp_random_check(random));
  coh_mdp_random_source(random, &to->source);
  return COH_OK;
}

const coh_mdp_model_kind coh_mdp_model_random = {
    .kind = {"random", "Random transitions and rewards, drawn with the seed.", table,
             sizeof(random_options)},
    .make = make,
    .supply = supply};
