/* Regression trees: grown on rows of features, walked in batches.
 *
 * A tree is an array of nodes, root first. Children lie side by side: right = left + 1. A leaf
 * is its own left child behind a threshold of infinity, so a walk of any length past the end
 * stays there and many rows walk without branches.
 *
 * Sources: Geurts, Ernst, Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006;
 * Breiman et al., "Classification and Regression Trees", 1984. */
#ifndef COHORT_TASK_FQI_REGRESSION_TREE_H
#define COHORT_TASK_FQI_REGRESSION_TREE_H

#include <stdint.h>

#include "cohort/random.h"
#include "cohort/status.h"

typedef struct coh_tree_node {
  float threshold; /* x < threshold goes left */
  uint32_t feature;
  uint32_t left;
} coh_tree_node;

typedef struct coh_tree {
  coh_tree_node *node;
  double *value; /* of leaves: the mean of their rows' targets */
  int64_t n_nodes, capacity, n_leaves;
} coh_tree;

typedef enum coh_tree_split {
  COH_SPLIT_EXTRA,  /* the best of K random cuts (Extra-Trees) */
  COH_SPLIT_RANDOM, /* one random cut; targets are not looked at (totally randomised) */
  COH_SPLIT_BEST,   /* the best of all cuts (CART) */
} coh_tree_split;

typedef struct coh_tree_options {
  coh_tree_split split;
  int64_t n_candidates; /* K; 0: all features */
  int64_t n_min;        /* a node of fewer rows is a leaf */
} coh_tree_options;

/* What trees are grown on. Row i of the tree is row `rows[i]` of features and targets. Features
 * lie in columns: feature k of row i is features[k * n_stride + i]. */
typedef struct coh_tree_sample {
  int64_t n_rows, n_features, n_stride; /* n_stride: rows that there are */
  const float *features;                /* (n_features, n_stride) */
  const double *targets;                /* (n_stride) */
  const uint32_t *rows;                 /* (n_rows), or NULL: 0, 1, ... */
} coh_tree_sample;

/* Rows whose values are wanted while the tree grows: they move down with the sample, which
 * takes a fraction of the time of walking the finished tree. */
typedef struct coh_tree_queries {
  int64_t n_rows;
  const float *features; /* (n_features, n_rows) */
  double *sums;          /* in/out (n_rows): the value of each row is added */
  double *sample_sums;   /* in/out (as targets): the same for the rows of the sample, or NULL */
} coh_tree_queries;

/* Memory to grow trees in, one a thread. */
typedef struct coh_tree_grower coh_tree_grower;

/* Memory for samples of up to n_rows rows and n_queries queries. Caller destroys.
 * Fails: COH_E_MEMORY. */
coh_status coh_tree_grower_create(int64_t n_rows, int64_t n_queries, int64_t n_features,
                                  coh_tree_grower **out);
void coh_tree_grower_destroy(coh_tree_grower **grower);

/* Grow a tree. queries: or NULL. stream: its randomness. tree: in/out, memory is used again.
 * Fails: COH_E_MEMORY (allocates only while the tree has never been so large). */
coh_status coh_tree_grow(coh_tree_grower *grower, const coh_tree_options *options,
                         const coh_tree_sample *sample, const coh_tree_queries *queries,
                         coh_stream *stream, coh_tree *tree);

/* Add the tree's values at n rows of features, n_features apart, to sums. */
void coh_tree_add(const coh_tree *tree, int64_t n, int64_t n_features, const float *features,
                  double *sums);

/* The same for many rows at once, faster from about as many as the tree has nodes: they move
 * down together, as in growing. queries: sample_sums is ignored. Fails: COH_E_MEMORY. */
coh_status coh_tree_add_many(coh_tree_grower *grower, const coh_tree *tree,
                             const coh_tree_queries *queries);

void coh_tree_clear(coh_tree *tree);

#endif
