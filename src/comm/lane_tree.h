/* The binary tree over lanes, as a list of vector additions. Knows no MPI.
 *
 * Node (k, i) covers the lanes [i * 2^k, (i + 1) * 2^k) that exist; a range that starts at a
 * node's first lane is split at the largest power of two below its length. A tree's leaves are
 * nodes themselves (single lanes, or subtrees already summed), so the same code adds a rank's
 * lanes and the partial sums of ranks. */
#ifndef COHORT_COMM_LANE_TREE_H
#define COHORT_COMM_LANE_TREE_H

#include "cohort/comm.h"

typedef struct coh_lane_tree coh_lane_tree;

/* Bytes of one element. */
size_t coh_sum_type_bytes(coh_sum_type type);

/* Plan the sum over the node that consecutive leaves cover: leaf i covers the lanes
 * [bound[i], bound[i + 1]). bound: n_leaves + 1 entries, copied into the plan's steps.
 * Caller destroys *tree. Not collective. Fails: COH_E_MEMORY, COH_E_INTERNAL. */
coh_status coh_lane_tree_create(const int64_t bound[], int64_t n_leaves, coh_sum_type type,
                                int n_threads, coh_lane_tree **tree);
void coh_lane_tree_destroy(coh_lane_tree **tree);
int64_t coh_lane_tree_n_leaves(const coh_lane_tree *tree);

/* out[0 .. n) = tree sum of leaf[.][first .. first + n). out may be leaf[j] + first exactly.
 * Each leaf element is read once from memory. Allocates nothing. */
void coh_lane_tree_run(const coh_lane_tree *tree, const void *const leaf[], int64_t first,
                       int64_t n, void *out);

/* Cut lanes [first, end) of n_lanes into maximal nodes. bound: out, room for 130 entries.
 * Returns the number of nodes; node i covers [bound[i], bound[i + 1]). */
int coh_lane_tree_cut(int64_t first, int64_t end, int64_t n_lanes, int64_t bound[]);
enum { COH_LANE_TREE_MAX_CUT = 130 };

#endif
