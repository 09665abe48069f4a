/* Blocks: stretches of states fixed by the model alone, which OpenMP takes, and sums over them
 * in the order of the tree. */
#ifndef COHORT_MDP_MDP_BLOCKS_H
#define COHORT_MDP_MDP_BLOCKS_H

#include <stdint.h>

#include "la/krylov.h"

enum { COH_MDP_BLOCK = 2048 }; /* states a block */

static inline int64_t coh_mdp_n_blocks(int64_t n) {
  return (n + COH_MDP_BLOCK - 1) / COH_MDP_BLOCK;
}
static inline int64_t coh_mdp_block_end(int64_t block, int64_t n) {
  int64_t end = (block + 1) * COH_MDP_BLOCK;
  return end < n ? end : n;
}

/* Call work(job, first, end) for every block of [0, n). */
typedef void (*coh_mdp_block_work)(void *job, int64_t first, int64_t end);
void coh_mdp_blocks_run(int64_t n, int n_threads, coh_mdp_block_work work, void *job);

/* Passes over blocks of vectors of n components, and their sums, added by the tree of lane
 * sums: what coh_krylov_system asks for, in one process. */
typedef struct coh_mdp_sums coh_mdp_sums;
coh_status coh_mdp_sums_create(int64_t n, int n_threads, coh_mdp_sums **sums);
void coh_mdp_sums_destroy(coh_mdp_sums **sums);
void coh_mdp_sums_pass(coh_mdp_sums *sums, int n_sums, coh_krylov_work work, void *job,
                       double *out);

#endif
