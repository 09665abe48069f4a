/* The walk through a node's shared memory: what may happen when, by four counters a rank.
 *
 *   put     steps whose stretches lie in my put slots       read by those who add
 *   added   steps whose stretch I have added                frees everybody's put slot
 *   out     steps whose sum lies in my out slot             read by those who copy
 *   copied  steps of which I have copied everybody's sum    frees everybody's out slot
 *
 * Where all slices go to all ranks, the owner leaves the sum in the very slots that the addends
 * came in: those lines are in its cache already, where lines of their own would be fetched once
 * more on both sides. `added` then says that the sum may be read as well, and a slot is free
 * when its owner has read it back.
 *
 * Counters only grow, over all sums of the plan, so a step's slot is its count modulo 2. Small
 * vectors have a counter of their own (whole) and need no other: a rank that puts its next
 * vector has seen all others put the last, hence they have read the one before. */
#include "comm/lane_window.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "comm/lane_rounds.h"

enum {
  LINE_BYTES = 128,       /* two cache lines: the second would be fetched along */
  STEP_BYTES = 256 << 10, /* of a rank's vector that move in one step */
  RETURN_BYTES = 4096, /* of a stretch that are added, then copied back: from the first cache */
  POLLS = 2000,        /* before the core is offered to others ... */
  POLLS_CROWDED = 20,  /* ... where there are more ranks than cores */
  YIELDS_A_LOOK = 64,  /* between two looks at the clock and at messages */
  NAP_NANOSECONDS = 20000,
};

static const double yield_seconds = 2e-3;

typedef struct line {
  _Atomic uint64_t whole, put, added, out, copied;
} line;

typedef enum operation { OP_FIRST, OP_PUT, OP_ADD, OP_TAKE, OP_OUT, OP_COPY } operation;

struct lane_window {
  coh_window *memory;
  int n_ranks, own;           /* of the node */
  int64_t n_leaves;           /* nodes of the lane tree that the node's ranks hold */
  int64_t *leaf_of;           /* n_ranks + 1 */
  coh_lane_tree *tree;        /* owned, NULL: the plan's tree over all ranks */
  int64_t whole_limit;        /* elements of a whole slot, a leaf */
  int64_t stretch;            /* elements of a slice that move in one step */
  line **lines;               /* of each rank */
  char **whole, **put, **out; /* areas of each rank */
  const void **leaf;          /* n_leaves */
  uint64_t n_whole;           /* vectors added whole so far */
  uint64_t n_put, n_out;      /* steps begun over all sums; each a base of the sum under way */
  /* the sum under way */
  lane_window_way way;
  const void *const *lane;
  bool lanes_stay;
  int64_t n_steps, step;
  operation next;
};

/* ---------------------------------------------------------------- layout */

static bool is_power_of_two(int64_t n) {
  return (n & (n - 1)) == 0;
}

bool lane_window_fits(const coh_lane_sum *sum) {
  const coh_world *world = sum->world;
  if (world->size == 1 || world->size == world->n_nodes) return false;
  if (world->n_nodes == 1) return true;
  int n_mates = world->size / world->n_nodes;
  if (!sum->aligned || !is_power_of_two(n_mates) || world->size % world->n_nodes) return false;
  for (int rank = 0; rank < world->size; ++rank)
    if (world->node_of[rank] != rank / n_mates) return false;
  return true;
}

// the world's rank of a rank of this node
static int world_rank(const coh_lane_sum *sum, int mate) {
  return sum->world->rank - sum->world->local_rank + mate;
}

static size_t segment_bytes(const coh_lane_sum *sum, const lane_window *w, int mate) {
  int64_t n_own = w->leaf_of[mate + 1] - w->leaf_of[mate];
  int64_t floats =
      2 * w->whole_limit * n_own + 2 * w->stretch * w->n_ranks * n_own + 2 * w->stretch;
  return LINE_BYTES + (size_t)floats * sum->bytes;
}

static coh_status plan_leaves(const coh_lane_sum *sum, lane_window *w) {
  COH_NEW(w->leaf_of, w->n_ranks + 1);
  for (int mate = 0; mate <= w->n_ranks; ++mate)
    w->leaf_of[mate] = sum->leaf_of[world_rank(sum, mate)] - sum->leaf_of[world_rank(sum, 0)];
  w->n_leaves = w->leaf_of[w->n_ranks];
  COH_NEW(w->leaf, w->n_leaves);
  if (sum->world->n_nodes == 1) return COH_OK;
  int64_t *bound;
  COH_NEW(bound, w->n_ranks + 1);
  for (int mate = 0; mate <= w->n_ranks; ++mate)
    bound[mate] = mate;
  coh_status status = coh_lane_tree_create(bound, w->n_ranks, sum->type, 1, &w->tree);
  COH_DELETE(bound);
  return status;
}

static coh_status plan(const coh_lane_sum *sum, int64_t whole_limit, lane_window *w) {
  w->n_ranks = sum->world->local_size;
  w->own = sum->world->local_rank;
  w->whole_limit = (whole_limit + 15) / 16 * 16;
  w->stretch = STEP_BYTES / (int64_t)sum->bytes / w->n_ranks / 16 * 16;
  if (w->stretch < 64) w->stretch = 64;
  int64_t most = (sum->max_count / w->n_ranks / 16 + 2) * 16;
  if (w->stretch > most) w->stretch = most;
  COH_TRY(plan_leaves(sum, w));
  COH_NEW(w->lines, w->n_ranks);
  COH_NEW(w->whole, w->n_ranks);
  COH_NEW(w->put, w->n_ranks);
  COH_NEW(w->out, w->n_ranks);
  return COH_OK;
}

static void find_areas(const coh_lane_sum *sum, lane_window *w) {
  for (int mate = 0; mate < w->n_ranks; ++mate) {
    size_t n_bytes;
    char *at = coh_window_segment(w->memory, mate, &n_bytes);
    int64_t n_own = w->leaf_of[mate + 1] - w->leaf_of[mate];
    w->lines[mate] = (line *)(void *)at;
    w->whole[mate] = at + LINE_BYTES;
    w->put[mate] = w->whole[mate] + (size_t)(2 * w->whole_limit * n_own) * sum->bytes;
    w->out[mate] = w->put[mate] + (size_t)(2 * w->stretch * w->n_ranks * n_own) * sum->bytes;
  }
}

coh_status lane_window_create(const coh_lane_sum *sum, int64_t whole_limit,
                              lane_window **window) {
  lane_window *made = coh_alloc_array(1, sizeof *made);
  coh_status status = made ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory: a lane window");
  if (status == COH_OK) status = plan(sum, whole_limit, made);
  status = coh_comm_agree(sum->world, status);
  if (status == COH_OK) {
    // where memory cannot be shared, messages do: no failure
    status = coh_window_create(sum->world, segment_bytes(sum, made, made->own), &made->memory);
    if (status == COH_E_MEMORY) {
      lane_window_destroy(&made);
      status = COH_OK;
    } else if (status == COH_OK) {
      find_areas(sum, made);
    }
  }
  if (status != COH_OK) lane_window_destroy(&made);
  *window = made;
  return status;
}

void lane_window_destroy(lane_window **window) {
  lane_window *gone = *window;
  if (!gone) return;
  coh_window_destroy(&gone->memory);
  coh_lane_tree_destroy(&gone->tree);
  COH_DELETE(gone->leaf_of);
  COH_DELETE(gone->leaf);
  COH_DELETE(gone->lines);
  COH_DELETE(gone->whole);
  COH_DELETE(gone->put);
  COH_DELETE(gone->out);
  COH_DELETE(*window);
}

/* ---------------------------------------------------------------- counters */

static uint64_t seen(const _Atomic uint64_t *counter) {
  return atomic_load_explicit(counter, memory_order_acquire);
}

static void tell(_Atomic uint64_t *counter, uint64_t value) {
  atomic_store_explicit(counter, value, memory_order_release);
}

// whether all ranks of the node have counted so far
static bool have_all(const lane_window *w, size_t counter, uint64_t value) {
  for (int k = 1; k < w->n_ranks; ++k) {
    const char *at = (const char *)w->lines[(w->own + k) % w->n_ranks];
    if (seen((const _Atomic uint64_t *)(const void *)(at + counter)) < value) return false;
  }
  return true;
}

#define HAVE_ALL(w, member, value) have_all((w), offsetof(line, member), (value))

/* ---------------------------------------------------------------- whole vectors */

static const coh_lane_tree *tree_of(const coh_lane_sum *sum, const lane_window *w) {
  return w->tree ? w->tree : sum->across;
}

// the sum of this rank's node k, all of it, where it lies ready; NULL: the lanes are to be
// added
static const char *ready_node(const coh_lane_sum *sum, const lane_window *w, int k) {
  if (!w->lane)
    return sum->n_nodes == 1 ? sum->result
                             : sum->out_box + (size_t)(k * sum->count) * sum->bytes;
  int64_t end = k + 1 < sum->n_nodes ? sum->node_lane[k + 1] : sum->lanes.n_local;
  return end - sum->node_lane[k] == 1 ? w->lane[sum->node_lane[k]] : NULL;
}

// [first, first + n) of node k to a place
static void put_node(const coh_lane_sum *sum, const lane_window *w, int k, int64_t first,
                     int64_t n, char *to) {
  const char *ready = ready_node(sum, w, k);
  if (ready)
    memcpy(to, ready + (size_t)first * sum->bytes, (size_t)n * sum->bytes);
  else
    lane_sum_node(sum, w->lane, k, first, n, to);
}

static char *whole_slot(const coh_lane_sum *sum, const lane_window *w, int mate, int64_t k,
                        uint64_t count) {
  int64_t n_own = w->leaf_of[mate + 1] - w->leaf_of[mate];
  int64_t at = ((int64_t)(count % 2) * n_own + k) * w->whole_limit;
  return w->whole[mate] + (size_t)at * sum->bytes;
}

static void put_whole(coh_lane_sum *sum, lane_window *w) {
  for (int k = 0; k < sum->n_nodes; ++k)
    put_node(sum, w, k, 0, sum->count, whole_slot(sum, w, w->own, k, w->n_whole));
  w->n_whole++;
  tell(&w->lines[w->own]->whole, w->n_whole);
}

static bool add_whole(coh_lane_sum *sum, lane_window *w) {
  if (!HAVE_ALL(w, whole, w->n_whole)) return false;
  for (int mate = 0; mate < w->n_ranks; ++mate)
    for (int64_t k = w->leaf_of[mate]; k < w->leaf_of[mate + 1]; ++k) {
      int64_t node = k - w->leaf_of[mate];
      bool own = mate == w->own && w->lanes_stay;
      const char *ready = own ? ready_node(sum, w, (int)node) : NULL;
      w->leaf[k] = ready ? ready : whole_slot(sum, w, mate, node, w->n_whole - 1);
    }
  coh_lane_tree_run(tree_of(sum, w), w->leaf, 0, sum->count, sum->result);
  return true;
}

/* ---------------------------------------------------------------- slices in steps */

// the stretch of a rank's slice that moves in a step
static int64_t stretch_of(const coh_lane_sum *sum, const lane_window *w, int mate, int64_t step,
                          int64_t *first) {
  int64_t from, end;
  lane_slices_of_node(sum, world_rank(sum, mate), &from, &end);
  *first = from + step * w->stretch;
  if (*first >= end) return 0;
  return end - *first < w->stretch ? end - *first : w->stretch;
}

static int64_t count_steps(const coh_lane_sum *sum, const lane_window *w) {
  int64_t most = 0;
  for (int mate = 0; mate < w->n_ranks; ++mate) {
    int64_t from, end;
    lane_slices_of_node(sum, world_rank(sum, mate), &from, &end);
    if (end - from > most) most = end - from;
  }
  return (most + w->stretch - 1) / w->stretch;
}

// where `mate` puts its node k's stretch for `owner`
static char *put_slot(const coh_lane_sum *sum, const lane_window *w, int mate, int64_t k,
                      int owner, uint64_t count) {
  int64_t n_own = w->leaf_of[mate + 1] - w->leaf_of[mate];
  int64_t at = (((int64_t)(count % 2) * n_own + k) * w->n_ranks + owner) * w->stretch;
  return w->put[mate] + (size_t)at * sum->bytes;
}

static char *out_slot(const coh_lane_sum *sum, const lane_window *w, int mate, uint64_t count) {
  return w->out[mate] + (size_t)((int64_t)(count % 2) * w->stretch) * sum->bytes;
}

static bool put_step(coh_lane_sum *sum, lane_window *w, int64_t step) {
  uint64_t count = w->n_put + (uint64_t)step;
  if (step >= w->n_steps) return true;
  if (count >= 2 && !HAVE_ALL(w, added, count - 1)) return false;
  for (int k = 0; k < w->n_ranks; ++k) {
    int owner = (w->own + 1 + k) % w->n_ranks;
    int64_t first, n = stretch_of(sum, w, owner, step, &first);
    for (int node = 0; node < sum->n_nodes && n > 0; ++node)
      if (owner != w->own || !ready_node(sum, w, node))
        put_node(sum, w, node, first, n, put_slot(sum, w, w->own, node, owner, count));
  }
  tell(&w->lines[w->own]->put, count + 1);
  return true;
}

// add n elements of my stretch; with ADD_ALL, each addend's slot takes the sum back
static void add_stretch(const coh_lane_sum *sum, const lane_window *w, int64_t n,
                        uint64_t count, char *to) {
  const coh_lane_tree *tree = tree_of(sum, w);
  if (w->way != LANE_WINDOW_ADD_ALL) {
    coh_lane_tree_run(tree, w->leaf, 0, n, to);
    return;
  }
  int64_t block = RETURN_BYTES / (int64_t)sum->bytes;
  for (int64_t first = 0; first < n; first += block) {
    int64_t n_here = n - first < block ? n - first : block;
    size_t offset = (size_t)first * sum->bytes;
    coh_lane_tree_run(tree, w->leaf, first, n_here, to + offset);
    for (int mate = 0; mate < w->n_ranks; ++mate)
      if (mate != w->own)
        memcpy(put_slot(sum, w, mate, 0, w->own, count) + offset, to + offset,
               (size_t)n_here * sum->bytes);
  }
}

static bool add_step(coh_lane_sum *sum, lane_window *w) {
  uint64_t count = w->n_put + (uint64_t)w->step;
  if (!HAVE_ALL(w, put, count + 1)) return false;
  int64_t first, n = stretch_of(sum, w, w->own, w->step, &first);
  size_t offset = (size_t)first * sum->bytes;
  for (int mate = 0; mate < w->n_ranks; ++mate)
    for (int64_t k = w->leaf_of[mate]; k < w->leaf_of[mate + 1]; ++k) {
      int64_t node = k - w->leaf_of[mate];
      const char *ready = mate == w->own ? ready_node(sum, w, (int)node) : NULL;
      w->leaf[k] = ready ? ready + offset : put_slot(sum, w, mate, node, w->own, count);
    }
  add_stretch(sum, w, n, count, sum->result + offset);
  tell(&w->lines[w->own]->added, count + 1);
  return true;
}

// the sums of the others' stretches, out of my own slots
static bool take_step(coh_lane_sum *sum, lane_window *w) {
  uint64_t count = w->n_put + (uint64_t)w->step;
  if (!HAVE_ALL(w, added, count + 1)) return false;
  for (int k = 1; k < w->n_ranks; ++k) {
    int owner = (w->own + k) % w->n_ranks;
    int64_t first, n = stretch_of(sum, w, owner, w->step, &first);
    if (n > 0)
      memcpy(sum->result + (size_t)first * sum->bytes,
             put_slot(sum, w, w->own, 0, owner, count), (size_t)n * sum->bytes);
  }
  return true;
}

// gathering: my stretch to where the others copy it from
static bool out_step(coh_lane_sum *sum, lane_window *w) {
  uint64_t count = w->n_out + (uint64_t)w->step;
  if (count >= 2 && !HAVE_ALL(w, copied, count - 1)) return false;
  int64_t first, n = stretch_of(sum, w, w->own, w->step, &first);
  if (n > 0)
    memcpy(out_slot(sum, w, w->own, count), sum->result + (size_t)first * sum->bytes,
           (size_t)n * sum->bytes);
  tell(&w->lines[w->own]->out, count + 1);
  return true;
}

static bool copy_step(coh_lane_sum *sum, lane_window *w) {
  uint64_t count = w->n_out + (uint64_t)w->step;
  if (!HAVE_ALL(w, out, count + 1)) return false;
  for (int k = 1; k < w->n_ranks; ++k) {
    int mate = (w->own + k) % w->n_ranks;
    int64_t first, n = stretch_of(sum, w, mate, w->step, &first);
    if (n > 0)
      memcpy(sum->result + (size_t)first * sum->bytes, out_slot(sum, w, mate, count),
             (size_t)n * sum->bytes);
  }
  tell(&w->lines[w->own]->copied, count + 1);
  return true;
}

/* ---------------------------------------------------------------- the walk */

void lane_window_begin(coh_lane_sum *sum, lane_window_way way, const void *const lane[],
                       bool lanes_stay) {
  lane_window *w = sum->window;
  w->way = way;
  w->lane = lane;
  w->lanes_stay = lanes_stay;
  w->step = 0;
  w->n_steps = way == LANE_WINDOW_ADD_WHOLE ? 1 : count_steps(sum, w);
  w->next = way == LANE_WINDOW_GATHER ? OP_OUT : OP_FIRST;
  if (way == LANE_WINDOW_ADD_WHOLE) {
    put_whole(sum, w);
    w->next = OP_ADD;
  } else if (way != LANE_WINDOW_GATHER && put_step(sum, w, 0)) {
    w->next = OP_PUT;
  }
}

static void end(lane_window *w) {
  if (w->way == LANE_WINDOW_ADD_SLICES || w->way == LANE_WINDOW_ADD_ALL)
    w->n_put += (uint64_t)w->n_steps;
  if (w->way == LANE_WINDOW_GATHER) w->n_out += (uint64_t)w->n_steps;
}

static bool do_next(coh_lane_sum *sum, lane_window *w) {
  switch (w->next) {
  case OP_FIRST:
    if (!put_step(sum, w, 0)) return false;
    w->next = OP_PUT;
    return true;
  case OP_PUT: // one step ahead of the adding
    if (!put_step(sum, w, w->step + 1)) return false;
    w->next = OP_ADD;
    return true;
  case OP_ADD:
    if (!add_step(sum, w)) return false;
    if (w->way == LANE_WINDOW_ADD_ALL) {
      w->next = OP_TAKE;
    } else {
      w->next = OP_PUT;
      w->step++;
    }
    return true;
  case OP_TAKE:
    if (!take_step(sum, w)) return false;
    w->next = OP_PUT;
    w->step++;
    return true;
  case OP_OUT:
    if (!out_step(sum, w)) return false;
    w->next = OP_COPY;
    return true;
  default:
    if (!copy_step(sum, w)) return false;
    w->next = OP_OUT;
    w->step++;
    return true;
  }
}

bool lane_window_advance(coh_lane_sum *sum) {
  lane_window *w = sum->window;
  if (w->way == LANE_WINDOW_ADD_WHOLE) return add_whole(sum, w);
  while (w->step < w->n_steps)
    if (!do_next(sum, w)) return false;
  end(w);
  return true;
}

static void pause_briefly(void) {
#if defined __x86_64__ || defined __i386__
  __builtin_ia32_pause();
#endif
}

coh_status lane_window_finish(coh_lane_sum *sum) {
  const coh_world *world = sum->world;
  int n_polls = world->is_crowded ? POLLS_CROWDED : POLLS;
  int64_t step = -1;
  operation next = OP_PUT;
  for (int polls = 0, yields = 0; !lane_window_advance(sum);) {
    if (sum->window->step != step || sum->window->next != next) {
      step = sum->window->step;
      next = sum->window->next;
      polls = yields = 0;
    }
    if (++polls < n_polls) {
      pause_briefly();
      continue;
    }
    sched_yield();
    if (++yields % YIELDS_A_LOOK) continue;
    // messages of other plans may wait in this rank's queues
    int arrived;
    COH_MPI(MPI_Iprobe(MPI_ANY_SOURCE, 0, world->comm, &arrived, MPI_STATUS_IGNORE));
    static const struct timespec nap = {.tv_nsec = NAP_NANOSECONDS};
    if (yields * 1e-6 > yield_seconds) nanosleep(&nap, NULL);
  }
  return COH_OK;
}
