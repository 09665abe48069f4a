/* How lane sums cross ranks: schedules of rounds of messages, for comm/ only. */
#ifndef COHORT_COMM_LANE_ROUNDS_H
#define COHORT_COMM_LANE_ROUNDS_H

#include "comm/lane_model.h"
#include "comm/lane_tree.h"
#include "comm/lane_window.h"
#include "comm/world.h"

/* What the sum under way does now. */
typedef enum lane_phase {
  LANE_IDLE,
  LANE_IN_DOUBLING,
  LANE_IN_HALVING,
  LANE_IN_WHOLE,
  LANE_IN_SLICES,
  LANE_IN_GATHER,        /* allgather of the shards */
  LANE_IN_WINDOW,        /* within nodes, before the rounds among nodes */
  LANE_IN_WINDOW_GATHER, /* after them */
} lane_phase;

struct coh_lane_sum {
  coh_world *world; /* borrowed */
  coh_lanes lanes;
  coh_sum_type type;
  size_t bytes; /* of an element */
  int64_t max_count;
  bool aligned;
  lane_method method; /* LANE_AUTO but in tests and benchmarks */

  /* this rank's lanes, cut into nodes; all nodes of all ranks */
  int n_nodes;
  int64_t *node_lane;    /* n_nodes: the first lane of each, local */
  coh_lane_tree **local; /* n_nodes */
  int64_t *leaf_of; /* size + 1: rank r's nodes are the leaves [leaf_of[r], leaf_of[r+1]) */
  coh_lane_tree *across; /* adds the nodes of all ranks */
  coh_lane_tree *pair;   /* adds two siblings */
  int64_t whole_limit;   /* elements up to which the whole vector may travel */
  lane_window *window;   /* NULL: messages inside nodes too */

  /* memory of the messages */
  char *out_box, *in_box;
  const void **leaf; /* one pointer a leaf */
  coh_transfer transfer;
  int tag;

  /* the sum under way */
  lane_phase phase;
  bool is_whole; /* the window adds whole vectors */
  bool gathers;  /* shards are to be gathered after the scatter */
  int64_t count;
  char *result;
  int bit;       /* of the rank that the round's partner differs in */
  int low, high; /* slices in hand, while halving or gathering by doubling */
  int round;     /* how many are done */
};

/* Slice j of n covers [bound(j), bound(j + 1)) of a vector; bounds are multiples of 16. */
int64_t lane_slice_bound(const coh_lane_sum *sum, int64_t count, int slice);

/* The slice that a rank owns: its own number, or with aligned ranks the number whose bits are
 * reversed, which is where halving ends. */
int lane_slice_of(const coh_lane_sum *sum, int rank);

/* The elements of a vector of sum->count that a rank holds when the ranks of its node have
 * shared theirs out. */
void lane_slices_of_node(const coh_lane_sum *sum, int rank, int64_t *first, int64_t *end);

/* Sum node k of this rank over [first, first + n) into out. */
void lane_sum_node(const coh_lane_sum *sum, const void *const lane[], int k, int64_t first,
                   int64_t n, void *out);

/* Choose for `count` elements; scattered: the result stays in shards. */
lane_method lane_rounds_choose(const coh_lane_sum *sum, int64_t count, bool scattered);

/* Begin a method: post its first round, or put the vector into the window. lanes_stay: they may
 * be read until the sum ends, not only now. */
coh_status lane_rounds_begin(coh_lane_sum *sum, lane_method method, const void *const lane[],
                             bool lanes_stay);

/* Post the first round of the allgather of shards. */
coh_status lane_rounds_gather(coh_lane_sum *sum);

/* The round's messages (or the walk through the window) are done: add what came, post the next
 * round or become idle. */
coh_status lane_rounds_advance(coh_lane_sum *sum);

/* The longest vector, in elements, that may be added whole through the window. */
int64_t lane_rounds_window_limit(const coh_lane_sum *sum);

/* Set whole_limit, and tell the elements that out_box and in_box need for it and max_count. */
void lane_rounds_memory(coh_lane_sum *sum, int64_t *n_out, int64_t *n_in);

/* coh_lane_sum_create with a method; aligned ones only for aligned ranks. */
coh_status lane_sum_create_by(coh_world *world, const coh_lanes *lanes, coh_sum_type type,
                              int64_t max_count, int n_threads, lane_method method,
                              coh_lane_sum **sum);

#endif
