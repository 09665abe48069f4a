/* Schedules of rounds for lane sums.
 *
 * Aligned ranks are nodes of the lane tree, so partners at distance 1, 2, 4 ... hold siblings:
 * recursive doubling (small vectors) and reduce-scatter with distance doubling (large ones;
 * vectors halve from round to round) both add in tree order. Other layouts send every rank's
 * maximal nodes to whoever adds them: to all (small), or slice by slice to its owner (large).
 * Where memory can be shared (lane_window.c), rounds between ranks of a node do not happen:
 * doubling and halving begin at the first distance that leaves the node.
 * Sources: Thakur, Rabenseifner, Gropp, "Optimization of collective communication operations in
 * MPICH", IJHPCA 2005; the lane tree is Cohort's. */
#include "comm/lane_rounds.h"

#include <string.h>

enum {
  SLICE_UNIT = 16,              /* elements; 64 bytes of float */
  WHOLE_BYTES = 256 << 10,      /* longer vectors never travel whole */
  WHOLE_BYTES_OF_ALL = 4 << 20, /* nor do they if all nodes of all ranks come to more */
};

/* ---------------------------------------------------------------- slices */

int64_t lane_slice_bound(const coh_lane_sum *sum, int64_t count, int slice) {
  int64_t n = sum->world->size, n_units = (count + SLICE_UNIT - 1) / SLICE_UNIT;
  int64_t bound = (slice * (n_units / n) + slice * (n_units % n) / n) * SLICE_UNIT;
  return bound < count ? bound : count;
}

int lane_slice_of(const coh_lane_sum *sum, int rank) {
  if (!sum->aligned) return rank;
  int reversed = 0;
  for (int bit = 1; bit < sum->world->size; bit *= 2, rank /= 2)
    reversed = 2 * reversed + rank % 2;
  return reversed;
}

// the slices that a rank holds when `bit` is the distance of the round's partner: those whose
// owners agree with the rank in all lower bits
static void slices_at(const coh_lane_sum *sum, int rank, int bit, int *low, int *high) {
  int n_held = sum->world->size / bit;
  *low = lane_slice_of(sum, rank) / n_held * n_held;
  *high = *low + n_held;
}

void lane_slices_of_node(const coh_lane_sum *sum, int rank, int64_t *first, int64_t *end) {
  int low, high;
  slices_at(sum, rank, sum->world->local_size, &low, &high);
  *first = lane_slice_bound(sum, sum->count, low);
  *end = lane_slice_bound(sum, sum->count, high);
}

static char *at(const coh_lane_sum *sum, char *base, int64_t element) {
  return base + (size_t)element * sum->bytes;
}

static size_t bytes_of(const coh_lane_sum *sum, int64_t n) {
  return (size_t)n * sum->bytes;
}

static int64_t n_nodes_of(const coh_lane_sum *sum, int rank) {
  return sum->leaf_of[rank + 1] - sum->leaf_of[rank];
}

static int64_t n_nodes_of_all(const coh_lane_sum *sum) {
  return sum->leaf_of[sum->world->size];
}

void lane_sum_node(const coh_lane_sum *sum, const void *const lane[], int k, int64_t first,
                   int64_t n, void *out) {
  coh_lane_tree_run(sum->local[k], lane + sum->node_lane[k], first, n, out);
}

/* ---------------------------------------------------------------- doubling and halving */

static coh_status post_doubling(coh_lane_sum *sum) {
  int partner = sum->world->rank ^ sum->bit;
  size_t n_bytes = bytes_of(sum, sum->count);
  COH_TRY(coh_transfer_receive(&sum->transfer, partner, sum->tag, sum->in_box, n_bytes));
  return coh_transfer_send(&sum->transfer, partner, sum->tag, sum->result, n_bytes);
}

// ours = left + right, where the lower rank's vector is the left one
static void add_sibling(const coh_lane_sum *sum, char *ours, int64_t n) {
  const void *both[2] = {ours, sum->in_box};
  if (sum->world->rank & sum->bit) {
    both[0] = sum->in_box;
    both[1] = ours;
  }
  coh_lane_tree_run(sum->pair, both, 0, n, ours);
}

static coh_status advance_doubling(coh_lane_sum *sum) {
  add_sibling(sum, sum->result, sum->count);
  sum->bit *= 2;
  if (sum->bit < sum->world->size) return post_doubling(sum);
  sum->phase = LANE_IDLE;
  return COH_OK;
}

// of the slices in hand, keep the half in which this rank's own lies and send the other
static coh_status post_halving(coh_lane_sum *sum) {
  int partner = sum->world->rank ^ sum->bit, theirs_low, theirs_high;
  slices_at(sum, sum->world->rank, 2 * sum->bit, &sum->low, &sum->high);
  slices_at(sum, partner, 2 * sum->bit, &theirs_low, &theirs_high);
  int64_t keep = lane_slice_bound(sum, sum->count, sum->low);
  int64_t n_keep = lane_slice_bound(sum, sum->count, sum->high) - keep;
  int64_t give = lane_slice_bound(sum, sum->count, theirs_low);
  int64_t n_give = lane_slice_bound(sum, sum->count, theirs_high) - give;
  COH_TRY(coh_transfer_receive(&sum->transfer, partner, sum->tag, sum->in_box,
                               bytes_of(sum, n_keep)));
  return coh_transfer_send(&sum->transfer, partner, sum->tag, at(sum, sum->result, give),
                           bytes_of(sum, n_give));
}

static coh_status advance_halving(coh_lane_sum *sum) {
  int64_t first = lane_slice_bound(sum, sum->count, sum->low);
  int64_t n = lane_slice_bound(sum, sum->count, sum->high) - first;
  add_sibling(sum, at(sum, sum->result, first), n);
  sum->bit *= 2;
  if (sum->bit < sum->world->size) return post_halving(sum);
  sum->phase = LANE_IDLE;
  return sum->gathers ? lane_rounds_gather(sum) : COH_OK;
}

/* ---------------------------------------------------------------- direct */

static coh_status begin_whole(coh_lane_sum *sum, const void *const lane[]) {
  int size = sum->world->size, rank = sum->world->rank;
  for (int peer = 0; peer < size; ++peer) {
    char *theirs = at(sum, sum->in_box, sum->leaf_of[peer] * sum->count);
    for (int64_t k = 0; k < n_nodes_of(sum, peer); ++k)
      sum->leaf[sum->leaf_of[peer] + k] =
          at(sum, peer == rank ? sum->out_box : theirs, k * sum->count);
    if (peer != rank)
      COH_TRY(coh_transfer_receive(&sum->transfer, peer, sum->tag, theirs,
                                   bytes_of(sum, n_nodes_of(sum, peer) * sum->count)));
  }
  for (int k = 0; k < sum->n_nodes; ++k)
    lane_sum_node(sum, lane, k, 0, sum->count, at(sum, sum->out_box, k * sum->count));
  for (int step = 1; step < size; ++step)
    COH_TRY(coh_transfer_send(&sum->transfer, (rank + step) % size, sum->tag, sum->out_box,
                              bytes_of(sum, sum->n_nodes * sum->count)));
  return COH_OK;
}

static coh_status advance_whole(coh_lane_sum *sum) {
  coh_lane_tree_run(sum->across, sum->leaf, 0, sum->count, sum->result);
  sum->phase = LANE_IDLE;
  return COH_OK;
}

// out_box holds the nodes slice by slice; a slice leaves as soon as it is added up
static coh_status begin_slices(coh_lane_sum *sum, const void *const lane[]) {
  int size = sum->world->size, rank = sum->world->rank;
  int own = lane_slice_of(sum, rank);
  int64_t n_own =
      lane_slice_bound(sum, sum->count, own + 1) - lane_slice_bound(sum, sum->count, own);
  for (int peer = 0; peer < size; ++peer) {
    if (peer == rank) continue;
    char *theirs = at(sum, sum->in_box, sum->leaf_of[peer] * n_own);
    for (int64_t k = 0; k < n_nodes_of(sum, peer); ++k)
      sum->leaf[sum->leaf_of[peer] + k] = at(sum, theirs, k * n_own);
    COH_TRY(coh_transfer_receive(&sum->transfer, peer, sum->tag, theirs,
                                 bytes_of(sum, n_nodes_of(sum, peer) * n_own)));
  }
  for (int step = 1; step <= size; ++step) {
    int peer = (rank + step) % size, slice = lane_slice_of(sum, peer);
    int64_t first = lane_slice_bound(sum, sum->count, slice);
    int64_t n = lane_slice_bound(sum, sum->count, slice + 1) - first;
    char *box = at(sum, sum->out_box, first * sum->n_nodes);
    for (int k = 0; k < sum->n_nodes; ++k) {
      lane_sum_node(sum, lane, k, first, n, at(sum, box, k * n));
      if (peer == rank) sum->leaf[sum->leaf_of[rank] + k] = at(sum, box, k * n);
    }
    if (peer != rank)
      COH_TRY(coh_transfer_send(&sum->transfer, peer, sum->tag, box,
                                bytes_of(sum, sum->n_nodes * n)));
  }
  return COH_OK;
}

static coh_status advance_slices(coh_lane_sum *sum) {
  int own = lane_slice_of(sum, sum->world->rank);
  int64_t first = lane_slice_bound(sum, sum->count, own);
  int64_t n = lane_slice_bound(sum, sum->count, own + 1) - first;
  coh_lane_tree_run(sum->across, sum->leaf, 0, n, at(sum, sum->result, first));
  sum->phase = LANE_IDLE;
  return sum->gathers ? lane_rounds_gather(sum) : COH_OK;
}

/* ---------------------------------------------------------------- gathering the shards */

static coh_status post_slices(coh_lane_sum *sum, int peer, int low, int high, bool send) {
  int64_t first = lane_slice_bound(sum, sum->count, low);
  size_t n_bytes = bytes_of(sum, lane_slice_bound(sum, sum->count, high) - first);
  char *data = at(sum, sum->result, first);
  return send ? coh_transfer_send(&sum->transfer, peer, sum->tag, data, n_bytes)
              : coh_transfer_receive(&sum->transfer, peer, sum->tag, data, n_bytes);
}

static coh_status post_gather_doubling(coh_lane_sum *sum) {
  int partner = sum->world->rank ^ sum->bit, low, high;
  slices_at(sum, partner, 2 * sum->bit, &low, &high);
  COH_TRY(post_slices(sum, partner, low, high, false));
  slices_at(sum, sum->world->rank, 2 * sum->bit, &low, &high);
  return post_slices(sum, partner, low, high, true);
}

static coh_status gather_in_node(coh_lane_sum *sum) {
  sum->phase = LANE_IN_WINDOW_GATHER;
  lane_window_begin(sum, LANE_WINDOW_GATHER, NULL, false);
  return COH_OK;
}

coh_status lane_rounds_gather(coh_lane_sum *sum) {
  int size = sum->world->size, rank = sum->world->rank;
  if (sum->window && sum->world->n_nodes == 1) return gather_in_node(sum);
  sum->phase = LANE_IN_GATHER;
  if (sum->aligned) { // back through the rounds of halving
    sum->bit = size / 2;
    return post_gather_doubling(sum);
  }
  sum->bit = 1;
  for (int peer = 0; peer < size; ++peer)
    if (peer != rank) COH_TRY(post_slices(sum, peer, peer, peer + 1, false));
  for (int step = 1; step < size; ++step)
    COH_TRY(post_slices(sum, (rank + step) % size, rank, rank + 1, true));
  return COH_OK;
}

static coh_status advance_gather(coh_lane_sum *sum) {
  sum->bit /= 2;
  if (sum->window && sum->bit < sum->world->local_size && sum->bit > 0)
    return gather_in_node(sum);
  if (sum->bit > 0) return post_gather_doubling(sum);
  sum->phase = LANE_IDLE;
  return COH_OK;
}

/* ---------------------------------------------------------------- through the window */

static coh_status begin_window(coh_lane_sum *sum, lane_method method, const void *const lane[],
                               bool lanes_stay) {
  lane_window_way way = LANE_WINDOW_ADD_WHOLE;
  if (method == LANE_WINDOW_SLICES)
    way =
        sum->gathers && sum->world->n_nodes == 1 ? LANE_WINDOW_ADD_ALL : LANE_WINDOW_ADD_SLICES;
  sum->phase = LANE_IN_WINDOW;
  sum->is_whole = way == LANE_WINDOW_ADD_WHOLE;
  // whole vectors are put at once, so their lanes are read no later
  if (!lanes_stay && !sum->is_whole) {
    if (sum->n_nodes == 1) lane_sum_node(sum, lane, 0, 0, sum->count, sum->result);
    for (int k = 0; k < sum->n_nodes && sum->n_nodes > 1; ++k)
      lane_sum_node(sum, lane, k, 0, sum->count, at(sum, sum->out_box, k * sum->count));
    lane = NULL;
  }
  lane_window_begin(sum, way, lane, lanes_stay);
  return COH_OK;
}

// the node's sum is there: on to the other nodes, if there are any
static coh_status advance_window(coh_lane_sum *sum) {
  if (sum->world->n_nodes == 1) {
    sum->phase = LANE_IDLE;
    return COH_OK;
  }
  sum->bit = sum->world->local_size;
  sum->phase = sum->is_whole ? LANE_IN_DOUBLING : LANE_IN_HALVING;
  return sum->is_whole ? post_doubling(sum) : post_halving(sum);
}

/* ---------------------------------------------------------------- all of them */

static int64_t larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static double seconds_of(const coh_lane_sum *sum, lane_method method, int64_t n_bytes) {
  return lane_model_seconds(&lane_model_default, method, sum->world->size,
                            sum->world->size / sum->world->n_nodes, (double)n_bytes);
}

// the first power of two of bytes at which slices are the faster way
static int64_t limit_by_model(const coh_lane_sum *sum, lane_method whole, lane_method slices) {
  int64_t limit = SLICE_UNIT;
  while (limit < WHOLE_BYTES && seconds_of(sum, whole, limit) < seconds_of(sum, slices, limit))
    limit *= 2;
  return limit / (int64_t)sum->bytes;
}

int64_t lane_rounds_window_limit(const coh_lane_sum *sum) {
  if (sum->method == LANE_WINDOW_WHOLE) return sum->max_count;
  int64_t limit = limit_by_model(sum, LANE_WINDOW_WHOLE, LANE_WINDOW_SLICES);
  return limit < sum->max_count ? limit : sum->max_count;
}

void lane_rounds_memory(coh_lane_sum *sum, int64_t *n_out, int64_t *n_in) {
  int64_t n_all = n_nodes_of_all(sum), n_units = (sum->max_count + SLICE_UNIT - 1) / SLICE_UNIT;
  bool direct = sum->method == LANE_DIRECT_WHOLE || sum->method == LANE_DIRECT_SLICES ||
                (!sum->aligned && !sum->window);
  sum->whole_limit = sum->aligned ? limit_by_model(sum, LANE_DOUBLING, LANE_HALVING)
                                  : limit_by_model(sum, LANE_DIRECT_WHOLE, LANE_DIRECT_SLICES);
  if (!sum->aligned && sum->whole_limit > WHOLE_BYTES_OF_ALL / n_all / (int64_t)sum->bytes)
    sum->whole_limit = WHOLE_BYTES_OF_ALL / n_all / (int64_t)sum->bytes;
  if (sum->window) sum->whole_limit = lane_rounds_window_limit(sum);
  bool only_whole = sum->method == LANE_DOUBLING || sum->method == LANE_DIRECT_WHOLE;
  if (only_whole || sum->whole_limit > sum->max_count) sum->whole_limit = sum->max_count;

  *n_out = *n_in = 0;
  if (sum->world->size == 1) return;
  if (direct) { // slices, or whole vectors of every node
    *n_out = sum->n_nodes * sum->max_count;
    *n_in =
        larger(n_all * (n_units / sum->world->size + 1) * SLICE_UNIT, n_all * sum->whole_limit);
  } else {
    if (sum->n_nodes > 1) *n_out = sum->n_nodes * sum->max_count;
    if (sum->aligned) *n_in = larger((n_units / 2 + 1) * SLICE_UNIT, sum->whole_limit);
  }
}

lane_method lane_rounds_choose(const coh_lane_sum *sum, int64_t count, bool scattered) {
  bool whole = !scattered && count <= sum->whole_limit;
  if (sum->method != LANE_AUTO && (whole || !scattered)) return sum->method;
  if (sum->window) return whole ? LANE_WINDOW_WHOLE : LANE_WINDOW_SLICES;
  if (sum->aligned) return whole ? LANE_DOUBLING : LANE_HALVING;
  return whole ? LANE_DIRECT_WHOLE : LANE_DIRECT_SLICES;
}

coh_status lane_rounds_begin(coh_lane_sum *sum, lane_method method, const void *const lane[],
                             bool lanes_stay) {
  sum->bit = 1;
  switch (method) {
  case LANE_WINDOW_WHOLE:
  case LANE_WINDOW_SLICES:
    return begin_window(sum, method, lane, lanes_stay);
  case LANE_DOUBLING:
    sum->phase = LANE_IN_DOUBLING;
    lane_sum_node(sum, lane, 0, 0, sum->count, sum->result);
    return post_doubling(sum);
  case LANE_HALVING:
    sum->phase = LANE_IN_HALVING;
    lane_sum_node(sum, lane, 0, 0, sum->count, sum->result);
    return post_halving(sum);
  case LANE_DIRECT_WHOLE:
    sum->phase = LANE_IN_WHOLE;
    return begin_whole(sum, lane);
  default:
    sum->phase = LANE_IN_SLICES;
    return begin_slices(sum, lane);
  }
}

coh_status lane_rounds_advance(coh_lane_sum *sum) {
  sum->round++;
  switch (sum->phase) {
  case LANE_IN_DOUBLING:
    return advance_doubling(sum);
  case LANE_IN_HALVING:
    return advance_halving(sum);
  case LANE_IN_WHOLE:
    return advance_whole(sum);
  case LANE_IN_SLICES:
    return advance_slices(sum);
  case LANE_IN_GATHER:
    return advance_gather(sum);
  case LANE_IN_WINDOW:
    return advance_window(sum);
  case LANE_IN_WINDOW_GATHER:
  default:
    sum->phase = LANE_IDLE;
    return COH_OK;
  }
}
