/* x.y - |y|^2 / 2 is larger the nearer y is to x; with the second term stored behind each row
 * the whole key is one matrix product. A row's candidates are those above the worst of the best
 * that were kept; a full buffer is cut back by quickselect. */
#include "neighbors/neighbor_block.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "la/blas.h"
#include "la/vector.h"

enum { REFERENCES = 1024, LANES = 8, GROUP = 32, SUM_ROWS = 1024 };

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t mask __attribute__((vector_size(LANES * sizeof(int32_t))));
typedef int64_t wide __attribute__((vector_size(LANES * sizeof(int32_t))));

typedef struct candidate {
  float key; /* larger is better */
  int32_t row;
} candidate;

typedef struct found {
  float distance;
  int32_t name, row;
} found;

struct coh_neighbor_scratch {
  int64_t k, keep, capacity; /* wanted; kept for the second look; room of a buffer */
  float *queries;            /* (BLOCK, stride) */
  float *keys;               /* (BLOCK, REFERENCES) */
  candidate *buffer;         /* (BLOCK, capacity) */
  found *near;               /* (keep) */
  int32_t count[COH_NEIGHBOR_BLOCK];
  float threshold[COH_NEIGHBOR_BLOCK];
};

// the mean of every column, in double, blocks of rows in order
static void mean_of_rows(int64_t n, int64_t n_values, const float *rows, const int32_t *order,
                         double *sum, float *mean) {
  memset(sum, 0, (size_t)n_values * sizeof *sum);
  for (int64_t i = 0; i < n; i++) {
    const float *row = rows + (order ? order[i] : i) * n_values;
    for (int64_t j = 0; j < n_values; j++)
      sum[j] += (double)row[j];
  }
  for (int64_t j = 0; j < n_values; j++)
    mean[j] = (float)(sum[j] / (double)n);
}

coh_status coh_neighbor_table_init(int64_t n, int64_t n_values, const float *rows,
                                   const int32_t *order, int n_threads,
                                   coh_neighbor_table *table) {
  coh_neighbor_table new = {.n = n, .n_values = n_values, .stride = n_values + 1};
  new.rows = coh_alloc_array((size_t)(n * new.stride), sizeof *new.rows);
  new.center = coh_alloc_array((size_t)n_values, sizeof *new.center);
  double *sum = coh_alloc_array((size_t)n_values, sizeof *sum);
  if (!new.rows || !new.center || !sum) {
    coh_neighbor_table_fini(&new);
    coh_free(sum);
    return coh_fail(COH_E_MEMORY, "out of memory for %lld rows to search", (long long)n);
  }
  mean_of_rows(n, n_values, rows, order, sum, new.center);
  coh_free(sum);
#pragma omp parallel for default(none) shared(n, n_values, rows, order, new) \
    num_threads(n_threads) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    const float *from = rows + (order ? order[i] : i) * n_values;
    float *to = new.rows + i *new.stride;
    for (int64_t j = 0; j < n_values; j++)
      to[j] = from[j] - new.center[j];
    to[n_values] = (float)(-0.5 * coh_la_sum_squares(n_values, to));
  }
  *table = new;
  return COH_OK;
}

void coh_neighbor_table_fini(coh_neighbor_table *table) {
  COH_DELETE(table->rows);
  COH_DELETE(table->center);
}

coh_status coh_neighbor_scratch_create(const coh_neighbor_table *table, int64_t k,
                                       coh_neighbor_scratch **scratch) {
  coh_neighbor_scratch *new;
  COH_NEW(new, 1);
  new->k = k;
  new->keep = k + (k / 8 > 8 ? k / 8 : 8);
  new->capacity = 2 * new->keep + 64;
  new->queries = coh_alloc_array((size_t)(COH_NEIGHBOR_BLOCK * table->stride), sizeof(float));
  new->keys = coh_alloc_array(COH_NEIGHBOR_BLOCK * REFERENCES, sizeof(float));
  new->buffer =
      coh_alloc_array((size_t)(COH_NEIGHBOR_BLOCK * new->capacity), sizeof *new->buffer);
  new->near = coh_alloc_array((size_t) new->keep, sizeof *new->near);
  if (!new->queries || !new->keys || !new->buffer || !new->near) {
    coh_neighbor_scratch_destroy(&new);
    return coh_fail(COH_E_MEMORY, "out of memory to search neighbours");
  }
  *scratch = new;
  return COH_OK;
}

void coh_neighbor_scratch_destroy(coh_neighbor_scratch **scratch) {
  if (!*scratch) return;
  coh_free((*scratch)->queries);
  coh_free((*scratch)->keys);
  coh_free((*scratch)->buffer);
  coh_free((*scratch)->near);
  COH_DELETE(*scratch);
}

static inline bool better(candidate a, candidate b) {
  return a.key > b.key || (a.key == b.key && a.row < b.row);
}

static inline void swap(candidate *a, candidate *b) {
  candidate kept = *a;
  *a = *b;
  *b = kept;
}

// bring the `keep` best of n to the front, the worst of them last (quickselect)
static void select_best(candidate *c, int64_t n, int64_t keep) {
  int64_t lo = 0, hi = n - 1, target = keep - 1;
  while (lo < hi) {
    int64_t middle = lo + (hi - lo) / 2;
    if (better(c[middle], c[lo])) swap(&c[middle], &c[lo]);
    if (better(c[hi], c[lo])) swap(&c[hi], &c[lo]);
    if (better(c[hi], c[middle])) swap(&c[hi], &c[middle]);
    candidate pivot = c[middle];
    int64_t i = lo, j = hi;
    while (i <= j) {
      while (better(c[i], pivot))
        i++;
      while (better(pivot, c[j]))
        j--;
      if (i <= j) swap(&c[i++], &c[j--]);
    }
    if (target <= j)
      hi = j;
    else if (target >= i)
      lo = i;
    else
      return;
  }
}

static void cut_back(coh_neighbor_scratch *s, int64_t query) {
  candidate *buffer = s->buffer + query * s->capacity;
  select_best(buffer, s->count[query], s->keep);
  s->count[query] = (int32_t)s->keep;
  s->threshold[query] = buffer[s->keep - 1].key;
}

// add the keys above the threshold, of references first .. first + n - 1
static void scan(coh_neighbor_scratch *s, int64_t query, int64_t first, int64_t n) {
  const float *keys = s->keys + query * REFERENCES;
  candidate *buffer = s->buffer + query * s->capacity;
  for (int64_t j = 0; j < n; j += GROUP) {
    // the block is padded with -inf
    vector v[GROUP / LANES];
    memcpy(v, keys + j, sizeof v);
    float t = s->threshold[query];
    wide any = (wide)((v[0] > t) | (v[1] > t) | (v[2] > t) | (v[3] > t));
    if (!(any[0] | any[1] | any[2] | any[3])) continue;
    if (s->count[query] + GROUP > s->capacity) {
      cut_back(s, query);
      t = s->threshold[query];
    }
    int32_t count = s->count[query];
    for (int64_t i = j; i < j + GROUP; i++) {
      buffer[count] = (candidate){keys[i], (int32_t)(first + i)};
      count += keys[i] > t;
    }
    s->count[query] = count;
  }
}

static float squared_distance(int64_t n, const float *x, const float *y) {
  float lane[LANES] = {0};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) {
      float d = x[i + j] - y[i + j];
      lane[j] += d * d;
    }
  for (int j = 0; i + j < n; j++) {
    float d = x[i + j] - y[i + j];
    lane[j] += d * d;
  }
  return ((lane[0] + lane[4]) + (lane[1] + lane[5])) +
         ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

static inline bool nearer(found a, found b) {
  return a.distance < b.distance || (a.distance == b.distance && a.name < b.name);
}

// a binary heap with the farthest on top becomes ascending order
static void sift(found *f, int64_t root, int64_t n) {
  found value = f[root];
  for (int64_t child; (child = 2 * root + 1) < n; root = child) {
    if (child + 1 < n && nearer(f[child], f[child + 1])) child++;
    if (!nearer(value, f[child])) break;
    f[root] = f[child];
  }
  f[root] = value;
}

static void sort_found(found *f, int64_t n) {
  for (int64_t i = n / 2 - 1; i >= 0; i--)
    sift(f, i, n);
  for (int64_t end = n - 1; end > 0; end--) {
    found top = f[0];
    f[0] = f[end];
    f[end] = top;
    sift(f, 0, end);
  }
}

// the second look: true distances of the candidates, the k nearest of them in order
static void finish(const coh_neighbor_table *table, coh_neighbor_scratch *s, int64_t query,
                   int32_t self, const int32_t *name, int32_t *index, float *distance) {
  candidate *buffer = s->buffer + query * s->capacity;
  const float *x = s->queries + query * table->stride;
  if (s->count[query] > s->keep) cut_back(s, query);
  int64_t n = 0;
  found *near = s->near;
  for (int32_t c = 0; c < s->count[query]; c++) {
    int32_t row = buffer[c].row;
    if (row == self) continue;
    near[n++] = (found){squared_distance(table->n_values, x, table->rows + row * table->stride),
                        name ? name[row] : row, row};
  }
  sort_found(near, n);
  for (int64_t i = 0; i < s->k; i++) {
    index[i] = near[i].row;
    distance[i] = near[i].distance;
  }
}

void coh_neighbor_block_run(const coh_neighbor_table *table, coh_neighbor_scratch *s,
                            int64_t n_queries, const float *queries, int64_t ldq,
                            const int32_t *self, const int32_t *name,
                            const coh_neighbor_range *ranges, int64_t n_ranges, int32_t *index,
                            float *distance) {
  for (int64_t q = 0; q < n_queries; q++) {
    memcpy(s->queries + q * table->stride, queries + q * ldq,
           (size_t)table->n_values * sizeof(float));
    s->queries[q * table->stride + table->n_values] = 1;
    s->count[q] = 0;
    s->threshold[q] = -INFINITY;
  }
  for (int64_t r = 0; r < n_ranges; r++)
    for (int64_t j = 0; j < ranges[r].n; j += REFERENCES) {
      int64_t first = ranges[r].first + j;
      int64_t n = ranges[r].n - j < REFERENCES ? ranges[r].n - j : REFERENCES;
      coh_la_sgemm(false, true, n_queries, n, table->stride, 1, s->queries, table->stride,
                   table->rows + first * table->stride, table->stride, 0, s->keys, REFERENCES);
      for (int64_t q = 0; q < n_queries; q++) {
        for (int64_t i = n; i % GROUP; i++)
          s->keys[q * REFERENCES + i] = -INFINITY;
        scan(s, q, first, n);
      }
    }
  for (int64_t q = 0; q < n_queries; q++)
    finish(table, s, q, self ? self[q] : -1, name, index + q * s->k, distance + q * s->k);
}
