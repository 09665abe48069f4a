/* Models by name: what `model:` of a config, or a command line, chooses from. */
#ifndef COHORT_MDP_MODEL_KIND_H
#define COHORT_MDP_MODEL_KIND_H

#include "cohort/mdp_rows.h"

/* A model row by row, for shares of it, and what belongs to it beside rows. */
typedef struct coh_mdp_supply {
  coh_mdp_source source;
  coh_mdp_picture picture; /* its wall belongs to the supply */
  double *start;           /* n_states; NULL: state 0 */
  coh_mdp *whole;          /* what the rows come from; NULL: they are made when asked for */
  coh_mdp_grid_source *grid;
  void *options; /* the source's context, where it is neither */
} coh_mdp_supply;

typedef struct coh_mdp_model_kind {
  coh_kind kind;

  /* Make it. seed: of what is drawn, e.g. walls. *mdp: caller destroys. Not collective. */
  coh_status (*make)(const void *options, double discount, uint64_t seed, coh_mdp **mdp);

  /* Supply rows without keeping them. supply: zeroed, the caller clears, also after a failure.
   * NULL: only as a whole. */
  coh_status (*supply)(const void *options, double discount, uint64_t seed,
                       coh_mdp_supply *supply);
} coh_mdp_model_kind;

extern const coh_kind_set coh_mdp_model_kinds;

coh_status coh_mdp_model_make(const coh_choice *choice, double discount, uint64_t seed,
                              coh_mdp **mdp);

/* The same as a supply of rows; made whole first where the kind knows no other way, or is told
 * to. Caller clears. Not collective. */
coh_status coh_mdp_model_supply(const coh_choice *choice, double discount, uint64_t seed,
                                bool as_whole, coh_mdp_supply *supply);

/* Let go of the rows, keep the picture. */
void coh_mdp_supply_shed(coh_mdp_supply *supply);
void coh_mdp_supply_clear(coh_mdp_supply *supply);

#endif
