/* Blocks of states for OpenMP, and sums over them. */
#include "mdp/mdp_blocks.h"

#include "base/alloc.h"
#include "comm/lane_tree.h"

void coh_mdp_blocks_run(int64_t n, int n_threads, coh_mdp_block_work work, void *job) {
  int64_t n_blocks = coh_mdp_n_blocks(n);
#pragma omp parallel for schedule(static) \
    num_threads(n_threads) if (n_blocks > 1) default(none) shared(n_blocks, n, work, job)
  for (int64_t block = 0; block < n_blocks; block++)
    work(job, block * COH_MDP_BLOCK, coh_mdp_block_end(block, n));
}

struct coh_mdp_sums {
  int64_t n, n_blocks;
  int n_threads;
  coh_lane_tree *tree;
  double *partial;     /* n_blocks x COH_KRYLOV_SUMS */
  const void **leaves; /* n_blocks pointers into partial */
  coh_krylov_work work;
  void *job;
};

static coh_status fill(coh_mdp_sums *sums) {
  int64_t n_blocks = sums->n_blocks;
  int64_t *bound;
  COH_NEW(sums->partial, n_blocks * COH_KRYLOV_SUMS);
  COH_NEW(sums->leaves, n_blocks);
  COH_NEW(bound, n_blocks + 1);
  for (int64_t k = 0; k < n_blocks; k++) {
    sums->leaves[k] = sums->partial + k * COH_KRYLOV_SUMS;
    bound[k + 1] = k + 1;
  }
  coh_status status = coh_lane_tree_create(bound, n_blocks, COH_SUM_F64, 1, &sums->tree);
  coh_free(bound);
  return status;
}

coh_status coh_mdp_sums_create(int64_t n, int n_threads, coh_mdp_sums **out) {
  coh_mdp_sums *sums;
  COH_NEW(sums, 1);
  sums->n = n;
  sums->n_blocks = coh_mdp_n_blocks(n);
  sums->n_threads = n_threads;
  coh_status status = fill(sums);
  if (status != COH_OK) {
    coh_mdp_sums_destroy(&sums);
    return status;
  }
  *out = sums;
  return COH_OK;
}

void coh_mdp_sums_destroy(coh_mdp_sums **sums) {
  if (!*sums) return;
  if ((*sums)->tree) coh_lane_tree_destroy(&(*sums)->tree);
  coh_free((*sums)->partial);
  coh_free((*sums)->leaves);
  COH_DELETE(*sums);
}

static void run_block(void *given, int64_t first, int64_t end) {
  const coh_mdp_sums *sums = given;
  sums->work(sums->job, first, end, sums->partial + first / COH_MDP_BLOCK * COH_KRYLOV_SUMS);
}

void coh_mdp_sums_pass(coh_mdp_sums *sums, int n_sums, coh_krylov_work work, void *job,
                       double *out) {
  sums->work = work;
  sums->job = job;
  coh_mdp_blocks_run(sums->n, sums->n_threads, run_block, sums);
  if (n_sums > 0) coh_lane_tree_run(sums->tree, sums->leaves, 0, n_sums, out);
}
