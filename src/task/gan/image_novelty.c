/* Nearest training images, by all distances. */
#include "task/gan/image_novelty.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "neighbors/neighbors.h"

struct coh_image_novelty {
  float *rows; /* of the training set, 0 to 1 */
  int64_t n, width;
  int n_threads;
  coh_affine affine; /* stored values to 0 to 1 */
  double nearest_test, threshold;
};

static int64_t rows_looked_at(const coh_dataset *images) {
  int64_t n = coh_dataset_spec_of(images)->n_rows;
  return n < COH_NOVELTY_ROWS ? n : COH_NOVELTY_ROWS;
}

// the nearest of the first rows; distance: out, root mean squares
static coh_status nearest_of(const coh_image_novelty *v, const coh_dataset *images,
                             int32_t *index, float *distance) {
  int64_t n = rows_looked_at(images);
  float *rows;
  COH_NEW(rows, n * v->width);
  coh_dataset_read(images, 0, n, v->affine, rows);
  const coh_neighbor_search search = {.n_references = v->n,
                                      .n_queries = n,
                                      .n_values = v->width,
                                      .references = v->rows,
                                      .queries = rows,
                                      .k = 1,
                                      .self = -1,
                                      .n_threads = v->n_threads};
  coh_status status = coh_neighbors_exact(&search, index, distance);
  coh_free(rows);
  for (int64_t i = 0; i < n && status == COH_OK; i++)
    distance[i] = sqrtf(distance[i] / (float)v->width);
  return status;
}

static int by_size(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static double mean_of(const float *values, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += (double)values[i];
  return sum / (double)n;
}

static coh_status look(coh_image_novelty *v, const coh_dataset *train,
                       const coh_dataset *test) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(train);
  v->n = spec->n_rows;
  v->width = spec->n_values;
  v->affine = (coh_affine){spec->dtype == COH_DTYPE_U8 ? 1 / 255.0f : 1, 0};
  v->nearest_test = v->threshold = NAN;
  COH_NEW(v->rows, v->n * v->width);
  coh_dataset_read(train, 0, v->n, v->affine, v->rows);
  if (!test) return COH_OK;
  int32_t index[COH_NOVELTY_ROWS];
  float distance[COH_NOVELTY_ROWS];
  int64_t n = rows_looked_at(test);
  COH_TRY(nearest_of(v, test, index, distance));
  v->nearest_test = mean_of(distance, n);
  qsort(distance, (size_t)n, sizeof *distance, by_size);
  v->threshold = (double)distance[n / 100];
  return COH_OK;
}

coh_status coh_image_novelty_create(const coh_dataset *train, const coh_dataset *test,
                                    int n_threads, coh_image_novelty **novelty) {
  coh_image_novelty *v;
  COH_NEW(v, 1);
  v->n_threads = n_threads;
  coh_status status = look(v, train, test);
  if (status == COH_OK)
    *novelty = v;
  else
    coh_image_novelty_destroy(&v);
  return status;
}

void coh_image_novelty_destroy(coh_image_novelty **novelty) {
  if (!*novelty) return;
  coh_free((*novelty)->rows);
  COH_DELETE(*novelty);
}

coh_status coh_image_novelty_of(const coh_image_novelty *v, const coh_dataset *images,
                                coh_novelty_score *score, int32_t *index, float *distance) {
  int32_t own_index[COH_NOVELTY_ROWS];
  float own_distance[COH_NOVELTY_ROWS];
  if (!index) index = own_index;
  if (!distance) distance = own_distance;
  int64_t n = rows_looked_at(images), n_near = 0;
  COH_TRY(nearest_of(v, images, index, distance));
  for (int64_t i = 0; i < n; i++)
    n_near += (double)distance[i] < v->threshold;
  *score =
      (coh_novelty_score){.nearest = mean_of(distance, n),
                          .nearest_test = v->nearest_test,
                          .copies = isfinite(v->threshold) ? (double)n_near / (double)n : NAN};
  return COH_OK;
}
