/* Forests. Lane i grows the trees [i M / L, (i + 1) M / L) on the whole batch and sums their
 * values at the next states; one lane sum gives everybody the forest's. Most
 * next states are the state of the row that follows: there the value of the action that was
 * taken is the leaf that the row itself came to, and needs no query. */
#include "task/fqi/forest.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "task/lane_loop.h"

enum { BLOCK = 4096, MANY = 1024 };

typedef struct forest_lane {
  int64_t first_tree, n_trees;
  coh_tree *tree;
  coh_tree_grower *grower;
  uint32_t *rows; // the sample of a tree, or NULL: all rows
  double *sums;   // n_places, then n_rows
  double *block;  // BLOCK x n_actions
} forest_lane;

struct coh_forest {
  const coh_fqi_problem *problem;
  coh_tree_options tree_options;
  int64_t n_trees, sample;
  bool keep_structure;
  int64_t n_features, n_places;
  float *features;       // (n_features, n_rows): state and action, near rows side by side
  uint32_t *order;       // (n_rows): the batch's row that stands at a place of features
  double *targets;       // (n_rows): in that order
  coh_tree_rows queries; // next states and actions
  int64_t *place;        // (n_rows, n_actions): in a lane's sums; -1: the row terminated
  double *total;         // of all lanes
  float *asked;          // BLOCK x n_actions x n_features
  double *answers;       // BLOCK x n_actions: where many are asked for, in their arranged order
  forest_lane *lane;
  const void **sources;
  coh_lane_sum *sum;
  // of the fit or the block at hand
  int64_t iteration, n_asked;
  const coh_tree_rows *arranged; // NULL: as they are
};

// ---- create -------------------------------------------------------------------------------

static bool follows(const coh_transitions *batch, int64_t i) {
  size_t bytes = (size_t)batch->n_values * sizeof(float);
  return i + 1 < batch->n_rows && memcmp(batch->next_states + i * batch->n_values,
                                         batch->states + (i + 1) * batch->n_values, bytes) == 0;
}

// say which query, or which row of the sample (n_queries and on), has the value of each next
// state and action; with `queries`, columns of n_queries, write the queries too
static int64_t list_queries(coh_forest *f, int64_t n_queries, float *queries) {
  const coh_transitions *batch = f->problem->batch;
  int64_t n = batch->n_rows, n_actions = batch->n_actions, d = batch->n_values, found = 0;
  for (int64_t i = 0; i < n; i++) {
    bool chained = f->sample == 0 && follows(batch, i);
    for (int64_t a = 0; a < n_actions; a++) {
      int64_t *place = &f->place[i * n_actions + a];
      if (batch->terminated[i]) {
        *place = -1;
      } else if (chained && batch->actions[i + 1] == a) {
        *place = n_queries + i + 1;
      } else {
        *place = found;
        for (int64_t k = 0; queries && k <= d; k++)
          queries[k * n_queries + found] = k < d ? batch->next_states[i * d + k] : (float)a;
        found++;
      }
    }
  }
  return found;
}

// arrange the queries, and say where in a lane's sums each value stands
static coh_status place_queries(coh_forest *f) {
  const coh_transitions *batch = f->problem->batch;
  int64_t n_queries = list_queries(f, 0, NULL);
  float *queries;
  COH_NEW(queries, n_queries * f->n_features);
  list_queries(f, n_queries, queries);
  coh_status status = coh_tree_rows_create(n_queries, f->n_features, queries, &f->queries);
  coh_free(queries);
  COH_TRY(status);
  f->n_places = f->queries.stride;
  int64_t *stands; // where a query is, and where a row of the sample
  COH_NEW(stands, n_queries + batch->n_rows);
  for (int64_t k = 0; k < batch->n_rows; k++)
    stands[n_queries + f->order[k]] = f->n_places + k;
  for (int64_t k = 0; k < n_queries; k++)
    stands[f->queries.row[k]] = k;
  for (int64_t i = 0; i < batch->n_rows * batch->n_actions; i++) {
    if (f->place[i] >= 0) f->place[i] = stands[f->place[i]];
  }
  coh_free(stands);
  return COH_OK;
}

// the batch in columns, arranged so that the rows of a leaf are neighbours in memory
static coh_status arrange_rows(coh_forest *f, int64_t n) {
  coh_tree_rows rows;
  COH_TRY(coh_tree_rows_create(n, f->n_features, f->features, &rows));
  for (int64_t i = 0; i < n; i++)
    f->order[i] = rows.row[i];
  for (int64_t k = 0; k < f->n_features; k++)
    memcpy(f->features + k * n, rows.columns + k * rows.stride, (size_t)n * sizeof(float));
  coh_tree_rows_clear(&rows);
  return COH_OK;
}

// what a forest takes of memory, about: rows and queries in columns, a grower and sums a lane,
// nodes of trees that grow to n_min
static double count_bytes(const coh_forest *f) {
  const coh_lanes *lanes = &f->problem->context->lanes;
  const coh_transitions *batch = f->problem->batch;
  double n = (double)batch->n_rows, d = (double)batch->n_values + 1;
  double n_sample = f->sample > 0 ? (double)f->sample : n;
  // of a state that goes on, one action is the next row's own
  double n_queries = n * (double)(batch->n_actions - (f->sample == 0 && batch->n_actions > 1));
  double shared = n * (4 * d + 20 + 8 * (double)batch->n_actions) + n_queries * (4 * d + 12);
  double a_lane = n_sample * (8 * (d + 2) + 24) + 8 * (n + n_queries);
  double n_leaves = 2 * n_sample / (double)f->tree_options.n_min;
  double n_trees = (double)(f->n_trees * lanes->n_local) / (double)lanes->n_lanes;
  double a_tree = 2 * n_leaves * (double)(sizeof(coh_tree_node) + sizeof(double));
  return shared + a_lane * (double)lanes->n_local + a_tree * n_trees;
}

// trees need their rows in memory; more than the node has would end in the kernel's killer
static coh_status check_machine(const coh_forest *f) {
  double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  int n_ranks = coh_world_local_size(f->problem->context->world);
  double need = count_bytes(f);
  COH_CHECK(
      need <= memory / n_ranks, COH_E_CONFIG,
      "%s: %lld trees on %lld transitions need about %.1f GB on each of %d ranks of a node "
      "that has %.1f; give each tree a sample, larger min_rows, fewer trees or more nodes, or "
      "take ridge or nfq, which read a mapped batch from disk",
      f->problem->batch->source, (long long)f->n_trees, (long long)f->problem->batch->n_rows,
      need / 1e9, n_ranks, memory / 1e9);
  return COH_OK;
}

static coh_status create_lane(coh_forest *f, int64_t local) {
  const coh_lanes *lanes = &f->problem->context->lanes;
  const coh_transitions *batch = f->problem->batch;
  forest_lane *lane = &f->lane[local];
  int64_t index = lanes->first + local;
  lane->first_tree = index * f->n_trees / lanes->n_lanes;
  lane->n_trees = (index + 1) * f->n_trees / lanes->n_lanes - lane->first_tree;
  COH_NEW(lane->tree, lane->n_trees);
  int64_t n_sample = f->sample > 0 ? f->sample : batch->n_rows;
  COH_TRY(coh_tree_grower_create(n_sample, f->n_features, &lane->grower));
  if (f->sample > 0) COH_NEW(lane->rows, n_sample);
  COH_NEW(lane->sums, f->n_places + batch->n_rows);
  COH_NEW(lane->block, BLOCK * batch->n_actions);
  return COH_OK;
}

static coh_status fill_forest(coh_forest *f) {
  const coh_transitions *batch = f->problem->batch;
  int64_t n = batch->n_rows, d = batch->n_values, n_actions = batch->n_actions;
  f->n_features = d + 1;
  COH_NEW(f->features, n * f->n_features);
  for (int64_t k = 0; k <= d; k++)
    for (int64_t i = 0; i < n; i++)
      f->features[k * n + i] = k < d ? batch->states[i * d + k] : (float)batch->actions[i];
  COH_NEW(f->order, n);
  COH_NEW(f->targets, n);
  COH_TRY(arrange_rows(f, n));
  COH_NEW(f->place, n * n_actions);
  COH_TRY(place_queries(f));
  COH_NEW(f->total, f->n_places + n);
  COH_NEW(f->asked, BLOCK * n_actions * f->n_features);
  COH_NEW(f->answers, BLOCK * n_actions);
  COH_NEW(f->lane, f->problem->context->lanes.n_local);
  COH_NEW(f->sources, f->problem->context->lanes.n_local);
  for (int64_t local = 0; local < f->problem->context->lanes.n_local; local++)
    COH_TRY(create_lane(f, local));
  return COH_OK;
}

coh_status coh_forest_create(const coh_fqi_problem *problem, const coh_forest_options *options,
                             coh_tree_split split, bool keep_structure, void **forest) {
  coh_forest *f;
  COH_NEW(f, 1);
  f->problem = problem;
  f->tree_options = (coh_tree_options){split, options->candidates, options->min_rows};
  f->n_trees = options->trees;
  f->sample = options->sample < problem->batch->n_rows ? options->sample : 0;
  f->keep_structure = keep_structure;
  *forest = f;
  COH_TRY(check_machine(f));
  return fill_forest(f);
}

coh_status coh_forest_connect(void *forest) {
  coh_forest *f = forest;
  const coh_run_context *context = f->problem->context;
  int64_t most = f->n_places + f->problem->batch->n_rows;
  int64_t block = BLOCK * f->problem->batch->n_actions;
  return coh_lane_sum_create(context->world, &context->lanes, COH_SUM_F64,
                             most > block ? most : block, context->n_threads, &f->sum);
}

void coh_forest_destroy(void **forest) {
  coh_forest *f = *forest;
  for (int64_t i = 0; f->lane && i < f->problem->context->lanes.n_local; i++) {
    forest_lane *lane = &f->lane[i];
    for (int64_t t = 0; lane->tree && t < lane->n_trees; t++)
      coh_tree_clear(&lane->tree[t]);
    coh_tree_grower_destroy(&lane->grower);
    coh_free(lane->tree), coh_free(lane->rows), coh_free(lane->sums), coh_free(lane->block);
  }
  coh_lane_sum_destroy(&f->sum);
  coh_tree_rows_clear(&f->queries);
  coh_free(f->lane), coh_free(f->sources), coh_free(f->features);
  coh_free(f->order), coh_free(f->targets);
  coh_free(f->place), coh_free(f->total), coh_free(f->asked);
  coh_free(f->answers);
  COH_DELETE(*forest);
}

// ---- fit ----------------------------------------------------------------------------------

// `sample` rows without replacement, in their order (Vitter's method S)
static void draw_sample(const coh_forest *f, coh_stream *stream, uint32_t *rows) {
  int64_t n = f->problem->batch->n_rows, left = f->sample, taken = 0;
  for (int64_t i = 0; left > 0; i++) {
    if (coh_stream_uniform(stream) * (double)(n - i) >= (double)left) continue;
    rows[taken++] = (uint32_t)i;
    left--;
  }
}

static coh_status fit_lane(void *context, int64_t local) {
  coh_forest *f = context;
  forest_lane *lane = &f->lane[local];
  int64_t n = f->problem->batch->n_rows;
  memset(lane->sums, 0, (size_t)(f->n_places + n) * sizeof *lane->sums);
  coh_key key = coh_key_make(f->problem->context->seed, "trees");
  coh_tree_sample sample = {.n_rows = f->sample > 0 ? f->sample : n,
                            .n_features = f->n_features,
                            .n_stride = n,
                            .features = f->features,
                            .targets = f->targets,
                            .rows = lane->rows};
  // a row of the sample falls into the leaf that its target made
  double *own = f->sample > 0 ? NULL : lane->sums + f->n_places;
  for (int64_t t = 0; t < lane->n_trees; t++) {
    uint64_t step = f->keep_structure ? 0 : (uint64_t)f->iteration;
    coh_stream stream = coh_stream_begin(key, (uint32_t)(lane->first_tree + t), step);
    if (lane->rows) draw_sample(f, &stream, lane->rows);
    COH_TRY(
        coh_tree_grow(lane->grower, &f->tree_options, &sample, &stream, own, &lane->tree[t]));
    coh_tree_rows_add(&lane->tree[t], &f->queries, lane->sums);
  }
  return COH_OK;
}

coh_status coh_forest_fit(void *forest, int64_t iteration, const double *targets,
                          double *next) {
  coh_forest *f = forest;
  const coh_run_context *context = f->problem->context;
  const coh_transitions *batch = f->problem->batch;
  for (int64_t i = 0; i < batch->n_rows; i++)
    f->targets[i] = targets[f->order[i]];
  f->iteration = iteration;
  COH_TRY(coh_comm_agree(
      context->world, coh_lane_loop(context->n_threads, context->lanes.n_local, fit_lane, f)));
  for (int64_t i = 0; i < context->lanes.n_local; i++)
    f->sources[i] = f->lane[i].sums;
  COH_TRY(coh_lane_sum_run(f->sum, f->sources, f->n_places + batch->n_rows, f->total));
  for (int64_t i = 0; i < batch->n_rows * batch->n_actions; i++)
    next[i] = f->place[i] < 0 ? 0 : f->total[f->place[i]] / (double)f->n_trees;
  return COH_OK;
}

// ---- values -------------------------------------------------------------------------------

static coh_status ask_lane(void *context, int64_t local) {
  coh_forest *f = context;
  forest_lane *lane = &f->lane[local];
  int64_t n = f->arranged ? f->arranged->stride : f->n_asked;
  memset(lane->block, 0, (size_t)n * sizeof *lane->block);
  for (int64_t t = 0; t < lane->n_trees; t++)
    if (f->arranged)
      coh_tree_rows_add(&lane->tree[t], f->arranged, lane->block);
    else
      coh_tree_add(&lane->tree[t], n, f->n_features, f->asked, lane->block);
  return COH_OK;
}

// sums over all trees of what is asked for, in the order in which lanes found them
static coh_status ask_all(coh_forest *f, int64_t n, double *sums) {
  const coh_run_context *context = f->problem->context;
  COH_TRY(coh_lane_loop(context->n_threads, context->lanes.n_local, ask_lane, f));
  for (int64_t i = 0; i < context->lanes.n_local; i++)
    f->sources[i] = f->lane[i].block;
  return coh_lane_sum_run(f->sum, f->sources, n, sums);
}

// a state with each of its actions, row by row or in columns
static void fill_asked(coh_forest *f, int64_t n, const float *states, bool in_columns) {
  int64_t d = f->n_features - 1, n_actions = f->problem->batch->n_actions,
          n_rows = n * n_actions;
  int64_t row = in_columns ? 1 : f->n_features, column = in_columns ? n_rows : 1;
  for (int64_t i = 0; i < n_rows; i++)
    for (int64_t k = 0; k <= d; k++)
      f->asked[i * row + k * column] =
          k < d ? states[i / n_actions * d + k] : (float)(i % n_actions);
}

// many rows share their way down a tree when near ones stand side by side
static coh_status ask_many(coh_forest *f, double *out) {
  coh_tree_rows rows;
  COH_TRY(coh_comm_agree(f->problem->context->world,
                         coh_tree_rows_create(f->n_asked, f->n_features, f->asked, &rows)));
  f->arranged = &rows;
  coh_status status = ask_all(f, f->n_asked, f->answers);
  for (int64_t k = 0; k < f->n_asked && status == COH_OK; k++)
    out[rows.row[k]] = f->answers[k];
  f->arranged = NULL;
  coh_tree_rows_clear(&rows);
  return status;
}

coh_status coh_forest_values(void *forest, int64_t n, const float *states, double *q) {
  coh_forest *f = forest;
  int64_t d = f->n_features - 1, n_actions = f->problem->batch->n_actions;
  for (int64_t begin = 0; begin < n; begin += BLOCK) {
    int64_t size = n - begin < BLOCK ? n - begin : BLOCK;
    double *out = q + begin * n_actions;
    f->n_asked = size * n_actions;
    bool are_many = f->n_asked >= MANY;
    fill_asked(f, size, states + begin * d, are_many);
    COH_TRY(are_many ? ask_many(f, out) : ask_all(f, f->n_asked, out));
    for (int64_t i = 0; i < f->n_asked; i++)
      out[i] /= (double)f->n_trees;
  }
  return COH_OK;
}
