/* Blocks: stretches of states fixed by the model alone, which OpenMP takes, and sums over them
 * in the order of the tree. */
#ifndef COHORT_MDP_MDP_BLOCKS_H
#define COHORT_MDP_MDP_BLOCKS_H

#include "cohort/status.h"

#include <stdint.h>

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

/* Dots of vectors over blocks: partial sums of each, added by the tree of lane sums. */
typedef struct coh_mdp_dots coh_mdp_dots;
coh_status coh_mdp_dots_create(int64_t n, int n_threads, coh_mdp_dots **dots);
void coh_mdp_dots_destroy(coh_mdp_dots **dots);
void coh_mdp_dots_run(coh_mdp_dots *dots, int n_pairs, const double *const x[],
                      const double *const y[], double *out);

/* The same in two steps, for passes that sum on their way: each block puts partial sum k, then
 * the first n totals are taken. first: the block's first index. */
void coh_mdp_dots_put(coh_mdp_dots *dots, int64_t first, int k, double partial);
void coh_mdp_dots_total(coh_mdp_dots *dots, int n, double *out);

/* The sum of x[i] y[i] over [first, end), in an order fixed by the length. */
double coh_mdp_dot_stretch(const double *x, const double *y, int64_t first, int64_t end);

#endif
