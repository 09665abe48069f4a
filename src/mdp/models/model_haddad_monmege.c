/* The chain on which small changes mislead. */
#include "mdp/model_kind.h"

typedef struct chain_options {
  int64_t n;
  double up;
} chain_options;

#define FIELD(member) .offset = offsetof(chain_options, member)
static const coh_option table[] = {
    {.name = "n",
     .type = COH_INT,
     FIELD(n),
     .initial = "20",
     .min = 1,
     .max = 1 << 20,
     .doc = "Steps from the middle to either end."},
    {.name = "up",
     .type = COH_REAL,
     FIELD(up),
     .initial = "0.7",
     .max = 1,
     .doc = "Chance of ending at the upper end."},
    {0},
};

static coh_status make(const void *given, double discount, uint64_t seed, coh_mdp **mdp) {
  (void)seed;
  const chain_options *options = given;
  COH_TRY(coh_mdp_make_haddad_monmege(options->n, options->up, mdp));
  (*mdp)->discount = discount;
  return COH_OK;
}

const coh_mdp_model_kind coh_mdp_model_haddad_monmege = {
    .kind = {"haddad_monmege",
             "A chain on which stopping at small changes fails; labels target and end (Haddad "
             "and Monmege 2018).",
             table, sizeof(chain_options)},
    .make = make};
