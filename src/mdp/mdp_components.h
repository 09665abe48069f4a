/* Strongly connected components of a model's graph, in the order in which they can be solved:
 * every component comes after all that it leads to. */
#ifndef COHORT_MDP_MDP_COMPONENTS_H
#define COHORT_MDP_MDP_COMPONENTS_H

#include "cohort/mdp.h"

typedef struct coh_mdp_components {
  int64_t n;
  int64_t *first;  /* n + 1, into state */
  uint32_t *state; /* the states that take part, component by component */
  uint32_t *of;    /* n_states: a state's component; UINT32_MAX: it takes no part */
} coh_mdp_components;

/* within: n_states, states that take part, NULL: all. rows: n_rows, rows that count, NULL: all.
 * Edges that leave `within` do not count. Linear time, no recursion. *components: out; caller
 * clears. Fails: COH_E_MEMORY. Source: Tarjan 1972. */
coh_status coh_mdp_components_find(const coh_mdp *mdp, const uint8_t *within,
                                   const uint8_t *rows, coh_mdp_components *components);
void coh_mdp_components_clear(coh_mdp_components *components);

#endif
