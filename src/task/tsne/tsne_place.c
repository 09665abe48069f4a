/* New rows on a finished map: a row starts at the mean of its neighbours' places, weighted by
 * affinity, and moves under their attraction and the repulsion of all points of the map, which
 * stay where they are. New rows do not see each other. After Policar, Strazar, Zupan, Machine
 * Learning 112 (2023); the constants are those that openTSNE takes.
 *
 * Eight rows whose nearest neighbours lie side by side on the map walk its tree together. The
 * groups depend on the rows alone, so ranks and threads do not change a bit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "neighbors/neighbors.h"
#include "task/map/map_place.h"
#include "task/tsne/tsne.h"

enum { G = COH_TREE_GROUP, NEIGHBORS = 15, ROUNDS = 250 };
static const double perplexity = 5, rate = 0.1, momentum = 0.8, most = 0.25, exaggeration = 1.5,
                    theta = 0.5;

typedef struct placing {
  const coh_tsne *t;
  coh_tsne_tree *tree;
  int64_t n_new, n_groups, k;
  int32_t *place; /* (n): point of each row of the map */
  int32_t *index; /* (n_new, k): rows of the map */
  float *p;       /* (n_new, k): squared distances, then affinities, sum 1 */
  int64_t *order; /* (n_new): along the tree, then by number */
  float *moved;   /* (n_groups, G, dims): in that order */
} placing;

// the mean of the neighbours' places
static void begin_at(const placing *w, int64_t row, int64_t g, float *at) {
  const coh_tsne *t = w->t;
  for (int64_t a = 0; a < t->dims; a++) {
    double sum = 0;
    for (int64_t j = 0; j < w->k; j++)
      sum += (double)w->p[row * w->k + j] *
             (double)t->y[w->place[w->index[row * w->k + j]] * t->stride + a];
    at[a * G + g] = (float)sum;
  }
}

// sum of p_j (1 + d^2/a)^-1 (y - y_j)
static void pull_of(const placing *w, int64_t row, int64_t g, const float *at, double *pull) {
  const coh_tsne *t = w->t;
  memset(pull, 0, COH_TSNE_MAX_DIMS * sizeof *pull);
  for (int64_t j = 0; j < w->k; j++) {
    const float *other = t->y + w->place[w->index[row * w->k + j]] * t->stride;
    double d[COH_TSNE_MAX_DIMS], squared = 0;
    for (int64_t a = 0; a < t->dims; a++) {
      d[a] = (double)at[a * G + g] - (double)other[a];
      squared += d[a] * d[a];
    }
    double p = (double)w->p[row * w->k + j] / (1 + squared / t->options->freedom);
    for (int64_t a = 0; a < t->dims; a++)
      pull[a] += p * d[a];
  }
}

static void place_group(const placing *w, int64_t group) {
  const coh_tsne *t = w->t;
  float at[COH_TSNE_MAX_DIMS * G], field[(COH_TSNE_MAX_DIMS + 1) * G];
  double velocity[COH_TSNE_MAX_DIMS * G] = {0}, pull[COH_TSNE_MAX_DIMS];
  int64_t row[G];
  for (int64_t g = 0; g < G; g++) {
    int64_t i = group * G + g;
    row[g] = w->order[i < w->n_new ? i : w->n_new - 1];
    begin_at(w, row[g], g, at);
  }
  for (int round = 0; round < ROUNDS; round++) {
    coh_tsne_tree_outside(w->tree, at, field);
    for (int64_t g = 0; g < G; g++) {
      double size = 0, z = fmax((double)field[t->dims * G + g], 1e-12);
      pull_of(w, row[g], g, at, pull);
      for (int64_t a = 0; a < t->dims; a++) {
        double *v = &velocity[a * G + g];
        *v = momentum * *v - rate * (exaggeration * pull[a] - (double)field[a * G + g] / z);
        size += *v * *v;
      }
      double cut = size > most * most ? most / sqrt(size) : 1;
      for (int64_t a = 0; a < t->dims; a++)
        at[a * G + g] += (float)(cut * velocity[a * G + g]);
    }
  }
  for (int64_t g = 0; g < G; g++)
    for (int64_t a = 0; a < t->dims; a++)
      w->moved[(group * G + g) * t->dims + a] = at[a * G + g];
}

// a row and where its nearest neighbour stands in the tree
typedef struct stand {
  int64_t at, row;
} stand;

static int by_stand(const void *a, const void *b) {
  const stand *x = a, *y = b;
  if (x->at != y->at) return x->at < y->at ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

static coh_status sort_rows(placing *w) {
  const coh_tsne *t = w->t;
  int32_t *at;
  stand *stands = NULL;
  COH_NEW(at, t->n);
  stands = coh_alloc_array((size_t)w->n_new, sizeof *stands);
  coh_status status = stands ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for new rows");
  if (status == COH_OK) {
    for (int64_t i = 0; i < t->n; i++)
      at[coh_tsne_tree_point(w->tree, i)] = (int32_t)i;
    for (int64_t i = 0; i < w->n_new; i++)
      stands[i] = (stand){at[w->place[w->index[i * w->k]]], i};
    qsort(stands, (size_t)w->n_new, sizeof *stands, by_stand);
    for (int64_t i = 0; i < w->n_new; i++)
      w->order[i] = stands[i].row;
  }
  coh_free(at);
  coh_free(stands);
  return status;
}

static coh_status find_neighbors(placing *w, const float *rows) {
  const coh_tsne *t = w->t;
  coh_neighbor_search search = {.n_references = t->n,
                                .n_queries = w->n_new,
                                .n_values = t->n_values,
                                .references = t->rows,
                                .queries = rows,
                                .k = w->k,
                                .self = -1,
                                .n_threads = t->context->n_threads};
  COH_TRY(coh_neighbors_exact(&search, w->index, w->p));
  float p[NEIGHBORS], scratch[2 * NEIGHBORS];
  double wanted = fmin(perplexity, (double)w->k / 2);
  for (int64_t i = 0; i < w->n_new; i++) {
    coh_affinity_row(w->k, w->p + i * w->k, 1, &wanted, p, scratch);
    memcpy(w->p + i * w->k, p, (size_t)w->k * sizeof *p);
  }
  return COH_OK;
}

static coh_status prepare(placing *w, const float *rows) {
  const coh_tsne *t = w->t;
  COH_NEW(w->place, t->n);
  COH_NEW(w->index, w->n_new * w->k);
  COH_NEW(w->p, w->n_new * w->k);
  COH_NEW(w->order, w->n_new);
  COH_NEW(w->moved, w->n_groups * G * t->dims);
  for (int64_t i = 0; i < t->n; i++)
    w->place[t->order[i]] = (int32_t)i;
  COH_TRY(find_neighbors(w, rows));
  COH_TRY(coh_tsne_tree_create(t->n, t->dims, theta, t->options->freedom, 1, &w->tree));
  coh_tsne_tree_build(w->tree, t->y, t->stride);
  return sort_rows(w);
}

// this rank's groups, then everybody's
static coh_status move_all(placing *w) {
  const coh_tsne *t = w->t;
  coh_world *world = t->context->world;
  int64_t size = coh_world_size(world), rank = coh_world_rank(world);
  int64_t from = w->n_groups * rank / size, end = w->n_groups * (rank + 1) / size;
#pragma omp parallel for default(none) shared(w, from, end) schedule(dynamic, 4) \
    num_threads(t->context->n_threads)
  for (int64_t g = from; g < end; g++)
    place_group(w, g);
  if (size == 1) return COH_OK;
  size_t width = (size_t)(G * t->dims) * sizeof *w->moved, *n_bytes;
  COH_NEW(n_bytes, size);
  for (int64_t r = 0; r < size; r++)
    n_bytes[r] = (size_t)(w->n_groups * (r + 1) / size - w->n_groups * r / size) * width;
  float *own = coh_alloc_array((size_t)(end - from) + 1, width);
  coh_status status = coh_comm_agree(
      world, own ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for new rows"));
  if (status == COH_OK) {
    memcpy(own, w->moved + from * G * t->dims, (size_t)(end - from) * width);
    status = coh_comm_allgather_varied(world, own, n_bytes, w->moved);
  }
  coh_free(own);
  coh_free(n_bytes);
  return status;
}

coh_status coh_tsne_place(const coh_tsne *t, int64_t n_new, const float *rows, float *out) {
  placing w = {.t = t,
               .n_new = n_new,
               .n_groups = (n_new + G - 1) / G,
               .k = NEIGHBORS < t->n ? NEIGHBORS : t->n};
  coh_status status = coh_comm_agree(t->context->world, prepare(&w, rows));
  if (status == COH_OK) status = move_all(&w);
  for (int64_t i = 0; i < n_new && status == COH_OK; i++)
    memcpy(out + w.order[i] * t->dims, w.moved + i * t->dims, (size_t)t->dims * sizeof *out);
  coh_tsne_tree_destroy(&w.tree);
  coh_free(w.place);
  coh_free(w.index);
  coh_free(w.p);
  coh_free(w.order);
  coh_free(w.moved);
  return status;
}

// ---- the task's function ------------------------------------------------------------------

static coh_status check_request(const coh_tsne *t, const coh_place_request *request) {
  COH_CHECK(!request->back, COH_E_CONFIG,
            "t-SNE has no way back from places to rows; components of task pca have");
  COH_CHECK(!*t->options->neighbors && !*t->options->matrix, COH_E_CONFIG,
            "the map was made of given distances: there are no rows to compare new ones with");
  return COH_OK;
}

static coh_status check_new(const coh_tsne *t, const coh_dataset *data) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(data),
                         *old = coh_dataset_spec_of(t->dataset);
  COH_CHECK(spec->n_values == old->n_values && spec->dtype == old->dtype, COH_E_DATA,
            "%s: rows of %lld %s; those of the map have %lld %s", spec->name,
            (long long)spec->n_values, spec->dtype == COH_DTYPE_U8 ? "bytes" : "floats",
            (long long)old->n_values, old->dtype == COH_DTYPE_U8 ? "bytes" : "floats");
  return coh_dataset_check_finite(data, 0, spec->n_rows);
}

// new rows as the map's own were read; collective
static coh_status read_new(const coh_tsne *t, const coh_dataset *data, float *rows) {
  const coh_run_context *c = t->context;
  if (!t->principal.components) {
    coh_dataset_read(data, 0, coh_dataset_spec_of(data)->n_rows, t->affine, rows);
    return COH_OK;
  }
  coh_projector *projector = NULL;
  coh_status status = coh_comm_agree(c->world, coh_projector_create(&t->principal, &projector));
  if (status == COH_OK)
    status =
        coh_projector_run(projector, c->world, &c->lanes, c->n_threads, data, t->affine, rows);
  coh_projector_destroy(&projector);
  return status;
}

static coh_status draw(const coh_tsne *t, const coh_dataset *data, const float *places,
                       const char *path) {
  float *map;
  COH_NEW(map, t->n * t->dims);
  coh_tsne_positions(t, map);
  const coh_map_placed placed = {map, places, t->n, t->dims, data};
  coh_status status = coh_map_placed_write(&placed, path);
  coh_free(map);
  return status;
}

coh_status coh_tsne_place_rows(void *task, const coh_place_request *request,
                               coh_array *places) {
  const coh_tsne *t = task;
  coh_dataset *data = NULL;
  float *rows = NULL, *out = NULL;
  coh_status status = check_request(t, request);
  if (status == COH_OK)
    status =
        coh_map_source_like(&t->options->source, request->data, t->context->n_threads, &data);
  if (status == COH_OK) status = check_new(t, data);
  int64_t n = status == COH_OK ? coh_dataset_spec_of(data)->n_rows : 0;
  if (status == COH_OK) {
    rows = coh_alloc_array((size_t)(n * t->n_values), sizeof *rows);
    out = coh_alloc_array((size_t)(n * t->dims), sizeof *out);
    if (!rows || !out)
      status = coh_fail(COH_E_MEMORY, "out of memory for %lld places", (long long)n);
  }
  status = coh_comm_agree(t->context->world, status);
  if (status == COH_OK) status = read_new(t, data, rows);
  if (status == COH_OK) status = coh_tsne_place(t, n, rows, out);
  if (status == COH_OK && request->picture && coh_world_rank(t->context->world) == 0)
    status = draw(t, data, out, request->picture);
  status = coh_comm_agree(t->context->world, status);
  if (status == COH_OK)
    *places = (coh_array){COH_DTYPE_F32, 2, {n, t->dims}, out};
  else
    coh_free(out);
  coh_free(rows);
  coh_dataset_destroy(&data);
  return status;
}
