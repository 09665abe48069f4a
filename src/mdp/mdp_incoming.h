/* What leads to each state: the one list of predecessors, 4 bytes an entry. */
#ifndef COHORT_MDP_MDP_INCOMING_H
#define COHORT_MDP_MDP_INCOMING_H

#include "cohort/mdp.h"

struct coh_mdp_incoming {
  const coh_mdp *mdp;
  int64_t *first;  /* n_states + 1, with room for one more */
  uint32_t *row;   /* n_entries: rows that lead there, rising */
  uint32_t *state; /* n_rows: whose they are */
};

/* The probability that a row leads to a state, 0 where it does not. */
static inline double coh_mdp_chance(const coh_mdp *mdp, int64_t row, int64_t state) {
  int64_t low = mdp->first_entry[row], end = mdp->first_entry[row + 1], high = end;
  while (high - low > 8) { // columns rise
    int64_t middle = low + (high - low) / 2;
    if (mdp->next[middle] <= (uint64_t)state)
      low = middle;
    else
      high = middle;
  }
  while (low < end && mdp->next[low] < (uint64_t)state)
    low++;
  return low < end && mdp->next[low] == (uint64_t)state ? mdp->probability[low] : 0.0;
}

#endif
