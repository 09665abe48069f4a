/* How good a map is. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "neighbors/neighbors.h"
#include "task/tsne/similarity.h"
#include "task/tsne/tsne.h"

enum { LANES = 8, COUNTED = 1024 };

static double squared_distance(const coh_tsne *t, int64_t i, int64_t j) {
  double sum = 0;
  for (int64_t a = 0; a < t->dims; a++) {
    double d = (double)t->y[i * t->stride + a] - (double)t->y[j * t->stride + a];
    sum += d * d;
  }
  return sum;
}

// p (log p - log w) over an edge; log w = -a log(1 + d^2 / a)
static double edge_divergence(const coh_tsne *t, int64_t i, int64_t j, float p) {
  if (!(p > 1e-37f)) return 0; /* also what coh_logf takes for zero */
  float base = (float)(1 + squared_distance(t, i, j) / t->options->freedom);
  return (double)p * ((double)coh_logf(p) + t->options->freedom * (double)coh_logf(base));
}

static double row_divergence(const coh_tsne *t, int64_t i) {
  double sum = 0;
  if (t->p.begin) {
    for (int64_t e = t->p.begin[i]; e < t->p.begin[i + 1]; e++)
      sum += edge_divergence(t, t->first + i, t->p.column[e], t->p.value[e]);
  } else {
    int64_t padded = (t->n + 7) / 8 * 8;
    for (int64_t j = 0; j < t->n; j++)
      if (j != t->first + i)
        sum += edge_divergence(t, t->first + i, j, t->p.value[i * padded + j]);
  }
  return sum;
}

coh_status coh_tsne_divergence(coh_tsne *t, double *divergence) {
  // the repulsion of the positions as they are now gives the sum of similarities
  COH_TRY(coh_tsne_repel(t));
  int64_t n_blocks = (t->n_own + COH_TSNE_BLOCK - 1) / COH_TSNE_BLOCK;
#pragma omp parallel for default(none) shared(t, n_blocks) schedule(dynamic) \
    num_threads(t->context->n_threads)
  for (int64_t block = 0; block < n_blocks; block++) {
    int64_t end = (block + 1) * COH_TSNE_BLOCK;
    double sum = 0;
    for (int64_t i = block * COH_TSNE_BLOCK; i < (end < t->n_own ? end : t->n_own); i++)
      sum += row_divergence(t, i);
    t->block_sum[block] = sum;
  }
  double sum;
  COH_TRY(coh_tsne_sum_blocks(t, &sum));
  t->divergence = sum + log(t->z);
  COH_CHECK(isfinite(t->divergence), COH_E_DIVERGED,
            "the divergence is not finite after iteration %lld", (long long)t->iteration);
  t->measured_at = t->iteration;
  *divergence = t->divergence;
  return COH_OK;
}

// how many rows are nearer than another, ties by number, and so its rank; eight at a time
static int64_t rank_of(const coh_tsne *t, int64_t row, int64_t other, const float *all) {
  float distance = all[other];
  int64_t rank = 1 - (all[row] < distance || (all[row] == distance && row < other));
  for (int64_t from = 0; from < t->n; from += COUNTED) {
    int64_t end = from + COUNTED < t->n ? from + COUNTED : t->n;
    int32_t nearer = 0, equal = 0;
    for (int64_t j = from; j < end; j++) {
      nearer += all[j] < distance;
      equal += all[j] == distance;
    }
    rank += nearer;
    if (equal)
      for (int64_t j = from; j < end && j < other; j++)
        rank += all[j] == distance;
  }
  return rank;
}

// distances in the original space of one row to all, eight values at a time
static void all_distances(const coh_tsne *t, int64_t row, float *all) {
  const float *x = t->rows + row * t->n_values;
  for (int64_t j = 0; j < t->n; j++) {
    const float *y = t->rows + j * t->n_values;
    float lane[LANES] = {0}, sum = 0;
    int64_t c = 0;
    for (; c + LANES <= t->n_values; c += LANES)
      for (int i = 0; i < LANES; i++)
        lane[i] += (x[c + i] - y[c + i]) * (x[c + i] - y[c + i]);
    for (; c < t->n_values; c++)
      sum += (x[c] - y[c]) * (x[c] - y[c]);
    for (int i = 0; i < LANES; i++)
      sum += lane[i];
    all[j] = sum;
  }
}

typedef struct quality_work {
  coh_tsne *t;
  int64_t k, n_sample;
  float *map;                /* (n, dims), the dataset's order */
  int64_t *row;              /* (n_sample) */
  float *queries;            /* (n_sample, dims) */
  int32_t *near, *true_near; /* (n_sample, k + 1) */
  double *penalty, *kept;    /* (n_sample) */
} quality_work;

// penalties and neighbours kept of one sampled row
static void measure_row(const quality_work *w, int64_t s, float *all) {
  const coh_tsne *t = w->t;
  int64_t row = w->row[s], found = 0;
  all_distances(t, row, all);
  const int32_t *map_near = w->near + s * (w->k + 1);
  for (int64_t j = 0; j < w->k + 1 && found < w->k; j++) {
    if (map_near[j] == row) continue;
    found++;
    int64_t rank = rank_of(t, row, map_near[j], all);
    if (rank > w->k)
      w->penalty[s] += (double)(rank - w->k);
    else
      w->kept[s] += 1;
  }
}

static coh_status measure(quality_work *w) {
  coh_tsne *t = w->t;
  coh_tsne_positions(t, w->map);
  for (int64_t s = 0; s < w->n_sample; s++) {
    w->row[s] = s * t->n / w->n_sample;
    memcpy(w->queries + s * t->dims, w->map + w->row[s] * t->dims,
           (size_t)t->dims * sizeof *w->queries);
  }
  coh_neighbor_search search = {.n_references = t->n,
                                .n_queries = w->n_sample,
                                .n_values = t->dims,
                                .references = w->map,
                                .queries = w->queries,
                                .k = w->k + 1,
                                .self = -1,
                                .n_threads = t->context->n_threads};
  COH_TRY(coh_neighbors_exact(&search, w->near, NULL));
  int failed = 0;
#pragma omp parallel default(none) shared(w, t, failed) num_threads(t->context->n_threads)
  {
    float *all = coh_alloc_array((size_t)t->n, sizeof *all);
    if (!all) {
#pragma omp atomic write
      failed = 1;
    }
#pragma omp for schedule(dynamic, 8)
    for (int64_t s = 0; s < w->n_sample; s++)
      if (all) measure_row(w, s, all);
    coh_free(all);
  }
  COH_CHECK(!failed, COH_E_MEMORY, "out of memory to measure the map");
  return COH_OK;
}

static coh_status allocate(quality_work *w) {
  COH_NEW(w->map, w->t->n * w->t->dims);
  COH_NEW(w->row, w->n_sample);
  COH_NEW(w->queries, w->n_sample * w->t->dims);
  COH_NEW(w->near, w->n_sample * (w->k + 1));
  COH_NEW(w->penalty, w->n_sample);
  COH_NEW(w->kept, w->n_sample);
  return COH_OK;
}

coh_status coh_tsne_quality(coh_tsne *t, int64_t k, double *trust, double *preserved) {
  quality_work w = {.t = t, .k = k, .n_sample = t->options->quality_rows};
  if (w.n_sample > t->n) w.n_sample = t->n;
  coh_status status = allocate(&w);
  if (status == COH_OK) status = measure(&w);
  double penalty = 0, kept = 0;
  for (int64_t s = 0; status == COH_OK && s < w.n_sample; s++) {
    penalty += w.penalty[s];
    kept += w.kept[s];
  }
  double n = (double)t->n, m = (double)k, rows = (double)w.n_sample;
  *trust = 1 - 2 * penalty / (rows * m * (2 * n - 3 * m - 1));
  *preserved = kept / (rows * m);
  coh_free(w.map);
  coh_free(w.row);
  coh_free(w.queries);
  coh_free(w.near);
  coh_free(w.penalty);
  coh_free(w.kept);
  return coh_comm_agree(t->context->world, status);
}
