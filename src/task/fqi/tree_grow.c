/* Growing one tree: a stack of nodes; for each its range, its cut, its two sides. */
#include "task/fqi/tree_grow.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

static coh_status fill_grower(coh_tree_grower *g) {
  int64_t d = g->n_features;
  COH_CHECK(g->feature_bits < 32 && g->n_rows < (int64_t)1 << (31 - g->feature_bits),
            COH_E_CONFIG,
            "a tree of %lld rows of %lld features has more nodes than it can number; give each "
            "tree a smaller sample",
            (long long)g->n_rows, (long long)d);
  COH_TRY(coh_tree_columns_create(g->n_rows, d + 2, &g->sample));
  COH_TRY(coh_tree_columns_create(g->n_rows, d + 2, &g->spare));
  COH_NEW(g->low, d);
  COH_NEW(g->high, d);
  COH_NEW(g->order, d);
  COH_NEW(g->leaf, g->n_rows);
  g->stack_capacity = 256;
  COH_NEW(g->stack, g->stack_capacity);
  return COH_OK;
}

coh_status coh_tree_grower_create(int64_t n_rows, int64_t n_features, coh_tree_grower **out) {
  coh_tree_grower *g;
  COH_NEW(g, 1);
  g->n_rows = n_rows;
  g->n_features = n_features;
  while ((int64_t)1 << g->feature_bits < n_features)
    g->feature_bits++;
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
  coh_tree_columns_clear(&g->sample);
  coh_tree_columns_clear(&g->spare);
  coh_free(g->low), coh_free(g->high), coh_free(g->order);
  coh_free(g->key), coh_free(g->spare_key), coh_free(g->stack), coh_free(g->leaf);
  COH_DELETE(*grower);
}

void coh_tree_clear(coh_tree *tree) {
  coh_free(tree->node);
  coh_free(tree->value);
  *tree = (coh_tree){0};
}

// ---- cuts ---------------------------------------------------------------------------------
// d, the number of features, is a constant where these are inlined for few of them

// the features that vary, in their order
COH_TREE_INLINE int64_t list_features(coh_tree_grower *g, int64_t d) {
  int64_t n = 0;
  for (int64_t f = 0; f < d; f++) {
    g->order[n] = (uint32_t)f;
    n += g->low[f] < g->high[f];
  }
  return n;
}

COH_TREE_INLINE coh_tree_cut random_cut(coh_tree_grower *g, int64_t d, coh_stream *stream) {
  if (coh_tree_choose(g, list_features(g, d), 1, stream) == 0)
    return (coh_tree_cut){.feature = -1};
  uint32_t f = g->order[0];
  return (coh_tree_cut){.feature = f,
                        .threshold = coh_tree_threshold(g, g->low[f], g->high[f], stream)};
}

#ifdef __AVX512F__

// weigh the first candidates together. Their thresholds are drawn ahead: a tie of scores draws
// too, and then those that come after it are drawn and weighed again. Returns how many.
COH_TREE_INLINE int64_t weigh_ahead(coh_tree_grower *g, int64_t n_candidates, int64_t begin,
                                    const float *y, int64_t n, coh_stream *stream,
                                    coh_tree_cuts *cuts) {
  int64_t n_cuts = n_candidates < COH_TREE_CUTS ? n_candidates : COH_TREE_CUTS;
  int n_drawn = g->n_drawn;
  if (n_drawn + n_cuts > COH_TREE_DRAWS) return 0;
  for (int64_t k = 0; k < n_cuts; k++) {
    uint32_t f = g->order[k];
    cuts->x[k] = coh_tree_column(&g->sample, f) + begin;
    cuts->cut[k] = coh_tree_threshold(g, g->low[f], g->high[f], stream);
  }
  g->n_drawn = n_drawn;
  switch (n_cuts) {
  case 1:
    coh_tree_weigh_cuts(cuts, 1, y, y[0], n);
    break;
  case 2:
    coh_tree_weigh_cuts(cuts, 2, y, y[0], n);
    break;
  case 3:
    coh_tree_weigh_cuts(cuts, 3, y, y[0], n);
    break;
  default:
    coh_tree_weigh_cuts(cuts, COH_TREE_CUTS, y, y[0], n);
  }
  return n_cuts;
}

#else
enum { COH_TREE_CUTS = 1 };
typedef struct coh_tree_cuts {
  float cut[COH_TREE_CUTS];
  int64_t n_below[COH_TREE_CUTS];
  double total, left[COH_TREE_CUTS];
} coh_tree_cuts;

COH_TREE_INLINE int64_t weigh_ahead(coh_tree_grower *g, int64_t n_candidates, int64_t begin,
                                    const float *y, int64_t n, coh_stream *stream,
                                    coh_tree_cuts *cuts) {
  (void)g, (void)n_candidates, (void)begin, (void)y, (void)n, (void)stream, (void)cuts;
  return 0;
}
#endif

// scores count from the first target: a common shift does not change their order, and small
// differences of large targets are not lost
COH_TREE_INLINE coh_tree_cut extra_cut(coh_tree_grower *g, int64_t d, int64_t most,
                                       int64_t begin, int64_t n, coh_stream *stream) {
  if (n == 2) return random_cut(g, d, stream); // any cut parts them
  coh_tree_cut best = {.feature = -1, .score = -INFINITY};
  int64_t n_candidates = coh_tree_choose(g, list_features(g, d), most, stream);
  if (n_candidates == 0) return best;
  const float *y = coh_tree_column(&g->sample, d) + begin;
  coh_tree_cuts ahead = {.total = 0};
  int64_t n_ahead = weigh_ahead(g, n_candidates, begin, y, n, stream, &ahead);
  double total = ahead.total, left;
  uint32_t n_tied = 0;
  if (n_ahead == 0) coh_tree_weigh(y, INFINITY, y, y[0], n, &total);
  for (int64_t k = 0; k < n_candidates; k++) {
    uint32_t f = g->order[k];
    float cut = coh_tree_threshold(g, g->low[f], g->high[f], stream);
    double n_left;
    if (k < n_ahead && cut == ahead.cut[k])
      n_left = (double)ahead.n_below[k], left = ahead.left[k];
    else
      n_left = (double)coh_tree_weigh(coh_tree_column(&g->sample, f) + begin, cut, y, y[0], n,
                                      &left);
    double right = total - left, n_right = (double)n - n_left;
    double score = (left * left * n_right + right * right * n_left) / (n_left * n_right);
    if (coh_tree_is_taken(g, score, best.score, &n_tied, stream))
      best = (coh_tree_cut){.feature = f, .threshold = cut, .score = score};
  }
  return best;
}

COH_TREE_INLINE coh_status find_cut(coh_tree_grower *g, const coh_tree_options *options,
                                    int64_t d, int64_t begin, int64_t n, coh_stream *stream,
                                    coh_tree_cut *cut) {
  *cut = (coh_tree_cut){.feature = -1};
  if (options->split != COH_SPLIT_RANDOM) {
    float low, high; // all targets equal: nothing to explain
    coh_tree_range(coh_tree_column(&g->sample, d) + begin, n, &low, &high);
    if (low == high) return COH_OK;
  }
  for (int64_t f = 0; f < d; f++)
    coh_tree_range(coh_tree_column(&g->sample, f) + begin, n, &g->low[f], &g->high[f]);
  if (options->split == COH_SPLIT_BEST) return coh_tree_best_cut(g, begin, n, cut);
  int64_t most = options->n_candidates > 0 ? options->n_candidates : d;
  *cut = options->split == COH_SPLIT_RANDOM ? random_cut(g, d, stream)
                                            : extra_cut(g, d, most, begin, n, stream);
  return COH_OK;
}

// ---- the tree -----------------------------------------------------------------------------

// room for so many nodes, and for what two small subtrees add
static coh_status reserve(coh_tree *tree, int64_t n_nodes) {
  if (n_nodes + 4 * COH_TREE_FEW <= tree->capacity) return COH_OK;
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
  int64_t n = sample->n_rows, d = sample->n_features;
  const uint32_t *rows = sample->rows;
  uint32_t *id = coh_tree_row_numbers(&g->sample);
  float *y = coh_tree_column(&g->sample, d);
  for (int64_t i = 0; i < n; i++) {
    id[i] = rows ? rows[i] : (uint32_t)i;
    y[i] = (float)sample->targets[id[i]];
  }
  for (int64_t k = 0; k < d; k++) {
    const float *from = sample->features + k * sample->n_stride;
    float *to = coh_tree_column(&g->sample, k);
    if (!rows) memcpy(to, from, (size_t)n * sizeof *from);
    for (int64_t i = 0; rows && i < n; i++)
      to[i] = from[rows[i]];
  }
}

// values of leaves, when the tree has its shape: the rows of each lie side by side then
static void fill_leaves(const coh_tree_grower *g, const double *targets, double *sums,
                        coh_tree *tree) {
  const uint32_t *id = coh_tree_row_numbers(&g->sample);
  for (int64_t k = 0; k < tree->n_leaves; k++) {
    const coh_tree_task *leaf = &g->leaf[k];
    double sum = targets[id[leaf->begin]];
    for (int64_t i = leaf->begin + 1; i < leaf->end; i++)
      sum += targets[id[i]];
    if (leaf->end - leaf->begin > 1) sum /= (double)(leaf->end - leaf->begin);
    tree->value[leaf->node] = sum;
    for (int64_t i = leaf->begin; sums && i < leaf->end; i++)
      sums[id[i]] += sum;
  }
}

static coh_status push(coh_tree_grower *g, int64_t *depth, coh_tree_task task) {
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

// a node too small to be cut is a leaf at once, a small subtree grows at once, others wait
static inline coh_status settle(coh_tree_growth *w, coh_tree_task task) {
  int64_t n = task.end - task.begin;
  if (n < w->options->n_min || n < 2) coh_tree_make_leaf(w, &task);
#ifdef __AVX2__
  else if (n <= COH_TREE_FEW && w->options->split != COH_SPLIT_BEST &&
           w->g->n_features <= COH_TREE_FEW_FEATURES)
    coh_tree_grow_few(w, &task);
#endif
  else
    return push(w->g, &w->depth, task);
  return COH_OK;
}

COH_TREE_INLINE coh_status grow_node(coh_tree_growth *w, int64_t d, const coh_tree_task *at) {
  coh_tree_grower *g = w->g;
  coh_tree *tree = w->tree;
  coh_tree_cut cut;
  COH_TRY(find_cut(g, w->options, d, at->begin, at->end - at->begin, w->stream, &cut));
  if (cut.feature < 0) {
    coh_tree_make_leaf(w, at);
    return COH_OK;
  }
  int64_t middle = at->begin + coh_tree_part(&g->sample, &g->spare, d + 2, at->begin,
                                             at->end - at->begin, cut.feature, cut.threshold);
  uint32_t left = (uint32_t)tree->n_nodes;
  tree->n_nodes += 2;
  COH_TRY(reserve(tree, tree->n_nodes));
  tree->node[at->node] = coh_tree_cut_node(tree, cut.threshold, cut.feature, left);
  COH_TRY(settle(w, (coh_tree_task){left + 1, middle, at->end}));
  return settle(w, (coh_tree_task){left, at->begin, middle});
}

COH_TREE_INLINE coh_status grow_all(coh_tree_growth *w, int64_t d) {
  while (w->depth > 0) {
    coh_tree_task at = w->g->stack[--w->depth];
    COH_TRY(grow_node(w, d, &at));
  }
  return COH_OK;
}

static coh_status grow_by_width(coh_tree_growth *w) {
  switch (w->g->n_features) {
  case 2:
    return grow_all(w, 2);
  case 3:
    return grow_all(w, 3);
  case 5:
    return grow_all(w, 5);
  default:
    return grow_all(w, w->g->n_features);
  }
}

coh_status coh_tree_grow(coh_tree_grower *g, const coh_tree_options *options,
                         const coh_tree_sample *sample, coh_stream *stream, double *sums,
                         coh_tree *tree) {
  load_sample(g, sample);
  g->n_drawn = COH_TREE_DRAWS;
  tree->n_leaves = 0;
  tree->n_nodes = 1;
  tree->feature_bits = g->feature_bits;
  COH_TRY(reserve(tree, 1));
  coh_tree_growth w = {.g = g, .options = options, .tree = tree, .stream = stream};
  COH_TRY(settle(&w, (coh_tree_task){0, 0, sample->n_rows}));
  COH_TRY(grow_by_width(&w));
  fill_leaves(g, sample->targets, sums, tree);
  return COH_OK;
}
