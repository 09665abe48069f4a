/* The inside of growing: rows that move.
 *
 * A grower holds a copy of the sample in which the rows of a node lie side by side, a column
 * for each feature, one for the target in single precision and one for row numbers. Finding
 * ranges, weighing cuts and parting a node stream through columns. Leaves average the targets
 * in double precision. */
#ifndef COHORT_TASK_FQI_TREE_GROW_H
#define COHORT_TASK_FQI_TREE_GROW_H

#include <math.h>

#include "task/fqi/regression_tree.h"
#include "task/fqi/tree_columns.h"

typedef struct coh_tree_task {
  uint32_t node;
  int64_t begin, end; /* rows of the sample */
} coh_tree_task;

/* A cut and how much it explains. */
typedef struct coh_tree_cut {
  int64_t feature; /* -1: none */
  float threshold;
  double score; /* sum over sides of (sum of targets)^2 / rows */
} coh_tree_cut;

enum { COH_TREE_DRAWS = 256 };

struct coh_tree_grower {
  int64_t n_rows, n_features;
  int feature_bits;
  coh_tree_columns sample, spare; /* features, target, row number */
  float *low, *high;              /* n_features: of the node at hand */
  uint32_t *order;                /* n_features: candidates */
  uint64_t *key, *spare_key;      /* n_rows, for COH_SPLIT_BEST; made when first needed */
  coh_tree_task *stack, *leaf;    /* leaf: n_rows, those of the tree at hand */
  int64_t stack_capacity;
  uint32_t draw[COH_TREE_DRAWS]; /* of the tree's stream, drawn ahead */
  int n_drawn;                   /* of them used */
};

/* What is left to do while a tree grows. */
typedef struct coh_tree_growth {
  coh_tree_grower *g;
  const coh_tree_options *options;
  coh_tree *tree;
  coh_stream *stream;
  int64_t depth; /* of the stack */
} coh_tree_growth;

static inline coh_tree_node coh_tree_cut_node(const coh_tree *tree, float threshold,
                                              int64_t feature, uint32_t left) {
  return (coh_tree_node){threshold, left << tree->feature_bits | (uint32_t)feature};
}

static inline void coh_tree_make_leaf(coh_tree_growth *w, const coh_tree_task *task) {
  w->tree->node[task->node] = coh_tree_cut_node(w->tree, INFINITY, 0, task->node);
  w->g->leaf[w->tree->n_leaves++] = *task;
}

COH_TREE_INLINE uint32_t coh_tree_draw(coh_tree_grower *g, coh_stream *stream) {
  if (g->n_drawn == COH_TREE_DRAWS) {
    coh_stream_fill(stream, COH_TREE_DRAWS, g->draw);
    g->n_drawn = 0;
  }
  return g->draw[g->n_drawn++];
}

/* The first `most` of a random order of the n features in `order`, or all where there are no
 * more. Returns how many. */
COH_TREE_INLINE int64_t coh_tree_choose(coh_tree_grower *g, int64_t n, int64_t most,
                                        coh_stream *stream) {
  if (n <= most) return n;
  for (int64_t k = 0; k < most; k++) {
    int64_t other = k + (int64_t)((uint64_t)coh_tree_draw(g, stream) * (uint64_t)(n - k) >> 32);
    uint32_t chosen = g->order[other];
    g->order[other] = g->order[k];
    g->order[k] = chosen;
  }
  return most;
}

/* Uniform in (low, high], so that both sides get rows. */
COH_TREE_INLINE float coh_tree_threshold(coh_tree_grower *g, float low, float high,
                                         coh_stream *stream) {
  float share = (float)(int32_t)(coh_tree_draw(g, stream) >> 8) * 0x1p-24f;
  float threshold = high - share * (high - low);
  return threshold > low ? threshold : high;
}

/* Whether a cut is taken over the best so far; n_tied: in/out, cuts of the best score. Cuts
 * that part a node alike score alike, which is common in small nodes: each is taken as often as
 * the others, as if they had come in random order. Else the first feature would be preferred.
 */
COH_TREE_INLINE int coh_tree_is_taken(coh_tree_grower *g, double score, double best,
                                      uint32_t *n_tied, coh_stream *stream) {
  if (score != best) {
    if (score > best) *n_tied = 1;
    return score > best;
  }
  ++*n_tied;
  return (uint64_t)coh_tree_draw(g, stream) * *n_tied >> 32 == 0;
}

/* The subtree of a node of 2 to COH_TREE_FEW rows, in registers: tree_few.c. The tree has room
 * for it. Not for COH_SPLIT_BEST, nor for more than COH_TREE_FEW_FEATURES features. */
enum { COH_TREE_FEW_FEATURES = 31 };
#ifdef __AVX2__
void coh_tree_grow_few(coh_tree_growth *w, const coh_tree_task *task);
#endif

/* Sort keys by their upper 32 bits, equal ones in their order: tree_best.c. spare: as many. The
 * result is in `spare`. */
void coh_tree_sort(uint64_t *key, uint64_t *spare, int64_t n);

/* The best cut of all: tree_best.c. n rows from `begin`. Fails: COH_E_MEMORY. */
coh_status coh_tree_best_cut(coh_tree_grower *g, int64_t begin, int64_t n, coh_tree_cut *best);

#endif
