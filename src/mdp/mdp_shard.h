/* Inside of a share of rows. */
#ifndef COHORT_MDP_MDP_SHARD_H
#define COHORT_MDP_MDP_SHARD_H

#include "cohort/mdp_rows.h"
#include "comm/halo.h"
#include "mdp/mdp_bound.h"

struct coh_mdp_shard {
  coh_world *world;
  int n_threads;
  double discount;
  int64_t n_states, first, n_own, n_ghost;
  int64_t *bound;       /* size + 1: who owns what */
  int64_t *first_row;   /* n_own + 1 */
  int64_t *first_entry; /* n_rows + 1 */
  uint32_t *next;       /* local columns */
  double *probability, *reward;
  uint32_t *order; /* own states: those that lead to no ghost, then the others */
  int64_t n_interior;
  int64_t *ghost; /* n_ghost: which states they are, rising */
  coh_halo *halo;
  coh_mdp_rows rows; /* of all ranks */
};

/* y (n_own) = reward_pi * with_reward + scale P_pi x; x: own + ghost, ghosts are fetched.
 * Collective. */
coh_status coh_mdp_shard_product(coh_mdp_shard *shard, const int32_t *choice, bool with_reward,
                                 double scale, double *x, double *y);

#endif
