/* The entries of a model by where they lead. */
#ifndef COHORT_MDP_MDP_INCOMING_H
#define COHORT_MDP_MDP_INCOMING_H

#include "cohort/mdp.h"

struct coh_mdp_incoming {
  const coh_mdp *mdp;
  int64_t *first;      /* n_states + 1 */
  uint32_t *from;      /* n_entries: state */
  int64_t *row;        /* n_entries: row */
  double *probability; /* n_entries */
};

#endif
