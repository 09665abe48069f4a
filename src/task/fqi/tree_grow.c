/* Growing one tree: a stack of nodes; for each its range, its cut, its two sides. */
#include "task/fqi/tree_grow.h"

#include <math.h>
#include <string.h>

#ifdef __SSE__
#include <immintrin.h>
#endif

#include "base/alloc.h"

int64_t coh_tree_row_floats(int64_t n_features) {
  return (n_features + 1 + 3) / 4 * 4;
}

static coh_status make_rows(int64_t n, int64_t width, coh_tree_rows *rows) {
  COH_NEW(rows->row, n * width);
  COH_NEW(rows->id, n);
  return COH_OK;
}

static coh_status fill_grower(coh_tree_grower *g) {
  COH_TRY(make_rows(g->n_rows, g->width, &g->sample));
  COH_TRY(make_rows(g->n_queries, g->width, &g->query));
  // parting writes one row beyond those that it moves
  int64_t most = g->n_rows > g->n_queries ? g->n_rows : g->n_queries;
  COH_TRY(make_rows(most + 1, g->width, &g->spare));
  COH_NEW(g->low, g->width);
  COH_NEW(g->high, g->width);
  COH_NEW(g->cut, g->width);
  COH_NEW(g->count, g->width);
  COH_NEW(g->sum, g->width);
  COH_NEW(g->order, g->n_features);
  g->stack_capacity = 256;
  COH_NEW(g->stack, g->stack_capacity);
  return COH_OK;
}

coh_status coh_tree_grower_create(int64_t n_rows, int64_t n_queries, int64_t n_features,
                                  coh_tree_grower **out) {
  coh_tree_grower *g;
  COH_NEW(g, 1);
  g->n_rows = n_rows;
  g->n_queries = n_queries;
  g->n_features = n_features;
  g->width = coh_tree_row_floats(n_features) / 4;
  coh_status status = fill_grower(g);
  if (status == COH_OK)
    *out = g;
  else
    coh_tree_grower_destroy(&g);
  return status;
}

void coh_tree_grower_destroy(coh_tree_grower **grower) {
  coh_tree_grower *g = *grower;
  if (!g) return;
  coh_free(g->sample.row), coh_free(g->sample.id);
  coh_free(g->query.row), coh_free(g->query.id);
  coh_free(g->spare.row), coh_free(g->spare.id);
  coh_free(g->low), coh_free(g->high), coh_free(g->cut), coh_free(g->count), coh_free(g->sum);
  coh_free(g->order), coh_free(g->key), coh_free(g->spare_key), coh_free(g->stack);
  COH_DELETE(*grower);
}

void coh_tree_clear(coh_tree *tree) {
  coh_free(tree->node);
  coh_free(tree->value);
  *tree = (coh_tree){0};
}

// ---- kernels over the rows of a node ------------------------------------------------------
// width is a constant where these are inlined for narrow rows

static inline coh_v4 smaller(coh_v4 a, coh_v4 b) {
#ifdef __SSE__
  return (coh_v4)_mm_min_ps((__m128)a, (__m128)b);
#else
  coh_m4 below = a < b;
  return (coh_v4)(((coh_m4)a & below) | ((coh_m4)b & ~below));
#endif
}

static inline coh_v4 larger(coh_v4 a, coh_v4 b) {
#ifdef __SSE__
  return (coh_v4)_mm_max_ps((__m128)a, (__m128)b);
#else
  coh_m4 above = a > b;
  return (coh_v4)(((coh_m4)a & above) | ((coh_m4)b & ~above));
#endif
}

static inline __attribute__((always_inline)) void
find_range(int64_t width, const coh_v4 *row, int64_t n, coh_v4 *low, coh_v4 *high) {
  for (int64_t w = 0; w < width; w++) {
    coh_v4 lo = row[w], hi = lo;
    for (int64_t i = 1; i < n; i++) {
      coh_v4 x = row[i * width + w];
      lo = smaller(x, lo);
      hi = larger(x, hi);
    }
    low[w] = lo;
    high[w] = hi;
  }
}

// for every feature at once: how many rows lie below its cut, and the sum of their targets
static inline __attribute__((always_inline)) void weigh(coh_tree_grower *g, int64_t width,
                                                        const coh_v4 *row, int64_t n) {
  for (int64_t w = 0; w < width; w++) {
    coh_v4 cut = g->cut[w];
    coh_m4 count = {0};
    coh_d4 even = {0}, odd = {0};
    int64_t i = 0;
    for (; i + 1 < n; i += 2) {
      float y0 = row[i * width + width - 1][3], y1 = row[(i + 1) * width + width - 1][3];
      coh_m4 m0 = row[i * width + w] < cut, m1 = row[(i + 1) * width + w] < cut;
      coh_v4 s0 = (coh_v4)((coh_m4)(coh_v4){y0, y0, y0, y0} & m0);
      coh_v4 s1 = (coh_v4)((coh_m4)(coh_v4){y1, y1, y1, y1} & m1);
      count -= m0 + m1;
      even += __builtin_convertvector(s0, coh_d4);
      odd += __builtin_convertvector(s1, coh_d4);
    }
    if (i < n) {
      float y = row[i * width + width - 1][3];
      coh_m4 m = row[i * width + w] < cut;
      count -= m;
      even += __builtin_convertvector((coh_v4)((coh_m4)(coh_v4){y, y, y, y} & m), coh_d4);
    }
    g->count[w] = count;
    g->sum[w] = even + odd;
  }
}

// rows below the cut first, each side in its order; returns how many
static inline __attribute__((always_inline)) int64_t
part(const coh_tree_grower *g, const coh_tree_rows *from, int64_t width, int64_t begin,
     int64_t n, int64_t feature, float threshold) {
  coh_v4 *row = from->row + begin * width, *spare = g->spare.row;
  uint32_t *id = from->id + begin, *spare_id = g->spare.id;
  int64_t n_left = 0, n_right = 0;
  for (int64_t i = 0; i < n; i++) {
    int64_t left = ((const float *)(row + i * width))[feature] < threshold;
    uint32_t number = id[i];
    for (int64_t w = 0; w < width; w++) {
      coh_v4 x = row[i * width + w];
      row[n_left * width + w] = x;
      spare[n_right * width + w] = x;
    }
    id[n_left] = number;
    spare_id[n_right] = number;
    n_left += left;
    n_right += 1 - left;
  }
  for (int64_t i = 0; i < n_right * width; i++)
    row[n_left * width + i] = spare[i];
  for (int64_t i = 0; i < n_right; i++)
    id[n_left + i] = spare_id[i];
  return n_left;
}

static void range_of(coh_tree_grower *g, int64_t begin, int64_t n) {
  const coh_v4 *row = g->sample.row + begin * g->width;
  if (g->width == 1)
    find_range(1, row, n, g->low, g->high);
  else if (g->width == 2)
    find_range(2, row, n, g->low, g->high);
  else
    find_range(g->width, row, n, g->low, g->high);
}

static void weigh_cuts(coh_tree_grower *g, int64_t begin, int64_t n) {
  const coh_v4 *row = g->sample.row + begin * g->width;
  if (g->width == 1)
    weigh(g, 1, row, n);
  else if (g->width == 2)
    weigh(g, 2, row, n);
  else
    weigh(g, g->width, row, n);
}

int64_t coh_tree_part(const coh_tree_grower *g, const coh_tree_rows *rows, int64_t begin,
                      int64_t end, int64_t feature, float threshold) {
  int64_t n = end - begin;
  if (g->width == 1) return begin + part(g, rows, 1, begin, n, feature, threshold);
  if (g->width == 2) return begin + part(g, rows, 2, begin, n, feature, threshold);
  return begin + part(g, rows, g->width, begin, n, feature, threshold);
}

// ---- cuts ---------------------------------------------------------------------------------

// candidates: the features that vary, the first `most` of a random order
static int64_t choose_features(coh_tree_grower *g, int64_t most, coh_stream *stream) {
  const float *low = (const float *)g->low, *high = (const float *)g->high;
  int64_t n = 0;
  for (int64_t f = 0; f < g->n_features; f++)
    if (low[f] < high[f]) g->order[n++] = (uint32_t)f;
  for (int64_t k = 0; k < most && k + 1 < n; k++) {
    int64_t other = k + (int64_t)((uint64_t)coh_stream_u32(stream) * (uint64_t)(n - k) >> 32);
    uint32_t chosen = g->order[other];
    g->order[other] = g->order[k];
    g->order[k] = chosen;
  }
  return n < most ? n : most;
}

// uniform in (low, high], so that both sides get rows
static float random_threshold(float low, float high, coh_stream *stream) {
  float share = (float)(coh_stream_u32(stream) >> 8) * 0x1p-24f;
  float threshold = high - share * (high - low);
  return threshold > low ? threshold : high;
}

static coh_tree_cut random_cut(coh_tree_grower *g, coh_stream *stream) {
  if (choose_features(g, 1, stream) == 0) return (coh_tree_cut){.feature = -1};
  uint32_t f = g->order[0];
  return (coh_tree_cut){.feature = f,
                        .threshold = random_threshold(((const float *)g->low)[f],
                                                      ((const float *)g->high)[f], stream)};
}

// the total of the node is what lies below a cut that all rows lie below: the target's own slot
static coh_tree_cut extra_cut(coh_tree_grower *g, int64_t most, int64_t begin, int64_t n,
                              coh_stream *stream) {
  if (n == 2) return random_cut(g, stream); // any cut parts them
  coh_tree_cut best = {.feature = -1, .score = -INFINITY};
  int64_t n_candidates = choose_features(g, most, stream);
  if (n_candidates == 0) return best;
  float *cut = (float *)g->cut;
  for (int64_t k = 0; k < n_candidates; k++) {
    uint32_t f = g->order[k];
    cut[f] = random_threshold(((const float *)g->low)[f], ((const float *)g->high)[f], stream);
  }
  int64_t total_slot = 4 * g->width - 1;
  cut[total_slot] = INFINITY;
  weigh_cuts(g, begin, n);
  const double *sum = (const double *)g->sum;
  const int32_t *count = (const int32_t *)g->count;
  for (int64_t k = 0; k < n_candidates; k++) {
    uint32_t f = g->order[k];
    double left = sum[f], right = sum[total_slot] - left, n_left = count[f];
    double score = left * left / n_left + right * right / ((double)n - n_left);
    if (score > best.score)
      best = (coh_tree_cut){.feature = f, .threshold = cut[f], .score = score};
  }
  return best;
}

static coh_status find_cut(coh_tree_grower *g, const coh_tree_options *options, int64_t begin,
                           int64_t n, coh_stream *stream, coh_tree_cut *cut) {
  *cut = (coh_tree_cut){.feature = -1};
  range_of(g, begin, n);
  if (options->split == COH_SPLIT_RANDOM) {
    *cut = random_cut(g, stream);
    return COH_OK;
  }
  // all targets equal: nothing to explain
  int64_t target = 4 * g->width - 1;
  if (((const float *)g->low)[target] == ((const float *)g->high)[target]) return COH_OK;
  if (options->split == COH_SPLIT_BEST) return coh_tree_best_cut(g, begin, n, cut);
  int64_t most = options->n_candidates > 0 ? options->n_candidates : g->n_features;
  *cut = extra_cut(g, most, begin, n, stream);
  return COH_OK;
}

// ---- the tree -----------------------------------------------------------------------------

static coh_status reserve(coh_tree *tree, int64_t n_nodes) {
  if (n_nodes <= tree->capacity) return COH_OK;
  int64_t capacity = tree->capacity ? 2 * tree->capacity : 1024;
  coh_tree_node *node =
      coh_alloc_resize(tree->node, (size_t)tree->capacity, (size_t)capacity, sizeof *node);
  if (node) tree->node = node;
  double *value =
      coh_alloc_resize(tree->value, (size_t)tree->capacity, (size_t)capacity, sizeof *value);
  if (value) tree->value = value;
  COH_CHECK(node && value, COH_E_MEMORY, "out of memory for a tree of %lld nodes",
            (long long)capacity);
  tree->capacity = capacity;
  return COH_OK;
}

static void load_sample(coh_tree_grower *g, const coh_tree_sample *sample) {
  float *row = (float *)g->sample.row;
  int64_t stride = 4 * g->width, d = sample->n_features;
  for (int64_t i = 0; i < sample->n_rows; i++) {
    int64_t from = sample->rows ? sample->rows[i] : i;
    for (int64_t k = 0; k < d; k++)
      row[i * stride + k] = sample->features[from * d + k];
    for (int64_t k = d; k < stride - 1; k++)
      row[i * stride + k] = 0;
    row[i * stride + stride - 1] = (float)sample->targets[from];
    g->sample.id[i] = (uint32_t)from;
  }
}

void coh_tree_load_queries(coh_tree_grower *g, const coh_tree_queries *queries) {
  memcpy(g->query.row, queries->features,
         (size_t)(queries->n_rows * g->width) * sizeof *g->query.row);
  for (int64_t i = 0; i < queries->n_rows; i++)
    g->query.id[i] = (uint32_t)i;
}

static void make_leaf(const coh_tree_grower *g, const double *targets,
                      const coh_tree_queries *queries, const coh_tree_task *task,
                      coh_tree *tree) {
  const uint32_t *id = g->sample.id;
  double sum = 0;
  for (int64_t i = task->begin; i < task->end; i++)
    sum += targets[id[i]];
  double value = sum / (double)(task->end - task->begin);
  tree->node[task->node] = (coh_tree_node){.threshold = INFINITY, .left = task->node};
  tree->value[task->node] = value;
  tree->n_leaves++;
  if (!queries) return;
  for (int64_t i = task->query_begin; i < task->query_end; i++)
    queries->sums[g->query.id[i]] += value;
  for (int64_t i = task->begin; queries->sample_sums && i < task->end; i++)
    queries->sample_sums[id[i]] += value;
}

coh_status coh_tree_push(coh_tree_grower *g, int64_t *depth, coh_tree_task task) {
  if (*depth == g->stack_capacity) {
    coh_tree_task *stack = coh_alloc_resize(g->stack, (size_t)g->stack_capacity,
                                            (size_t)(2 * g->stack_capacity), sizeof *stack);
    COH_CHECK(stack, COH_E_MEMORY, "out of memory for a deep tree");
    g->stack = stack;
    g->stack_capacity *= 2;
  }
  g->stack[(*depth)++] = task;
  return COH_OK;
}

// what is left to do while a tree grows
typedef struct growth {
  coh_tree_grower *g;
  const coh_tree_options *options;
  const coh_tree_sample *sample;
  const coh_tree_queries *queries;
  coh_tree *tree;
  int64_t depth;
} growth;

// a node too small to be cut is a leaf at once, others wait
static coh_status settle(growth *w, coh_tree_task task) {
  int64_t n = task.end - task.begin;
  if (n >= w->options->n_min && n > 1) return coh_tree_push(w->g, &w->depth, task);
  make_leaf(w->g, w->sample->targets, w->queries, &task, w->tree);
  return COH_OK;
}

static coh_status grow_node(growth *w, const coh_tree_task *at, coh_stream *stream) {
  coh_tree_grower *g = w->g;
  coh_tree *tree = w->tree;
  coh_tree_cut cut;
  COH_TRY(find_cut(g, w->options, at->begin, at->end - at->begin, stream, &cut));
  if (cut.feature < 0) {
    make_leaf(g, w->sample->targets, w->queries, at, tree);
    return COH_OK;
  }
  int64_t middle = coh_tree_part(g, &g->sample, at->begin, at->end, cut.feature, cut.threshold);
  int64_t query_middle = at->query_begin;
  if (at->query_begin < at->query_end)
    query_middle =
        coh_tree_part(g, &g->query, at->query_begin, at->query_end, cut.feature, cut.threshold);
  uint32_t left = (uint32_t)tree->n_nodes;
  tree->n_nodes += 2;
  COH_TRY(reserve(tree, tree->n_nodes));
  tree->node[at->node] = (coh_tree_node){cut.threshold, (uint32_t)cut.feature, left};
  COH_TRY(settle(w, (coh_tree_task){left + 1, middle, at->end, query_middle, at->query_end}));
  return settle(w, (coh_tree_task){left, at->begin, middle, at->query_begin, query_middle});
}

coh_status coh_tree_grow(coh_tree_grower *g, const coh_tree_options *options,
                         const coh_tree_sample *sample, const coh_tree_queries *queries,
                         coh_stream *stream, coh_tree *tree) {
  load_sample(g, sample);
  if (queries) coh_tree_load_queries(g, queries);
  tree->n_leaves = 0;
  tree->n_nodes = 1;
  COH_TRY(reserve(tree, 1));
  growth w = {.g = g, .options = options, .sample = sample, .queries = queries, .tree = tree};
  COH_TRY(settle(&w, (coh_tree_task){0, 0, sample->n_rows, 0, queries ? queries->n_rows : 0}));
  while (w.depth > 0) {
    coh_tree_task at = g->stack[--w.depth];
    COH_TRY(grow_node(&w, &at, stream));
  }
  return COH_OK;
}
