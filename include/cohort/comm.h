/* Ranks, lanes and everything that crosses them. The layer comm/ makes the only MPI calls.
 *
 * A run is divided into lanes, a number in its config that never changes. Ranks own contiguous
 * blocks of lanes; who computes a lane never changes a result. Floating-point sums across lanes
 * go through coh_lane_sum, a binary tree over lanes that is the same for every layout.
 *
 * All calls are made by one thread of each rank (MPI_THREAD_FUNNELED). "Collective" functions
 * are called by every rank of the world in the same order. Sizes are 64-bit throughout. */
#ifndef COHORT_COMM_H
#define COHORT_COMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ world: ranks and nodes */

typedef struct coh_world coh_world;

/* Open the world: all ranks that mpirun or srun started, or one rank without them.
 * Collective. Starts MPI unless the program already did; *world: caller closes.
 * Owns a communicator of its own, so it does not meet the program's messages.
 * Fails: COH_E_COMM. */
coh_status coh_world_open(coh_world **world);

/* Close the world and, if coh_world_open started it, MPI. Collective. Accepts NULL, sets NULL.
 * Without it a rank's exit code is not the one that mpirun reports. */
void coh_world_close(coh_world **world);

/* Divide the ranks into groups, contiguous blocks whose sizes differ by one at most, each a
 * world of its own that knows nothing of the others. Collective. *group: out, this rank's, 0 <=
 * group < n_groups; *split: caller closes, before `world`. The ranks of a node share its cores
 * as before. Fails: COH_E_CONFIG for fewer than one group or more than ranks; COH_E_COMM,
 * COH_E_MEMORY. */
coh_status coh_world_split(coh_world *world, int n_groups, int *group, coh_world **split);

/* The same with groups of the caller's choice: those ranks become a world that pass the same
 * number, in the order of their ranks. Collective. group: not negative. */
coh_status coh_world_part(coh_world *world, int group, coh_world **part);

/* This rank, 0 <= rank < size. Not collective, as all of the following. */
int coh_world_rank(const coh_world *world);
int coh_world_size(const coh_world *world);

/* Nodes are machines that share memory, numbered in order of their lowest rank. */
int coh_world_node(const coh_world *world);
int coh_world_n_nodes(const coh_world *world);
int coh_world_node_of(const coh_world *world, int rank);

/* This rank among the ranks of its node. */
int coh_world_local_rank(const coh_world *world);
int coh_world_local_size(const coh_world *world);

/* This node's host name. Borrowed. */
const char *coh_world_host(const coh_world *world);

/* -------------------------------------------------------------- agreement on what went wrong
 */

/* Agree on a status: the lowest failing rank's status and message win, COH_OK if none failed.
 * Collective. status: this rank's; its words are in coh_error_message(). On return every rank
 * has the same status and message, which is prefixed "rank 2 of 4: " when size > 1.
 * Fails: as the winner, or COH_E_COMM. */
coh_status coh_comm_agree(const coh_world *world, coh_status status);

/* End the job where peers cannot agree: one line "cohort: error: rank 2 of 4: message" on
 * stderr, then MPI_Abort with the status's exit code, which mpirun passes on.
 * Not collective. Does not return. */
__attribute__((noreturn)) void coh_comm_abort(const coh_world *world, coh_status status);

/* ------------------------------------------------------------------ lanes: who computes what
 */

/* A rank's block of lanes. Plain data. */
typedef struct coh_lanes {
  int64_t n_lanes; /* in the run, all ranks */
  int64_t first;   /* this rank's lanes are [first, first + n_local) */
  int64_t n_local; /* at least 1 */
} coh_lanes;

/* Give each rank its lanes: rank r of n owns [r * L / n, (r + 1) * L / n).
 * Not collective (every rank computes the same split).
 * Fails: COH_E_CONFIG with fewer lanes than ranks, or fewer than one. */
coh_status coh_lanes_split(const coh_world *world, int64_t n_lanes, coh_lanes *lanes);

/* The first lane of a rank, n_lanes for rank == size; the same where n_ranks share the lanes;
 * and the rank that owns a lane. */
int64_t coh_lanes_first_among(int n_ranks, int64_t n_lanes, int rank);
int64_t coh_lanes_first_of(const coh_world *world, int64_t n_lanes, int rank);
int coh_lanes_owner(const coh_world *world, int64_t n_lanes, int64_t lane);

/* Bring every lane's piece to all ranks, in lane order. Collective. local: n_local pieces of
 * n_bytes each; all: out, n_lanes pieces. Fails: COH_E_COMM, COH_E_MEMORY. */
coh_status coh_lanes_gather(coh_world *world, const coh_lanes *lanes, const void *local,
                            size_t n_bytes, void *all);

/* ------------------------------------------------------------- lane sums: the one reduction */

/* What is summed. Integers wrap modulo 2^64. */
typedef enum coh_sum_type {
  COH_SUM_F32, /* float */
  COH_SUM_F64, /* double */
  COH_SUM_I64, /* int64_t */
  COH_SUM_U64, /* uint64_t */
} coh_sum_type;

/* A plan for sums of vectors, one vector a lane, over all lanes of the run.
 *
 * The tree: node (k, i) covers the lanes [i * 2^k, (i + 1) * 2^k) that exist; its value is
 * left + right, or left alone where no lane is on the right. Additions happen in this order on
 * any number of ranks and threads, so all get the same bits (of a NaN only that it is one).
 *
 * One sum is under way in a plan at a time; plans are independent, but ranks must begin them in
 * the same order. All memory is allocated at creation. */
typedef struct coh_lane_sum coh_lane_sum;

/* Make a plan. Collective. lanes: copied. max_count: most elements of a vector to come.
 * n_threads: OpenMP threads to add with (>= 1; does not change bits). *sum: caller destroys.
 * Fails (agreed on by all ranks): COH_E_MEMORY, COH_E_COMM. */
coh_status coh_lane_sum_create(coh_world *world, const coh_lanes *lanes, coh_sum_type type,
                               int64_t max_count, int n_threads, coh_lane_sum **sum);

/* Destroy a plan with no sum under way. Accepts NULL, sets NULL. Not collective. */
void coh_lane_sum_destroy(coh_lane_sum **sum);

/* Sum one vector a lane over all lanes of the run: result = tree sum of lane[0 .. n_lanes).
 * Collective. lane: in, this rank's n_local vectors of count elements, borrowed, not written
 * (unless result is one of them); result: out, count elements, may be lane[0], must not
 * otherwise overlap the lanes. count: same on all ranks, 0 <= count <= max_count.
 * Bitwise equal on every rank and for every layout of ranks and threads.
 * Fails: COH_E_COMM. */
coh_status coh_lane_sum_run(coh_lane_sum *sum, const void *const lane[], int64_t count,
                            void *result);

/* The same, split, to compute while messages travel: begin sums this rank's lanes and posts the
 * first messages (lane may be reused when it returns, result not before the end); progress
 * moves what has arrived on (call it about every 50 us, from the thread that owns the world;
 * *done may be NULL); end waits for the rest. Begin and end are collective, progress is not. */
coh_status coh_lane_sum_begin(coh_lane_sum *sum, const void *const lane[], int64_t count,
                              void *result);
coh_status coh_lane_sum_progress(coh_lane_sum *sum, bool *done);
coh_status coh_lane_sum_end(coh_lane_sum *sum);

/* Bring n sums to their end that have begun in this order on all ranks: while the messages of
 * one travel, what came for another is added. Sums that are not under way are passed over.
 * Collective. */
coh_status coh_lane_sums_end(coh_lane_sum *const sum[], int n);

/* The sum left scattered: each rank gets only its shard, written at its place in `vector` (the
 * rest of vector is scratch and undefined). Work on the shard, then gather. Each is a begin:
 * follow it with progress and end. Collective. vector: count elements; for gather, in: this
 * rank's shard, out: all of it. Shards together cover the vector once.
 * For a sum of the whole vector that is not cut, run/begin are faster. */
coh_status coh_lane_sum_scatter_begin(coh_lane_sum *sum, const void *const lane[],
                                      int64_t count, void *vector);
coh_status coh_lane_sum_gather_begin(coh_lane_sum *sum, int64_t count, void *vector);

/* This rank's shard of vectors of `count` elements: [*first, *first + *n_items). First is a
 * multiple of 16; n_items may be 0. Depends on count and the layout only. Not collective. */
void coh_lane_sum_shard(const coh_lane_sum *sum, int64_t count, int64_t *first,
                        int64_t *n_items);

/* ------------------------------------------------------------------ exchange of plain bytes */

/* Wait for all ranks. Collective. */
coh_status coh_comm_barrier(coh_world *world);

/* Copy root's bytes to all ranks. Collective. data: in on root, out elsewhere. */
coh_status coh_comm_bcast(coh_world *world, void *data, size_t n_bytes, int root);

/* Concatenate every rank's equal-sized piece, in rank order, on all ranks.
 * Collective. send: n_bytes; receive: size * n_bytes, must not overlap send. */
coh_status coh_comm_allgather(coh_world *world, const void *send, size_t n_bytes,
                              void *receive);

/* The same with pieces of any size. Collective. n_bytes: size entries, each rank's piece, the
 * same on all ranks (coh_comm_allgather of the sizes gives it). send: n_bytes[rank]. */
coh_status coh_comm_allgather_varied(coh_world *world, const void *send, const size_t n_bytes[],
                                     void *receive);

/* Concatenate the pieces on root only. Collective. receive: ignored elsewhere. */
coh_status coh_comm_gather_varied(coh_world *world, const void *send, const size_t n_bytes[],
                                  void *receive, int root);

/* Send piece j of `send` to rank j; piece j of `receive` comes from rank j. All pieces n_bytes.
 * Collective. Tells counts before coh_comm_alltoall_varied. */
coh_status coh_comm_alltoall(coh_world *world, const void *send, size_t n_bytes, void *receive);

/* The same with pieces of any size, lying one after the other in both buffers.
 * Collective. send_bytes, receive_bytes: size entries; what rank i sends to j is what j
 * receives from i. Empty pieces cost no message. */
coh_status coh_comm_alltoall_varied(coh_world *world, const void *send,
                                    const size_t send_bytes[], void *receive,
                                    const size_t receive_bytes[]);

typedef enum coh_reduce { COH_REDUCE_MIN, COH_REDUCE_MAX, COH_REDUCE_SUM } coh_reduce;

/* Reduce small integer arrays over ranks, in place, element by element. Collective.
 * Sums wrap modulo 2^64. */
coh_status coh_comm_reduce_int(coh_world *world, coh_reduce how, int64_t *values, int64_t n);

/* Minimum or maximum of doubles over ranks, in place; finite values only. Collective.
 * There is no sum: sums of reals belong to coh_lane_sum. Fails: COH_E_INTERNAL for a sum. */
coh_status coh_comm_reduce_real(coh_world *world, coh_reduce how, double *values, int64_t n);

#ifdef __cplusplus
}
#endif
#endif
