/* The gambler's problem. */
#include "mdp/model_kind.h"

typedef struct gambler_options {
  int64_t goal;
  double win;
} gambler_options;

#define FIELD(member) .offset = offsetof(gambler_options, member)
static const coh_option table[] = {
    {.name = "goal",
     .type = COH_INT,
     FIELD(goal),
     .initial = "100",
     .min = 2,
     .max = 1 << 20,
     .doc = "The capital that is wanted; states are capitals."},
    {.name = "win",
     .type = COH_REAL,
     FIELD(win),
     .initial = "0.4",
     .max = 1,
     .doc = "Chance of winning a stake."},
    {0},
};

static coh_status make(const void *given, double discount, uint64_t seed, coh_mdp **mdp) {
  (void)seed;
  const gambler_options *options = given;
  COH_TRY(coh_mdp_make_gambler(options->goal, options->win, mdp));
  (*mdp)->discount = discount;
  return COH_OK;
}

const coh_mdp_model_kind coh_mdp_model_gambler = {
    .kind = {"gambler",
             "A gambler who wants a capital and stakes what he likes (Sutton and Barto, "
             "example 4.3).",
             table, sizeof(gambler_options)},
    .make = make};
