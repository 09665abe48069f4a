/* Frechet distance, precision, recall, density and coverage of images. */
#include "task/gan/image_scores.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/network_file.h"
#include "la/lapack.h"
#include "la/product.h"

enum { BLOCK = 128, MOST_NEIGHBOURS = 10000 };

/* A Gaussian fitted to features. */
typedef struct moments {
  double *mean, *covariance; /* d, d x d */
} moments;

/* Features of a set with what neighbourhoods need. */
typedef struct cloud {
  int64_t n, d;
  float *rows;    /* (n, d) */
  float *squares; /* n: |row|^2 */
  float *radius;  /* n: squared distance to the k-th neighbour in the set */
} cloud;

struct coh_image_scores {
  coh_network_file *file;
  const coh_dataset *reference;
  int64_t k, d;
  int n_threads;
  moments real;
  double trace;
  cloud neighbours; /* the first rows of the reference */
};

static void moments_clear(moments *m) {
  coh_free(m->mean), coh_free(m->covariance);
}

static coh_status moments_of(const float *rows, int64_t n, int64_t d, moments *m) {
  COH_NEW(m->mean, d);
  COH_NEW(m->covariance, d * d);
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < d; k++)
      m->mean[k] += (double)rows[i * d + k];
  for (int64_t k = 0; k < d; k++)
    m->mean[k] /= (double)n;
  double *centred;
  COH_NEW(centred, d);
  for (int64_t i = 0; i < n; i++) {
    for (int64_t k = 0; k < d; k++)
      centred[k] = (double)rows[i * d + k] - m->mean[k];
    for (int64_t j = 0; j < d; j++)
      for (int64_t k = 0; k <= j; k++)
        m->covariance[j * d + k] += centred[j] * centred[k];
  }
  for (int64_t j = 0; j < d; j++)
    for (int64_t k = 0; k <= j; k++)
      m->covariance[k * d + j] = m->covariance[j * d + k] /= (double)(n - 1);
  coh_free(centred);
  return COH_OK;
}

static coh_status frechet(const moments *a, const moments *b, int64_t d, double *distance) {
  double cross, sum = 0;
  COH_TRY(coh_la_trace_of_root(d, a->covariance, b->covariance, &cross));
  for (int64_t k = 0; k < d; k++) {
    double gap = a->mean[k] - b->mean[k];
    sum += gap * gap + a->covariance[k * d + k] + b->covariance[k * d + k];
  }
  *distance = sum - 2 * cross;
  return COH_OK;
}

static void cloud_clear(cloud *c) {
  coh_free(c->rows), coh_free(c->squares), coh_free(c->radius);
}

// squared distances of rows [first, first + n) of a to all of b; out: (n, b->n)
static void distances(const cloud *a, int64_t first, int64_t n, const cloud *b, float *out) {
  coh_la_matmul(false, true, n, b->n, a->d, a->rows + first * a->d, b->rows, out);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < b->n; j++)
      out[i * b->n + j] =
          fmaxf(0, a->squares[first + i] + b->squares[j] - 2 * out[i * b->n + j]);
}

// the k-th smallest but for one place: a small sorted list of the best
static float kth_of(const float *distance, int64_t n, int64_t but, int64_t k) {
  float best[128];
  int64_t used = 0;
  for (int64_t j = 0; j < n; j++) {
    if (j == but || (used == k && distance[j] >= best[used - 1])) continue;
    int64_t at = used < k ? used++ : used - 1;
    while (at > 0 && best[at - 1] > distance[j]) {
      best[at] = best[at - 1];
      at--;
    }
    best[at] = distance[j];
  }
  return best[used - 1];
}

/* What pairs of two clouds say about the rows of the first. */
typedef struct pairs {
  int64_t inside; /* rows inside at least one neighbourhood of the second */
  int64_t balls;  /* neighbourhoods that rows are inside of, over all */
  int64_t near;   /* rows whose own neighbourhood holds a row of the second */
} pairs;

static void count_block(const cloud *a, int64_t first, int64_t n, const cloud *b,
                        const float *distance, pairs *p) {
  for (int64_t i = 0; i < n; i++) {
    int64_t balls = 0;
    float nearest = INFINITY;
    for (int64_t j = 0; j < b->n; j++) {
      float to = distance[i * b->n + j];
      balls += to < b->radius[j];
      nearest = fminf(nearest, to);
    }
    p->inside += balls > 0;
    p->balls += balls;
    p->near += nearest < a->radius[first + i];
  }
}

// radii of the rows of a among themselves (b NULL), or pairs of a and b
static coh_status walk_pairs(cloud *a, const cloud *b, int64_t k, int n_threads, pairs *p) {
  const cloud *other = b ? b : a;
  int64_t n_blocks = (a->n + BLOCK - 1) / BLOCK;
  float *memory = coh_alloc_array((size_t)(n_threads * BLOCK * other->n), sizeof *memory);
  COH_CHECK(memory, COH_E_MEMORY, "out of memory for distances between %lld and %lld images",
            (long long)a->n, (long long)other->n);
  int64_t inside = 0, balls = 0, near = 0;
#pragma omp parallel for num_threads(n_threads) schedule(static) default(none) \
    shared(a, b, other, k, n_blocks, memory, n_threads) reduction(+ : inside, balls, near)
  for (int64_t t = 0; t < n_threads; t++)
    for (int64_t block = t; block < n_blocks; block += n_threads) {
      float *distance = memory + t * BLOCK * other->n;
      int64_t first = block * BLOCK, n = a->n - first < BLOCK ? a->n - first : BLOCK;
      pairs found = {0};
      distances(a, first, n, other, distance);
      for (int64_t i = 0; !b && i < n; i++)
        a->radius[first + i] = kth_of(distance + i * other->n, other->n, first + i, k);
      if (b) count_block(a, first, n, b, distance, &found);
      inside += found.inside, balls += found.balls, near += found.near;
    }
  coh_free(memory);
  if (p) *p = (pairs){inside, balls, near};
  return COH_OK;
}

// copies the first rows of the features
static coh_status cloud_make(const float *rows, int64_t n, int64_t d, int64_t k, int n_threads,
                             cloud *c) {
  c->n = n < MOST_NEIGHBOURS ? n : MOST_NEIGHBOURS;
  c->d = d;
  COH_CHECK(c->n > k, COH_E_CONFIG, "%lld images are too few for %lld neighbours",
            (long long)c->n, (long long)k);
  COH_NEW(c->rows, c->n * d);
  COH_NEW(c->squares, c->n);
  COH_NEW(c->radius, c->n);
  memcpy(c->rows, rows, (size_t)(c->n * d) * sizeof *rows);
  for (int64_t i = 0; i < c->n; i++)
    for (int64_t j = 0; j < d; j++)
      c->squares[i] += rows[i * d + j] * rows[i * d + j];
  return walk_pairs(c, NULL, k, n_threads, NULL);
}

static coh_status features_of(const coh_image_scores *s, const coh_dataset *images,
                              const char *layer, coh_array *out) {
  return coh_network_file_activations(s->file, layer, images, s->n_threads, out);
}

static coh_status look_at_reference(coh_image_scores *s) {
  coh_array features;
  COH_TRY(features_of(s, s->reference, "penultimate", &features));
  int64_t n = features.shape[0];
  s->d = coh_array_count(&features) / n;
  coh_status status = COH_OK;
  if (s->d > 4096)
    status = coh_fail(COH_E_CONFIG,
                      "the classifier's penultimate layer has %lld values; at most 4096 can be "
                      "compared",
                      (long long)s->d);
  if (status == COH_OK) status = moments_of(features.data, n, s->d, &s->real);
  if (status == COH_OK)
    status = cloud_make(features.data, n, s->d, s->k, s->n_threads, &s->neighbours);
  coh_array_clear(&features);
  for (int64_t k = 0; status == COH_OK && k < s->d; k++)
    s->trace += s->real.covariance[k * s->d + k];
  return status;
}

coh_status coh_image_scores_create(const char *classifier, const coh_dataset *reference,
                                   int64_t k, int n_threads, coh_image_scores **scores) {
  coh_image_scores *s;
  COH_NEW(s, 1);
  s->reference = reference;
  s->k = k;
  s->n_threads = n_threads;
  coh_status status = coh_network_file_open(classifier, NULL, &s->file);
  if (status == COH_OK) status = look_at_reference(s);
  if (status != COH_OK) {
    coh_image_scores_destroy(&s);
    return coh_fail_within(status, "classifier for the scores");
  }
  *scores = s;
  return COH_OK;
}

void coh_image_scores_destroy(coh_image_scores **scores) {
  coh_image_scores *s = *scores;
  if (!s) return;
  coh_network_file_close(&s->file);
  moments_clear(&s->real);
  cloud_clear(&s->neighbours);
  coh_free(s);
  *scores = NULL;
}

static coh_status neighbourhoods(const coh_image_scores *s, const float *rows, int64_t n,
                                 coh_image_score *score) {
  cloud fake = {0}, real = s->neighbours;
  pairs of_fake, of_real;
  coh_status status = cloud_make(rows, n, s->d, s->k, s->n_threads, &fake);
  if (status == COH_OK) status = walk_pairs(&fake, &real, s->k, s->n_threads, &of_fake);
  if (status == COH_OK) status = walk_pairs(&real, &fake, s->k, s->n_threads, &of_real);
  if (status == COH_OK) {
    score->precision = (double)of_fake.inside / (double)fake.n;
    score->density = (double)of_fake.balls / (double)(s->k * fake.n);
    score->recall = (double)of_real.inside / (double)real.n;
    score->coverage = (double)of_real.near / (double)real.n;
  }
  cloud_clear(&fake);
  return status;
}

// the share whose largest logit is their label's
static coh_status accuracy_of(const coh_image_scores *s, const coh_dataset *images,
                              double *accuracy) {
  const int32_t *labels = coh_dataset_labels(images);
  *accuracy = NAN;
  if (!labels) return COH_OK;
  coh_array logits;
  COH_TRY(features_of(s, images, "output", &logits));
  int64_t n = logits.shape[0], n_classes = coh_array_count(&logits) / n, right = 0;
  const float *row = logits.data;
  for (int64_t i = 0; i < n; i++, row += n_classes) {
    int64_t best = 0;
    for (int64_t k = 1; k < n_classes; k++)
      if (row[k] > row[best]) best = k;
    right += best == labels[i];
  }
  *accuracy = (double)right / (double)n;
  coh_array_clear(&logits);
  return COH_OK;
}

coh_status coh_image_scores_of(const coh_image_scores *s, const coh_dataset *images,
                               coh_image_score *score) {
  coh_array features;
  COH_TRY(features_of(s, images, "penultimate", &features));
  int64_t n = features.shape[0];
  moments fake = {0};
  coh_status status =
      n > s->k ? COH_OK
               : coh_fail(COH_E_CONFIG, "%lld images are too few for a score", (long long)n);
  if (status == COH_OK) status = moments_of(features.data, n, s->d, &fake);
  if (status == COH_OK) status = frechet(&s->real, &fake, s->d, &score->fid);
  if (status == COH_OK) score->relative = score->fid / s->trace;
  if (status == COH_OK) status = neighbourhoods(s, features.data, n, score);
  if (status == COH_OK) status = accuracy_of(s, images, &score->accuracy);
  moments_clear(&fake);
  coh_array_clear(&features);
  return status;
}

coh_status coh_images_store(const coh_dataset_spec *like, coh_affine affine, const float *rows,
                            int64_t n, coh_array *stored) {
  bool bytes = like->dtype == COH_DTYPE_U8;
  coh_array array = {.dtype = like->dtype, .n_dims = like->n_dims + 1, .shape = {n}};
  for (int k = 0; k < like->n_dims; k++)
    array.shape[k + 1] = like->shape[k];
  int64_t count = n * like->n_values;
  array.data = coh_alloc_array((size_t)count, bytes ? 1 : sizeof(float));
  COH_CHECK(array.data, COH_E_MEMORY, "out of memory for %lld images", (long long)n);
  for (int64_t i = 0; i < count; i++) {
    float value = (rows[i] - affine.shift) / affine.scale;
    if (bytes)
      ((uint8_t *)array.data)[i] = (uint8_t)lrintf(fminf(fmaxf(value, 0), 255));
    else
      ((float *)array.data)[i] = value;
  }
  *stored = array;
  return COH_OK;
}

coh_status coh_images_of_rows(const coh_dataset_spec *like, coh_affine affine,
                              const float *rows, int64_t n, const int32_t *labels,
                              coh_dataset **images) {
  coh_array array;
  COH_TRY(coh_images_store(like, affine, rows, n, &array));
  coh_array label_array = {
      .dtype = COH_DTYPE_I32, .n_dims = 1, .shape = {n}, .data = (int32_t *)(uintptr_t)labels};
  coh_status status =
      coh_dataset_of_arrays("images", &array, labels ? &label_array : NULL, images);
  if (status != COH_OK) coh_array_clear(&array);
  return status;
}
