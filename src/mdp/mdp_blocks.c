/* Blocks of states for OpenMP, and dots over them. */
#include "mdp/mdp_blocks.h"

#include "base/alloc.h"
#include "comm/lane_tree.h"

enum { MAX_PAIRS = 64 };

void coh_mdp_blocks_run(int64_t n, int n_threads, coh_mdp_block_work work, void *job) {
  int64_t n_blocks = coh_mdp_n_blocks(n);
#pragma omp parallel for schedule(static) \
    num_threads(n_threads) if (n_blocks > 1) default(none) shared(n_blocks, n, work, job)
  for (int64_t block = 0; block < n_blocks; block++)
    work(job, block * COH_MDP_BLOCK, coh_mdp_block_end(block, n));
}

struct coh_mdp_dots {
  int64_t n, n_blocks;
  int n_threads;
  coh_lane_tree *tree;
  double *partial;     /* n_blocks x MAX_PAIRS */
  const void **leaves; /* n_blocks pointers into partial */
  int n_pairs;
  const double *const *x, *const *y;
};

static coh_status fill(coh_mdp_dots *dots) {
  int64_t n_blocks = dots->n_blocks;
  int64_t *bound;
  COH_NEW(dots->partial, n_blocks * MAX_PAIRS);
  COH_NEW(dots->leaves, n_blocks);
  COH_NEW(bound, n_blocks + 1);
  for (int64_t k = 0; k < n_blocks; k++) {
    dots->leaves[k] = dots->partial + k * MAX_PAIRS;
    bound[k + 1] = k + 1;
  }
  coh_status status = coh_lane_tree_create(bound, n_blocks, COH_SUM_F64, 1, &dots->tree);
  coh_free(bound);
  return status;
}

coh_status coh_mdp_dots_create(int64_t n, int n_threads, coh_mdp_dots **out) {
  coh_mdp_dots *dots;
  COH_NEW(dots, 1);
  dots->n = n;
  dots->n_blocks = coh_mdp_n_blocks(n);
  dots->n_threads = n_threads;
  coh_status status = fill(dots);
  if (status != COH_OK) {
    coh_mdp_dots_destroy(&dots);
    return status;
  }
  *out = dots;
  return COH_OK;
}

void coh_mdp_dots_destroy(coh_mdp_dots **dots) {
  if (!*dots) return;
  if ((*dots)->tree) coh_lane_tree_destroy(&(*dots)->tree);
  coh_free((*dots)->partial);
  coh_free((*dots)->leaves);
  COH_DELETE(*dots);
}

void coh_mdp_dots_put(coh_mdp_dots *dots, int64_t first, int k, double partial) {
  dots->partial[first / COH_MDP_BLOCK * MAX_PAIRS + k] = partial;
}

void coh_mdp_dots_total(coh_mdp_dots *dots, int n, double *out) {
  coh_lane_tree_run(dots->tree, dots->leaves, 0, n, out);
}

double coh_mdp_dot_stretch(const double *x, const double *y, int64_t first, int64_t end) {
  double sum[8] = {0};
  int64_t i = first;
  for (; i + 8 <= end; i += 8)
    for (int k = 0; k < 8; k++)
      sum[k] += x[i + k] * y[i + k];
  for (int k = 0; i < end; i++, k++)
    sum[k] += x[i] * y[i];
  return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

static void sum_block(void *job, int64_t first, int64_t end) {
  coh_mdp_dots *dots = job;
  double *partial = dots->partial + first / COH_MDP_BLOCK * MAX_PAIRS;
  for (int k = 0; k < dots->n_pairs; k++)
    partial[k] = coh_mdp_dot_stretch(dots->x[k], dots->y[k], first, end);
}

void coh_mdp_dots_run(coh_mdp_dots *dots, int n_pairs, const double *const x[],
                      const double *const y[], double *out) {
  dots->n_pairs = n_pairs;
  dots->x = x;
  dots->y = y;
  coh_mdp_blocks_run(dots->n, dots->n_threads, sum_block, dots);
  coh_lane_tree_run(dots->tree, dots->leaves, 0, n_pairs, out);
}
