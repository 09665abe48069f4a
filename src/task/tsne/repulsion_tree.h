/* Repulsion by a tree of cells (Barnes, Hut, Nature 324, 1986; van der Maaten, JMLR 15, 2014).
 *
 * Points are sorted along a Z-curve; a cell is a run of them with their mean. Eight
 * neighbouring points walk the tree together, and a cell counts as one point only if it is far
 * enough from all eight: more cells are read than by each alone, but as vectors, and the error
 * is smaller. Results do not depend on threads. Not collective. */
#ifndef COHORT_TASK_TSNE_REPULSION_TREE_H
#define COHORT_TASK_TSNE_REPULSION_TREE_H

#include <stdint.h>

#include "cohort/status.h"

enum { COH_TREE_GROUP = 8 };

typedef struct coh_tsne_tree coh_tsne_tree;

/* n points of 1 to 3 dims. Caller destroys. Fails: COH_E_MEMORY. */
coh_status coh_tsne_tree_create(int64_t n, int64_t dims, double theta, double freedom,
                                int n_threads, coh_tsne_tree **tree);
void coh_tsne_tree_destroy(coh_tsne_tree **tree);

/* Sort and build. y: (n, stride), finite. Points are then in groups of COH_TREE_GROUP. */
void coh_tsne_tree_build(coh_tsne_tree *tree, const float *y, int64_t stride);
int64_t coh_tsne_tree_groups(const coh_tsne_tree *tree);

/* Walk for groups [first, end). out: (groups, dims + 1, COH_TREE_GROUP): forces, and sums of
 * similarities to others, of the points in the tree's order. */
void coh_tsne_tree_walk(const coh_tsne_tree *tree, int64_t first, int64_t end, float *out);

/* The same for COH_TREE_GROUP places that are no points of the tree, best near each other. at:
 * (dims, COH_TREE_GROUP); out: (dims + 1, COH_TREE_GROUP). */
void coh_tsne_tree_outside(const coh_tsne_tree *tree, const float *at, float *out);

/* The point at place i of the tree's order. */
int64_t coh_tsne_tree_point(const coh_tsne_tree *tree, int64_t i);

#endif
