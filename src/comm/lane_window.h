/* Lane sums inside a node, through memory that its ranks share: for comm/ only.
 *
 *   every rank's segment:  line | whole, 2 slots | put, 2 slots | out, 2 slots
 *
 * whole: small vectors; all ranks put theirs and each adds all. put and out: large ones, walked
 * in steps. In step t a rank puts, for each rank of the node, the t-th stretch of the slice
 * that rank owns; the owner adds the tree and copies the sum back into the slots it read, or,
 * where the nodes' sums are added in between, leaves it in `out` later for the others to copy.
 * Slots are small enough to stay in caches, so a vector is read and written in memory once.
 * Ranks follow each other through counters in their lines: no messages, no barriers. */
#ifndef COHORT_COMM_LANE_WINDOW_H
#define COHORT_COMM_LANE_WINDOW_H

#include "comm/window.h"

struct coh_lane_sum;

typedef struct lane_window lane_window;

/* Whether this layout of ranks may add inside nodes first: one node, or nodes of equally many
 * ranks that are nodes of the lane tree. The same on all ranks. */
bool lane_window_fits(const struct coh_lane_sum *sum);

/* Make the window of a plan. Collective. whole_limit: elements of the longest vector for
 * lane_window_whole. *window: NULL where memory cannot be shared.
 * Fails (agreed on): COH_E_MEMORY, COH_E_COMM. */
coh_status lane_window_create(const struct coh_lane_sum *sum, int64_t whole_limit,
                              lane_window **window);
void lane_window_destroy(lane_window **window);

/* What is done with a vector. */
typedef enum lane_window_way {
  LANE_WINDOW_ADD_WHOLE,  /* add all of it on every rank */
  LANE_WINDOW_ADD_SLICES, /* each rank's slice of the node's sum goes to its place in result */
  LANE_WINDOW_ADD_ALL,    /* the same, and all slices to all ranks */
  LANE_WINDOW_GATHER,     /* all ranks' slices, lying in result, to all ranks */
} lane_window_way;

/* Begin. lane: this rank's lanes, to stay until the end (with ADD_WHOLE only if lanes_stay);
 * NULL: its nodes' sums lie in sum->result (one node) or sum->out_box (several, each count
 * elements). Nothing waits. */
void lane_window_begin(struct coh_lane_sum *sum, lane_window_way way, const void *const lane[],
                       bool lanes_stay);

/* Do what can be done now; true when nothing is left. */
bool lane_window_advance(struct coh_lane_sum *sum);

/* Advance until nothing is left, politely. Fails: COH_E_COMM. */
coh_status lane_window_finish(struct coh_lane_sum *sum);

#endif
