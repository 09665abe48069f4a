/* Bandwidths by bisection on log b: the entropy falls monotonically in b. Symmetrisation merges
 * each row with its column, which a counting sort brings together in order. */
#include "task/tsne/tsne_affinity.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "la/elementary.h"
#include "la/vector.h"
#include "la/vectorise.h"

void coh_affinities_fini(coh_affinities *p) {
  COH_DELETE(p->begin);
  COH_DELETE(p->column);
  COH_DELETE(p->value);
}

// unnormalised p and the entropy H = log s + b <d^2> at bandwidth b; d: distances above the
// least
static double entropy_at(int64_t k, const float *d, double b, float *p, double *sum) {
  float minus_b = (float)-b;
  COH_VECTOR_LOOP for (int64_t j = 0; j < k; j++) p[j] = coh_expf(minus_b * d[j]);
  double s = (double)coh_la_sum(k, p), weighted = (double)coh_la_dot(k, p, d);
  *sum = s;
  return log(s) + b * weighted / s;
}

// Newton's step on log b where it stays inside the bracket, else bisection
static double find_bandwidth(int64_t k, const float *d, double perplexity, double mean,
                             float *p, double *sum) {
  double target = log(perplexity), lo = 0, hi = INFINITY, b = 1 / mean;
  for (int i = 0; i < 100; i++) {
    double h = entropy_at(k, d, b, p, sum) - target;
    if (fabs(h) < 1e-5) break;
    if (h > 0)
      lo = b;
    else
      hi = b;
    b = isinf(hi) ? 2 * b : lo > 0 ? 0.5 * (lo + hi) : 0.5 * b;
    if (b > 1e30 / mean || b < 1e-30 / mean) break;
  }
  return b;
}

void coh_affinity_row(int64_t k, const float *distance, int64_t n_perplexities,
                      const double *perplexity, float *p, float *scratch) {
  float least = distance[0];
  for (int64_t j = 1; j < k; j++)
    least = distance[j] < least ? distance[j] : least;
  float *d = scratch;
  for (int64_t j = 0; j < k; j++)
    d[j] = distance[j] - least;
  double mean = (double)coh_la_sum(k, d) / (double)k;
  if (!(mean > 0)) {
    for (int64_t j = 0; j < k; j++)
      p[j] = 1 / (float)k;
    return;
  }
  float *q = scratch + k;
  for (int64_t j = 0; j < k; j++)
    p[j] = 0;
  for (int64_t s = 0; s < n_perplexities; s++) {
    double sum;
    find_bandwidth(k, d, perplexity[s], mean, q, &sum);
    float share = (float)(1 / (sum * (double)n_perplexities));
    for (int64_t j = 0; j < k; j++)
      p[j] += share * q[j];
  }
}

typedef struct edges {
  int64_t *begin; /* (rows + 1) */
  uint32_t *column;
  float *value;
} edges;

static coh_status edges_init(int64_t rows, int64_t n_edges, edges *e) {
  COH_NEW(e->begin, rows + 2);
  COH_NEW(e->column, n_edges);
  COH_NEW(e->value, n_edges);
  return COH_OK;
}

static void edges_fini(edges *e) {
  coh_free(e->begin);
  coh_free(e->column);
  coh_free(e->value);
}

// counts to starts; begin[r + 1] was the number of row r
static void accumulate(int64_t rows, int64_t *begin) {
  for (int64_t r = 0; r < rows; r++)
    begin[r + 1] += begin[r];
}

// the columns of the table for points [first, first + n_own): who names them, in order
static coh_status gather_incoming(const coh_affinity_table *t, int64_t first, int64_t n_own,
                                  edges *in) {
  int64_t *fill = NULL, total = 0;
  COH_NEW(fill, n_own + 1);
  for (int64_t i = 0; i < t->n * t->k; i++) {
    int64_t to = t->place[t->index[i]] - first;
    if (to >= 0 && to < n_own) {
      fill[to + 1]++;
      total++;
    }
  }
  accumulate(n_own, fill);
  coh_status status = edges_init(n_own, total, in);
  if (status == COH_OK) {
    memcpy(in->begin, fill, (size_t)(n_own + 1) * sizeof *fill);
    for (int64_t from = 0; from < t->n; from++) {
      const int32_t *index = t->index + t->order[from] * t->k;
      const float *value = t->conditional + t->order[from] * t->k;
      for (int64_t j = 0; j < t->k; j++) {
        int64_t to = t->place[index[j]] - first;
        if (to < 0 || to >= n_own) continue;
        in->column[fill[to]] = (uint32_t)from;
        in->value[fill[to]++] = value[j];
      }
    }
  }
  coh_free(fill);
  return status;
}

// a row's own neighbours, ascending by point (insertion: k is small, and half sorted is common)
static void sorted_row(const coh_affinity_table *t, int64_t point, uint32_t *column,
                       float *value) {
  const int32_t *index = t->index + t->order[point] * t->k;
  const float *p = t->conditional + t->order[point] * t->k;
  for (int64_t j = 0; j < t->k; j++) {
    uint32_t c = (uint32_t)t->place[index[j]];
    int64_t at = j;
    for (; at > 0 && column[at - 1] > c; at--) {
      column[at] = column[at - 1];
      value[at] = value[at - 1];
    }
    column[at] = c;
    value[at] = p[j];
  }
}

// merge two ascending lists, adding what both have; out may be NULL to count
static int64_t merge(const uint32_t *ca, const float *va, int64_t na, const uint32_t *cb,
                     const float *vb, int64_t nb, float scale, uint32_t *column, float *value) {
  int64_t a = 0, b = 0, n = 0;
  while (a < na || b < nb) {
    uint32_t x = a < na ? ca[a] : UINT32_MAX, y = b < nb ? cb[b] : UINT32_MAX;
    if (column) {
      column[n] = x < y ? x : y;
      value[n] = scale * ((x <= y ? va[a] : 0) + (y <= x ? vb[b] : 0));
    }
    a += x <= y;
    b += y <= x;
    n++;
  }
  return n;
}

coh_status coh_affinities_join(const coh_affinity_table *t, int64_t first, int64_t n_own,
                               int n_threads, coh_affinities *p) {
  *p = (coh_affinities){.n = t->n, .first = first, .n_own = n_own};
  edges in = {0};
  int64_t *begin = NULL;
  int failed = 0;
  COH_NEW(p->begin, n_own + 1);
  coh_status status = gather_incoming(t, first, n_own, &in);
  begin = p->begin;
  // twice over the rows: count, then fill
  for (int pass = 0; pass < 2 && status == COH_OK && !failed; pass++) {
    float scale = 0.5f / (float)t->n;
#pragma omp parallel default(none) shared(t, first, n_own, p, in, begin, pass, scale, failed) \
    num_threads(n_threads)
    {
      uint32_t *column = coh_alloc_array((size_t)t->k, sizeof *column);
      float *value = coh_alloc_array((size_t)t->k, sizeof *value);
      if (!column || !value) {
#pragma omp atomic write
        failed = 1;
      }
#pragma omp for schedule(static)
      for (int64_t i = 0; i < n_own; i++) {
        if (!column || !value) continue;
        sorted_row(t, first + i, column, value);
        int64_t n =
            merge(column, value, t->k, in.column + in.begin[i], in.value + in.begin[i],
                  in.begin[i + 1] - in.begin[i], scale, pass ? p->column + begin[i] : NULL,
                  pass ? p->value + begin[i] : NULL);
        if (!pass) begin[i + 1] = n;
      }
      coh_free(column);
      coh_free(value);
    }
    if (pass || failed) break;
    accumulate(n_own, begin);
    p->column = coh_alloc_array((size_t)begin[n_own], sizeof *p->column);
    p->value = coh_alloc_array((size_t)begin[n_own], sizeof *p->value);
    failed = !p->column || !p->value;
  }
  edges_fini(&in);
  if (failed) status = coh_fail(COH_E_MEMORY, "out of memory for the affinities");
  if (status != COH_OK) coh_affinities_fini(p);
  return status;
}
