/* The tree over lanes as a list of steps, each adding 2, 4 or 8 vectors.
 *
 * The vector is walked in blocks of 4 KiB: all steps run on one block before the next, so leaf
 * elements come from memory once and intermediate sums stay in the first cache levels. Blocks
 * are shared among threads; an element is always computed by the same additions. */
#include "comm/lane_tree.h"

#include <omp.h>
#include <string.h>

#include "base/alloc.h"

enum { BLOCK_BYTES = 4096, MAX_INPUTS = 8, MIN_BLOCKS_A_THREAD = 128 };

/* out = tree sum of the inputs. An operand >= 0 is a leaf, one < 0 is scratch slot -1 -
 * operand; an `out` >= 0 is the result. */
typedef struct step {
  int32_t out;
  int32_t n_inputs;
  int32_t input[MAX_INPUTS];
} step;

struct coh_lane_tree {
  coh_sum_type type;
  int64_t n_leaves;
  step *steps;
  int64_t n_steps;
  char *scratch; /* n_threads x n_slots blocks */
  int64_t n_slots;
  int n_threads;
};

#define ELEMENT float
#define ADD add_f32
#include "comm/lane_tree_add.inc"
#undef ELEMENT
#undef ADD

#define ELEMENT double
#define ADD add_f64
#include "comm/lane_tree_add.inc"
#undef ELEMENT
#undef ADD

// signed sums too: two's complement has the same bits and wraps
#define ELEMENT uint64_t
#define ADD add_u64
#include "comm/lane_tree_add.inc"
#undef ELEMENT
#undef ADD

typedef void add_function(void *out, const void *const from[], int n_inputs, int64_t n);

static const struct {
  size_t bytes;
  add_function *add;
} type_table[] = {
    [COH_SUM_F32] = {sizeof(float), add_f32},
    [COH_SUM_F64] = {sizeof(double), add_f64},
    [COH_SUM_I64] = {sizeof(int64_t), add_u64},
    [COH_SUM_U64] = {sizeof(uint64_t), add_u64},
};

size_t coh_sum_type_bytes(coh_sum_type type) {
  return type_table[type].bytes;
}

/* ---------------------------------------------------------------- planning */

/* Leaves [begin, end): a node of the tree under construction. */
typedef struct span {
  int64_t begin, end;
} span;

static bool is_leaf(span node) {
  return node.end - node.begin == 1;
}

// the leaf at which the node splits, -1 if the leaves do not meet the tree's split
static int64_t split_of(const int64_t bound[], span node) {
  int64_t length = bound[node.end] - bound[node.begin], left = 1;
  while (2 * left < length)
    left *= 2;
  int64_t lane = bound[node.begin] + left, low = node.begin, high = node.end;
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    if (bound[middle] <= lane)
      low = middle;
    else
      high = middle;
  }
  return bound[low] == lane ? low : -1;
}

// replace each of n nodes by its two halves; false if one is a leaf or does not split
static bool split_all(const int64_t bound[], int n, const span node[], span half[]) {
  for (int i = 0; i < n; ++i) {
    int64_t at = is_leaf(node[i]) ? -1 : split_of(bound, node[i]);
    if (at < 0) return false;
    half[2 * i] = (span){node[i].begin, at};
    half[2 * i + 1] = (span){at, node[i].end};
  }
  return true;
}

// add the steps that sum a node into `out`; its inputs use scratch slots from `slot` on
static coh_status plan_node(coh_lane_tree *tree, const int64_t bound[], span node, int32_t out,
                            int32_t slot) {
  span input[2 * MAX_INPUTS];
  int n_inputs = 1;
  input[0] = node;
  for (span half[2 * MAX_INPUTS];
       n_inputs < MAX_INPUTS && split_all(bound, n_inputs, input, half); n_inputs *= 2)
    memcpy(input, half, sizeof half);
  COH_CHECK(n_inputs > 1, COH_E_INTERNAL, "leaves that are not nodes of the lane tree");

  step planned = {.out = out, .n_inputs = n_inputs};
  for (int32_t i = 0; i < n_inputs; ++i) {
    if (is_leaf(input[i])) {
      planned.input[i] = (int32_t)input[i].begin;
      continue;
    }
    // inputs before this one hold slots below; this one may reuse its own for its first input
    planned.input[i] = -1 - (slot + i);
    if (tree->n_slots < slot + i + 1) tree->n_slots = slot + i + 1;
    COH_TRY(plan_node(tree, bound, input[i], -1 - (slot + i), slot + i));
  }
  tree->steps[tree->n_steps++] = planned;
  return COH_OK;
}

static coh_status plan_tree(coh_lane_tree *tree, const int64_t bound[]) {
  if (tree->n_leaves > 1) {
    COH_NEW(tree->steps, tree->n_leaves - 1);
    COH_TRY(plan_node(tree, bound, (span){0, tree->n_leaves}, 0, 0));
  }
  COH_NEW(tree->scratch, (size_t)tree->n_threads * (size_t)tree->n_slots * BLOCK_BYTES);
  return COH_OK;
}

coh_status coh_lane_tree_create(const int64_t bound[], int64_t n_leaves, coh_sum_type type,
                                int n_threads, coh_lane_tree **tree) {
  COH_CHECK(n_leaves >= 1 && n_leaves < INT32_MAX && n_threads >= 1, COH_E_INTERNAL,
            "a lane tree of %lld leaves on %d threads", (long long)n_leaves, n_threads);
  coh_lane_tree *made;
  COH_NEW(made, 1);
  made->type = type;
  made->n_leaves = n_leaves;
  made->n_threads = n_threads;
  coh_status status = plan_tree(made, bound);
  if (status != COH_OK) {
    coh_lane_tree_destroy(&made);
    return status;
  }
  *tree = made;
  return COH_OK;
}

int64_t coh_lane_tree_n_leaves(const coh_lane_tree *tree) {
  return tree->n_leaves;
}

void coh_lane_tree_destroy(coh_lane_tree **tree) {
  if (!*tree) return;
  COH_DELETE((*tree)->steps);
  COH_DELETE((*tree)->scratch);
  COH_DELETE(*tree);
}

/* ---------------------------------------------------------------- running */

static void run_block(const coh_lane_tree *tree, const void *const leaf[], size_t offset,
                      int64_t n, char *out, char *scratch) {
  add_function *add = type_table[tree->type].add;
  for (int64_t s = 0; s < tree->n_steps; ++s) {
    const step *now = &tree->steps[s];
    const void *from[MAX_INPUTS];
    for (int i = 0; i < now->n_inputs; ++i) {
      int32_t operand = now->input[i];
      from[i] = operand >= 0 ? (const char *)leaf[operand] + offset
                             : scratch + (size_t)(-1 - operand) * BLOCK_BYTES;
    }
    add(now->out >= 0 ? out : scratch + (size_t)(-1 - now->out) * BLOCK_BYTES, from,
        now->n_inputs, n);
  }
}

void coh_lane_tree_run(const coh_lane_tree *tree, const void *const leaf[], int64_t first,
                       int64_t n, void *out) {
  size_t bytes = type_table[tree->type].bytes, offset = (size_t)first * bytes;
  if (n == 0) return;
  if (tree->n_steps == 0) { // one leaf is its own sum
    const char *only = (const char *)leaf[0] + offset;
    if (only != out) memcpy(out, only, (size_t)n * bytes);
    return;
  }
  int64_t block = BLOCK_BYTES / (int64_t)bytes, n_blocks = (n + block - 1) / block;
  if (n_blocks == 1) {
    run_block(tree, leaf, offset, n, out, tree->scratch);
    return;
  }
  // waking threads costs microseconds, and a time slice where cores are taken: give each 512
  // KiB
  int64_t n_useful = n_blocks * tree->n_leaves / MIN_BLOCKS_A_THREAD;
  int n_threads = n_useful < tree->n_threads ? (int)n_useful : tree->n_threads;
  size_t thread_bytes = (size_t)tree->n_slots * BLOCK_BYTES;
#pragma omp parallel for schedule(static)                                       \
    num_threads(n_threads > 1 ? n_threads : 1) if (n_threads > 1) default(none) \
        shared(tree, leaf, out, offset, n, n_blocks, block, bytes, thread_bytes)
  for (int64_t b = 0; b < n_blocks; ++b) {
    int64_t n_here = n - b * block < block ? n - b * block : block;
    size_t at = (size_t)(b * block) * bytes;
    run_block(tree, leaf, offset + at, n_here, (char *)out + at,
              tree->scratch + (size_t)omp_get_thread_num() * thread_bytes);
  }
}

int coh_lane_tree_cut(int64_t first, int64_t end, int64_t n_lanes, int64_t bound[]) {
  int n_nodes = 0;
  bound[0] = first;
  while (first < end) {
    // double the node while it starts here, holds more lanes and stays inside
    int64_t width = 1;
    while (first % (2 * width) == 0 && first + width < n_lanes &&
           (first + 2 * width < n_lanes ? first + 2 * width : n_lanes) <= end)
      width *= 2;
    first = first + width < n_lanes ? first + width : n_lanes;
    bound[++n_nodes] = first;
  }
  return n_nodes;
}
