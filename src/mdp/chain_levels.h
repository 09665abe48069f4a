/* The levels of a policy chain: level 0 is the policy's, dealt out as its share is; the others
 * are over groups of the level before and the same on all ranks. The pattern of every level
 * covers all actions of the model, so that another policy only fills in numbers.
 *
 * Groups keep to lanes, and are chosen by counts over all ranks: levels depend on the model and
 * its lanes alone. */
#ifndef COHORT_MDP_CHAIN_LEVELS_H
#define COHORT_MDP_CHAIN_LEVELS_H

#include "mdp/mdp_blocks.h"
#include "mdp/mdp_shard.h"

enum { COH_CHAIN_LEVELS = 8 };

typedef struct coh_chain_level {
  int64_t n;      /* states; level 0: own ones */
  int64_t *at;    /* n + 1: where a state's entries begin */
  uint32_t *next; /* entries */
  double *probability;

  /* of the coarser level, where there is one (group above 0) */
  int group;                     /* states that one of it stands for, at most */
  uint32_t *group_of;            /* n, level 0: and ghosts */
  int64_t *first;                /* own groups + 1: their states */
  int64_t first_group, n_groups; /* own ones */

  double *rhs, *x;    /* of solves on this level */
  double *factors;    /* the last level, where it is small: L and U of I - discount P, n x n */
  int32_t *pivot;     /* of these */
  coh_mdp_sums *sums; /* levels above 0 */
  coh_krylov *krylov; /* NULL: solved directly */
} coh_chain_level;

typedef struct coh_chain_levels {
  coh_mdp_shard *shard; /* borrowed */
  double discount;
  int n_levels;
  coh_chain_level level[COH_CHAIN_LEVELS];

  /* level 1 is put together from all ranks' pieces */
  double *piece;                     /* this rank's, of groups or of entries */
  size_t *group_bytes, *entry_bytes; /* by rank */
  double *scratch;                   /* n_threads x states of level 1 */
} coh_chain_levels;

/* Shape all levels, without solvers. levels: zeroed but for shard and discount. Collective,
 * where the share is. Clear also after a failure. Fails (agreed on): COH_E_MEMORY. */
coh_status coh_chain_levels_shape(coh_chain_levels *levels);
void coh_chain_levels_clear(coh_chain_levels *levels);

/* The numbers of a policy (own states, counted from each state's first row). Collective. */
coh_status coh_chain_levels_set(coh_chain_levels *levels, const int32_t *choice);

/* The groups' means of x, to the coarser level's right side. Collective on level 0. */
coh_status coh_chain_restrict(coh_chain_levels *levels, int of, const double *x);

/* x of the last level from its right side, by its factors. */
void coh_chain_solve_directly(coh_chain_level *at);

#endif
