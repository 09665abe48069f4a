/* A model in which end components have become single states, for undiscounted answers: what is
 * left cannot go round for ever for free, so bounds from both sides meet. */
#ifndef COHORT_MDP_MDP_QUOTIENT_H
#define COHORT_MDP_MDP_QUOTIENT_H

#include "cohort/mdp.h"

typedef struct coh_mdp_quotient {
  coh_mdp *mdp;    /* states of the question, then one worth 0 and one worth 1 */
  int64_t n;       /* states of the question */
  uint32_t *of;    /* n_states of the model: its state here */
  int64_t *row;    /* n_rows here: the row there */
  uint32_t *owner; /* n_rows here: the state there that has it */
} coh_mdp_quotient;

/* open: states that are asked for; of_end, rows: end components of them, as
 * coh_mdp_end_components leaves them; one: closed states worth 1 (others are worth 0), may be
 * NULL; lost: states that a row must not lead to, may be NULL. *quotient: out; caller clears.
 * Fails: COH_E_MEMORY. */
typedef struct coh_mdp_collapse {
  const uint8_t *open, *rows, *one, *lost;
  const uint32_t *of_end;
  int64_t n_ends;
} coh_mdp_collapse;
coh_status coh_mdp_quotient_make(const coh_mdp *mdp, const coh_mdp_collapse *how,
                                 coh_mdp_quotient *quotient);
void coh_mdp_quotient_clear(coh_mdp_quotient *quotient);

#endif
