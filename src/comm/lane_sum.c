/* Lane sums: the plan, and the walk through the rounds of lane_rounds.c.
 *
 * Ranks own contiguous lanes, cut here into maximal nodes of the lane tree. Inside a rank each
 * node is one pass over the lanes (lane_tree.c); across ranks the nodes are combined in the
 * order of the same tree, so the bits are those of one rank doing it all. */
#include <string.h>

#include "base/alloc.h"
#include "comm/lane_rounds.h"

/* ---------------------------------------------------------------- the plan */

static bool is_power_of_two(int64_t n) {
  return (n & (n - 1)) == 0;
}

// cut every rank's lanes into nodes; bound: all of them, n_lanes + 1 entries at most
static coh_status plan_nodes(coh_lane_sum *sum, int64_t bound[], int64_t *n_nodes) {
  int64_t n_lanes = sum->lanes.n_lanes, n_all = 0;
  for (int rank = 0; rank < sum->world->size; ++rank) {
    int64_t cut[COH_LANE_TREE_MAX_CUT];
    int n = coh_lane_tree_cut(coh_lanes_first_of(sum->world, n_lanes, rank),
                              coh_lanes_first_of(sum->world, n_lanes, rank + 1), n_lanes, cut);
    sum->leaf_of[rank] = n_all;
    memcpy(bound + n_all, cut, ((size_t)n + 1) * sizeof *bound);
    n_all += n;
  }
  sum->leaf_of[sum->world->size] = n_all;
  *n_nodes = n_all;
  return COH_OK;
}

// the trees inside this rank: their leaves are single lanes
static coh_status plan_local(coh_lane_sum *sum, const int64_t bound[], int n_threads) {
  COH_NEW(sum->local, sum->n_nodes);
  COH_NEW(sum->node_lane, sum->n_nodes);
  int64_t *lane;
  COH_NEW(lane, sum->lanes.n_local + 1);
  for (int64_t i = 0; i <= sum->lanes.n_local; ++i)
    lane[i] = sum->lanes.first + i;
  coh_status status = COH_OK;
  for (int k = 0; k < sum->n_nodes && status == COH_OK; ++k) {
    sum->node_lane[k] = bound[k] - sum->lanes.first;
    status = coh_lane_tree_create(lane + sum->node_lane[k], bound[k + 1] - bound[k], sum->type,
                                  n_threads, &sum->local[k]);
  }
  COH_DELETE(lane);
  return status;
}

static coh_status plan_trees(coh_lane_sum *sum, int n_threads) {
  int size = sum->world->size, rank = sum->world->rank;
  int64_t *bound, n_all = 0;
  COH_NEW(sum->leaf_of, size + 1);
  COH_NEW(bound, sum->lanes.n_lanes + 1);
  coh_status status = plan_nodes(sum, bound, &n_all);
  if (status == COH_OK) {
    sum->n_nodes = (int)(sum->leaf_of[rank + 1] - sum->leaf_of[rank]);
    status = plan_local(sum, bound + sum->leaf_of[rank], n_threads);
  }
  if (status == COH_OK)
    status = coh_lane_tree_create(bound, n_all, sum->type, n_threads, &sum->across);
  COH_DELETE(bound);
  COH_TRY(status);
  COH_NEW(sum->leaf, n_all);
  return coh_lane_tree_create((int64_t[]){0, 1, 2}, 2, sum->type, n_threads, &sum->pair);
}

static coh_status plan(coh_lane_sum *sum, int n_threads) {
  COH_CHECK(sum->max_count >= 0 && n_threads >= 1, COH_E_INTERNAL,
            "a lane sum of %lld elements on %d threads", (long long)sum->max_count, n_threads);
  COH_CHECK(sum->aligned || (sum->method != LANE_DOUBLING && sum->method != LANE_HALVING),
            COH_E_INTERNAL, "ranks are not aligned nodes of the lane tree");
  COH_TRY(plan_trees(sum, n_threads));
  return coh_transfer_init(&sum->transfer, sum->world->comm, 2 * sum->world->size);
}

static bool by_window(lane_method method) {
  return method == LANE_AUTO || method == LANE_WINDOW_WHOLE || method == LANE_WINDOW_SLICES;
}

// collective: every rank has planned its trees
static coh_status share_in_node(coh_lane_sum *sum) {
  if (!by_window(sum->method) || sum->max_count == 0 || !lane_window_fits(sum)) return COH_OK;
  return lane_window_create(sum, lane_rounds_window_limit(sum), &sum->window);
}

static coh_status plan_memory(coh_lane_sum *sum) {
  COH_CHECK(sum->window || sum->method == LANE_AUTO || !by_window(sum->method), COH_E_INTERNAL,
            "no window for these ranks");
  int64_t n_out, n_in;
  lane_rounds_memory(sum, &n_out, &n_in);
  COH_NEW(sum->out_box, (size_t)n_out * sum->bytes);
  COH_NEW(sum->in_box, (size_t)n_in * sum->bytes);
  return COH_OK;
}

coh_status lane_sum_create_by(coh_world *world, const coh_lanes *lanes, coh_sum_type type,
                              int64_t max_count, int n_threads, lane_method method,
                              coh_lane_sum **sum) {
  coh_lane_sum *made;
  COH_NEW(made, 1);
  *made = (coh_lane_sum){
      .world = world,
      .lanes = *lanes,
      .type = type,
      .bytes = coh_sum_type_bytes(type),
      .max_count = max_count,
      .aligned = is_power_of_two(world->size) && is_power_of_two(lanes->n_lanes),
      .method = method,
      .tag = coh_world_take_tag(world),
  };
  coh_status status = coh_comm_agree(world, plan(made, n_threads));
  if (status == COH_OK) status = share_in_node(made);
  if (status == COH_OK) status = coh_comm_agree(world, plan_memory(made));
  if (status != COH_OK) {
    coh_lane_sum_destroy(&made);
    return status;
  }
  made->transfer.chunk = world->transfer.chunk;
  *sum = made;
  return COH_OK;
}

coh_status coh_lane_sum_create(coh_world *world, const coh_lanes *lanes, coh_sum_type type,
                               int64_t max_count, int n_threads, coh_lane_sum **sum) {
  return lane_sum_create_by(world, lanes, type, max_count, n_threads, LANE_AUTO, sum);
}

void coh_lane_sum_destroy(coh_lane_sum **sum) {
  coh_lane_sum *gone = *sum;
  if (!gone) return;
  for (int k = 0; gone->local && k < gone->n_nodes; ++k)
    coh_lane_tree_destroy(&gone->local[k]);
  coh_lane_tree_destroy(&gone->across);
  coh_lane_tree_destroy(&gone->pair);
  lane_window_destroy(&gone->window);
  coh_transfer_fini(&gone->transfer);
  COH_DELETE(gone->local);
  COH_DELETE(gone->node_lane);
  COH_DELETE(gone->leaf_of);
  COH_DELETE(gone->leaf);
  COH_DELETE(gone->out_box);
  COH_DELETE(gone->in_box);
  COH_DELETE(*sum);
}

/* ---------------------------------------------------------------- a sum */

static coh_status claim(coh_lane_sum *sum, int64_t count, void *result) {
  COH_CHECK(sum->phase == LANE_IDLE, COH_E_INTERNAL, "a lane sum is already under way");
  COH_CHECK(count >= 0 && count <= sum->max_count, COH_E_INTERNAL,
            "a lane sum of %lld elements in a plan for %lld", (long long)count,
            (long long)sum->max_count);
  sum->count = count;
  sum->result = result;
  sum->round = 0;
  return COH_OK;
}

static coh_status begin(coh_lane_sum *sum, const void *const lane[], int64_t count,
                        void *result, bool scattered, bool lanes_stay) {
  COH_TRY(claim(sum, count, result));
  sum->gathers = !scattered;
  if (count == 0) return COH_OK;
  if (sum->world->size == 1) {
    lane_sum_node(sum, lane, 0, 0, count, result);
    return COH_OK;
  }
  return lane_rounds_begin(sum, lane_rounds_choose(sum, count, scattered), lane, lanes_stay);
}

coh_status coh_lane_sum_begin(coh_lane_sum *sum, const void *const lane[], int64_t count,
                              void *result) {
  return begin(sum, lane, count, result, false, false);
}

coh_status coh_lane_sum_scatter_begin(coh_lane_sum *sum, const void *const lane[],
                                      int64_t count, void *vector) {
  return begin(sum, lane, count, vector, true, false);
}

coh_status coh_lane_sum_gather_begin(coh_lane_sum *sum, int64_t count, void *vector) {
  COH_TRY(claim(sum, count, vector));
  return count == 0 || sum->world->size == 1 ? COH_OK : lane_rounds_gather(sum);
}

static bool in_window(const coh_lane_sum *sum) {
  return sum->phase == LANE_IN_WINDOW || sum->phase == LANE_IN_WINDOW_GATHER;
}

coh_status coh_lane_sum_progress(coh_lane_sum *sum, bool *done) {
  bool round_is_done = true;
  while (sum->phase != LANE_IDLE && round_is_done) {
    if (in_window(sum))
      round_is_done = lane_window_advance(sum);
    else
      COH_TRY(coh_transfer_test(&sum->transfer, &round_is_done));
    if (round_is_done) COH_TRY(lane_rounds_advance(sum));
  }
  if (done) *done = sum->phase == LANE_IDLE;
  return COH_OK;
}

static coh_status finish_round(coh_lane_sum *sum) {
  COH_TRY(in_window(sum) ? lane_window_finish(sum) : coh_transfer_wait(&sum->transfer));
  return lane_rounds_advance(sum);
}

coh_status coh_lane_sum_end(coh_lane_sum *sum) {
  while (sum->phase != LANE_IDLE)
    COH_TRY(finish_round(sum));
  return COH_OK;
}

/* Every rank waits for the lowest round of its sums, the first sum of those. A partner that has
 * not sent for it yet waits for a lower round, or for an earlier sum of the same: so some rank
 * can always go on. */
coh_status coh_lane_sums_end(coh_lane_sum *const sum[], int n) {
  for (;;) {
    coh_lane_sum *next = NULL;
    for (int i = 0; i < n; i++)
      if (sum[i]->phase != LANE_IDLE && (!next || sum[i]->round < next->round)) next = sum[i];
    if (!next) return COH_OK;
    COH_TRY(finish_round(next));
  }
}

coh_status coh_lane_sum_run(coh_lane_sum *sum, const void *const lane[], int64_t count,
                            void *result) {
  COH_TRY(begin(sum, lane, count, result, false, true));
  return coh_lane_sum_end(sum);
}

void coh_lane_sum_shard(const coh_lane_sum *sum, int64_t count, int64_t *first,
                        int64_t *n_items) {
  int own = lane_slice_of(sum, sum->world->rank);
  *first = lane_slice_bound(sum, count, own);
  *n_items = lane_slice_bound(sum, count, own + 1) - *first;
}
