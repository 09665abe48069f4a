/* x.y - |y|^2 / 2 is larger the nearer y is to x; with the second term stored behind each row
 * the whole key is one product. A row's candidates are those above the worst of the best that
 * were kept; a full buffer is cut back by quickselect. */
#include "neighbors/neighbor_block.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "la/vector.h"
#include "neighbors/neighbor_tile.h"

enum { LANES = 8, STRIP_FLOATS = 1 << 16 };
enum { GROUPS = (COH_NEIGHBOR_BLOCK + TILE_QUERIES - 1) / TILE_QUERIES };

// what a search may keep of a row in one number, better ones larger: the key's bits, put in
// order, above the complement of the row
typedef uint64_t candidate;

typedef struct found {
  float distance;
  int32_t name, row;
} found;

struct coh_neighbor_scratch {
  int64_t k, keep, capacity; /* wanted; kept for the second look; room of a buffer */
  float *queries;            /* (GROUPS, stride, TILE_QUERIES) */
  float *query;              /* (n_values): one of them */
  candidate *buffer;         /* (BLOCK, capacity) */
  found *near;               /* (keep) */
  int32_t count[GROUPS * TILE_QUERIES];
  float threshold[GROUPS * TILE_QUERIES];
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

// centred rows, as they are and as columns of a panel; a key of what fills the last is -inf
static void prepare_panel(const coh_neighbor_table *table, int64_t panel, const float *rows,
                          const int32_t *order) {
  int64_t n_values = table->n_values, stride = table->stride;
  float *columns = table->panels + panel * TILE_ROWS * stride;
  for (int64_t t = 0; t < TILE_ROWS; t++) {
    int64_t i = panel * TILE_ROWS + t;
    if (i >= table->n) {
      columns[n_values * TILE_ROWS + t] = -INFINITY;
      continue;
    }
    const float *from = rows + (order ? order[i] : i) * n_values;
    float *to = table->rows + i * stride;
    for (int64_t j = 0; j < n_values; j++)
      to[j] = from[j] - table->center[j];
    to[n_values] = (float)(-0.5 * coh_la_sum_squares(n_values, to));
    for (int64_t j = 0; j < stride; j++)
      columns[j * TILE_ROWS + t] = to[j];
  }
}

coh_status coh_neighbor_table_init(int64_t n, int64_t n_values, const float *rows,
                                   const int32_t *order, int n_threads,
                                   coh_neighbor_table *table) {
  coh_neighbor_table new = {.n = n, .n_values = n_values, .stride = n_values + 1};
  int64_t n_panels = (n + TILE_ROWS - 1) / TILE_ROWS;
  new.panels = coh_alloc_array((size_t)(n_panels * TILE_ROWS * new.stride), sizeof(float));
  new.rows = coh_alloc_array((size_t)(n * new.stride), sizeof *new.rows);
  new.center = coh_alloc_array((size_t)n_values, sizeof *new.center);
  double *sum = coh_alloc_array((size_t)n_values, sizeof *sum);
  if (!new.rows || !new.panels || !new.center || !sum) {
    coh_neighbor_table_fini(&new);
    coh_free(sum);
    return coh_fail(COH_E_MEMORY, "out of memory for %lld rows to search", (long long)n);
  }
  mean_of_rows(n, n_values, rows, order, sum, new.center);
  coh_free(sum);
#pragma omp parallel for default(none) shared(n_panels, rows, order, new) \
    num_threads(n_threads) schedule(static)
  for (int64_t panel = 0; panel < n_panels; panel++)
    prepare_panel(&new, panel, rows, order);
  *table = new;
  return COH_OK;
}

void coh_neighbor_table_fini(coh_neighbor_table *table) {
  COH_DELETE(table->rows);
  COH_DELETE(table->panels);
  COH_DELETE(table->center);
}

coh_status coh_neighbor_scratch_create(const coh_neighbor_table *table, int64_t k,
                                       coh_neighbor_scratch **scratch) {
  coh_neighbor_scratch *new;
  COH_NEW(new, 1);
  new->k = k;
  new->keep = k + (k / 8 > 8 ? k / 8 : 8);
  new->capacity = 2 * new->keep + 64;
  new->queries =
      coh_alloc_array((size_t)(GROUPS * TILE_QUERIES * table->stride), sizeof(float));
  new->query = coh_alloc_array((size_t)table->n_values, sizeof(float));
  new->buffer =
      coh_alloc_array((size_t)(COH_NEIGHBOR_BLOCK * new->capacity), sizeof *new->buffer);
  new->near = coh_alloc_array((size_t) new->keep, sizeof *new->near);
  if (!new->queries || !new->query || !new->buffer || !new->near) {
    coh_neighbor_scratch_destroy(&new);
    return coh_fail(COH_E_MEMORY, "out of memory to search neighbours");
  }
  *scratch = new;
  return COH_OK;
}

void coh_neighbor_scratch_destroy(coh_neighbor_scratch **scratch) {
  if (!*scratch) return;
  coh_free((*scratch)->queries);
  coh_free((*scratch)->query);
  coh_free((*scratch)->buffer);
  coh_free((*scratch)->near);
  COH_DELETE(*scratch);
}

static inline candidate candidate_of(float key, int32_t row) {
  uint32_t bits;
  memcpy(&bits, &key, sizeof bits);
  bits ^= bits >> 31 ? UINT32_MAX : (uint32_t)INT32_MIN;
  return (candidate)bits << 32 | (uint32_t)~row;
}

static inline float key_of(candidate c) {
  uint32_t bits = (uint32_t)(c >> 32);
  bits ^= bits >> 31 ? (uint32_t)INT32_MIN : UINT32_MAX;
  float key;
  memcpy(&key, &bits, sizeof key);
  return key;
}

static inline void order(candidate *a, candidate *b) {
  candidate low = *a < *b ? *a : *b, high = *a < *b ? *b : *a;
  *a = high;
  *b = low;
}

// bring the `keep` best of n to the front, the worst of them last (quickselect; candidates
// differ, and parting them does not branch)
static void select_best(candidate *c, int64_t n, int64_t keep) {
  int64_t lo = 0, hi = n - 1, target = keep - 1;
  while (lo < hi) {
    // the median of three becomes the pivot, at the end
    int64_t middle = lo + (hi - lo) / 2;
    order(&c[lo], &c[middle]);
    order(&c[lo], &c[hi]);
    order(&c[hi], &c[middle]);
    candidate pivot = c[hi];
    int64_t front = lo;
    for (int64_t i = lo; i < hi; i++) {
      candidate value = c[i];
      c[i] = c[front];
      c[front] = value;
      front += value > pivot;
    }
    c[hi] = c[front];
    c[front] = pivot;
    if (front == target) return;
    if (target < front)
      hi = front - 1;
    else
      lo = front + 1;
  }
}

static void cut_back(coh_neighbor_scratch *s, int64_t query) {
  candidate *buffer = s->buffer + query * s->capacity;
  select_best(buffer, s->count[query], s->keep);
  s->count[query] = (int32_t)s->keep;
  s->threshold[query] = key_of(buffer[s->keep - 1]);
}

// add the keys of a tile's row whose bits are set, of references from `first`
static __attribute__((noinline)) void add(coh_neighbor_scratch *s, int64_t query, int64_t first,
                                          uint32_t bits, const tile_vector key[2]) {
  if (s->count[query] + TILE_ROWS > s->capacity) cut_back(s, query);
  candidate *buffer = s->buffer + query * s->capacity;
  int32_t count = s->count[query];
  float value[TILE_ROWS];
  memcpy(value, key, sizeof value);
  for (; bits; bits &= bits - 1) {
    int i = __builtin_ctz(bits);
    buffer[count++] = candidate_of(value[i], (int32_t)(first + i));
  }
  s->count[query] = count;
}

// the lanes of a panel that are in the range
static inline uint32_t lanes_in(coh_neighbor_range range, int64_t panel) {
  int64_t from = range.first - panel * TILE_ROWS, end = from + range.n;
  uint32_t bits = end >= TILE_ROWS ? UINT32_MAX : ((uint32_t)1 << end) - 1;
  return from > 0 ? bits & (UINT32_MAX << from) : bits;
}

// six queries against panels [begin, end)
static void scan(const coh_neighbor_table *table, coh_neighbor_scratch *s, int64_t group,
                 coh_neighbor_range range, int64_t begin, int64_t end) {
  const float *queries = s->queries + group * TILE_QUERIES * table->stride;
  for (int64_t panel = begin; panel < end; panel++) {
    tile_vector key[TILE_QUERIES][2];
    tile_keys(table->stride, queries, table->panels + panel * TILE_ROWS * table->stride, key);
#pragma GCC unroll 6
    for (int q = 0; q < TILE_QUERIES; q++) {
      int64_t query = group * TILE_QUERIES + q;
      float t = s->threshold[query];
      uint32_t bits = tile_above(&key[q][0], t) | tile_above(&key[q][1], t) << TILE_LANES;
      if (!bits) continue;
      bits &= lanes_in(range, panel);
      if (bits) add(s, query, panel * TILE_ROWS, bits, key[q]);
    }
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
  const float *x =
      s->queries + query / TILE_QUERIES * TILE_QUERIES * table->stride + query % TILE_QUERIES;
  for (int64_t j = 0; j < table->n_values; j++)
    s->query[j] = x[j * TILE_QUERIES];
  if (s->count[query] > s->keep) cut_back(s, query);
  int64_t n = 0;
  found *near = s->near;
  for (int32_t c = 0; c < s->count[query]; c++) {
    int32_t row = ~(int32_t)(uint32_t)buffer[c];
    if (row == self) continue;
    const float *y = table->rows + row * table->stride;
    near[n++] =
        (found){squared_distance(table->n_values, s->query, y), name ? name[row] : row, row};
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
  int64_t n_groups = (n_queries + TILE_QUERIES - 1) / TILE_QUERIES, stride = table->stride;
  for (int64_t q = 0; q < n_groups * TILE_QUERIES; q++) {
    float *to = s->queries + q / TILE_QUERIES * TILE_QUERIES * stride + q % TILE_QUERIES;
    for (int64_t j = 0; j < table->n_values; j++)
      to[j * TILE_QUERIES] = q < n_queries ? queries[q * ldq + j] : 0;
    to[table->n_values * TILE_QUERIES] = 1;
    s->count[q] = 0;
    s->threshold[q] = q < n_queries ? -INFINITY : INFINITY;
  }
  // strips of panels that stay in the second cache for all queries
  int64_t strip = STRIP_FLOATS / (TILE_ROWS * stride) + 1;
  for (int64_t r = 0; r < n_ranges; r++) {
    int64_t end = (ranges[r].first + ranges[r].n + TILE_ROWS - 1) / TILE_ROWS;
    if (ranges[r].n <= 0) continue;
    for (int64_t p = ranges[r].first / TILE_ROWS; p < end; p += strip)
      for (int64_t g = 0; g < n_groups; g++)
        scan(table, s, g, ranges[r], p, p + strip < end ? p + strip : end);
  }
  for (int64_t q = 0; q < n_queries; q++)
    finish(table, s, q, self ? self[q] : -1, name, index + q * s->k, distance + q * s->k);
}
