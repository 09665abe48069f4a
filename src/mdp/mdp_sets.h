/* Sets of states that the graph alone decides, by predecessor lists in linear time. */
#ifndef COHORT_MDP_MDP_SETS_H
#define COHORT_MDP_MDP_SETS_H

#include "mdp/mdp_incoming.h"

/* How a set grows. Arrays may be NULL: no condition. */
typedef struct coh_mdp_growth {
  const uint8_t *rows;   /* n_rows: rows that count */
  const uint8_t *barred; /* n_states: states that do not join */
  bool every;            /* all rows of a state must lead to the set, not just one */
} coh_mdp_growth;

/* Grow a set (n_states, in/out) to the least one closed under `how`: a state joins when a row
 * (or every row) may lead into it. choice: the row by which a state joined, counted from its
 * first, so that following it comes nearer; NULL: not wanted. Fails: COH_E_MEMORY. */
coh_status coh_mdp_grow(const coh_mdp_incoming *incoming, const coh_mdp_growth *how,
                        uint8_t *set, int32_t *choice);

/* Where the target is reached with probability 0 under every policy (some_policy: under some
 * one). never: out. */
coh_status coh_mdp_find_never(const coh_mdp_incoming *incoming, const uint8_t *target,
                              bool some_policy, uint8_t *never);

/* Where it is reached with probability 1 under every policy. */
coh_status coh_mdp_find_surely_all(const coh_mdp_incoming *incoming, const uint8_t *target,
                                   uint8_t *sure);

/* Where it is 1 under some policy; choice: that policy there, else untouched. */
coh_status coh_mdp_find_surely_some(const coh_mdp_incoming *incoming, const uint8_t *target,
                                    uint8_t *sure, int32_t *choice);

/* Maximal end components among states of `within` by rows of `rows` (in: those that may be
 * used; out: those inside a component). of: n_states, out: a component's number, UINT32_MAX
 * where there is none. n: out. Source: de Alfaro 1997. */
coh_status coh_mdp_end_components(const coh_mdp *mdp, const uint8_t *within, uint8_t *rows,
                                  uint32_t *of, int64_t *n);

#endif
