/* New rows on a finished map: a new point starts at the mean of its neighbours' places,
 * weighted by affinity, and moves under their attraction and the repulsion of all points of the
 * map, which stay. New points do not see each other, so the place of each depends on it alone.
 * After Policar, Strazar, Zupan, Machine Learning 112 (2021). */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "neighbors/neighbors.h"
#include "task/tsne/tsne.h"

enum { G = COH_TREE_GROUP, NEIGHBORS = 15, ROUNDS = 200 };
static const double perplexity = 5, rate = 0.1, momentum = 0.8, most = 0.25;

typedef struct placing {
  const coh_tsne *t;
  const coh_tsne_tree *tree;
  int64_t n_new, k;
  const int32_t *place; /* point of each row of the dataset */
  const int32_t *index; /* (n_new, k): rows of the dataset */
  const float *p;       /* (n_new, k): affinities, sum 1 */
  float *out;           /* (n_new, stride) */
} placing;

// move a group of eight new points
static void place_group(const placing *w, int64_t group) {
  const coh_tsne *t = w->t;
  float at[COH_TSNE_MAX_DIMS * G], field[(COH_TSNE_MAX_DIMS + 1) * G];
  float velocity[COH_TSNE_MAX_DIMS * G] = {0};
  int64_t n = w->n_new - group * G < G ? w->n_new - group * G : G;
  for (int64_t g = 0; g < G; g++)
    for (int64_t a = 0; a < t->dims; a++) {
      int64_t row = group * G + (g < n ? g : 0);
      double sum = 0;
      for (int64_t j = 0; j < w->k; j++)
        sum += (double)w->p[row * w->k + j] *
               (double)t->y[w->place[w->index[row * w->k + j]] * t->stride + a];
      at[a * G + g] = (float)sum;
    }
  for (int round = 0; round < ROUNDS; round++) {
    coh_tsne_tree_outside(w->tree, at, field);
    for (int64_t g = 0; g < n; g++) {
      const float *p = w->p + (group * G + g) * w->k;
      const int32_t *index = w->index + (group * G + g) * w->k;
      double pull[COH_TSNE_MAX_DIMS] = {0}, size = 0;
      for (int64_t j = 0; j < w->k; j++) {
        const float *other = t->y + w->place[index[j]] * t->stride;
        double d[COH_TSNE_MAX_DIMS], squared = 0;
        for (int64_t a = 0; a < t->dims; a++) {
          d[a] = (double)at[a * G + g] - (double)other[a];
          squared += d[a] * d[a];
        }
        for (int64_t a = 0; a < t->dims; a++)
          pull[a] += (double)p[j] * d[a] / (1 + squared / t->options->freedom);
      }
      for (int64_t a = 0; a < t->dims; a++) {
        double push = (double)field[a * G + g] / fmax((double)field[t->dims * G + g], 1e-12);
        double v = momentum * (double)velocity[a * G + g] - rate * (pull[a] - push);
        velocity[a * G + g] = (float)v;
        size += v * v;
      }
      double cut = size > most * most ? most / sqrt(size) : 1;
      for (int64_t a = 0; a < t->dims; a++)
        at[a * G + g] += (float)(cut * (double)velocity[a * G + g]);
    }
  }
  for (int64_t g = 0; g < n; g++)
    for (int64_t a = 0; a < t->dims; a++)
      w->out[(group * G + g) * t->stride + a] = at[a * G + g];
}

static void place_all(const placing *w) {
  int64_t n_groups = (w->n_new + G - 1) / G;
#pragma omp parallel for default(none) shared(w, n_groups) schedule(dynamic, 4) \
    num_threads(w->t->context->n_threads)
  for (int64_t g = 0; g < n_groups; g++)
    place_group(w, g);
}

static coh_status run(placing *w, const float *rows, int32_t *place, int32_t *index,
                      float *distance) {
  const coh_tsne *t = w->t;
  for (int64_t i = 0; i < t->n; i++)
    place[t->order[i]] = (int32_t)i;
  coh_neighbor_search search = {.n_references = t->n,
                                .n_queries = w->n_new,
                                .n_values = t->n_values,
                                .references = t->rows,
                                .queries = rows,
                                .k = w->k,
                                .self = -1,
                                .n_threads = t->context->n_threads};
  COH_TRY(coh_neighbors_exact(&search, index, distance));
  float p[NEIGHBORS], scratch[2 * NEIGHBORS];
  for (int64_t i = 0; i < w->n_new; i++) {
    coh_affinity_row(w->k, distance + i * w->k, 1, &perplexity, p, scratch);
    memcpy(distance + i * w->k, p, (size_t)w->k * sizeof *p);
  }
  coh_tsne_tree *tree = NULL;
  COH_TRY(coh_tsne_tree_create(t->n, t->dims, 0.5, t->options->freedom, 1, &tree));
  coh_tsne_tree_build(tree, t->y, t->stride);
  w->tree = tree;
  w->place = place;
  w->index = index;
  w->p = distance;
  place_all(w);
  coh_tsne_tree_destroy(&tree);
  return COH_OK;
}

coh_status coh_tsne_place(coh_tsne *t, int64_t n_new, const float *rows, float *out) {
  placing w = {.t = t, .n_new = n_new, .k = NEIGHBORS < t->n ? NEIGHBORS : t->n, .out = out};
  int32_t *place = coh_alloc_array((size_t)t->n, sizeof *place);
  int32_t *index = coh_alloc_array((size_t)(n_new * w.k), sizeof *index);
  float *distance = coh_alloc_array((size_t)(n_new * w.k), sizeof *distance);
  coh_status status = place && index && distance
                          ? COH_OK
                          : coh_fail(COH_E_MEMORY, "out of memory to place new rows");
  if (status == COH_OK) status = run(&w, rows, place, index, distance);
  coh_free(place);
  coh_free(index);
  coh_free(distance);
  return status;
}
