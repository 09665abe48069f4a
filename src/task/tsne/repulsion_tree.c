/* Cells lie in the order of a depth-first walk with the place to go on when one is not opened,
 * so that a walk needs no stack. */
#include "task/tsne/repulsion_tree.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "task/tsne/similarity.h"

enum { G = COH_TREE_GROUP, LEAF = 8, MOST_DIMS = 3, DIGIT = 8, DIGITS = 256 };

typedef struct cell {
  float mean[MOST_DIMS];
  float width2;     /* squared, over theta^2: nearer than this it is opened */
  int32_t first, n; /* points */
  int32_t skip;     /* the cell after its descendants */
  int32_t leaf;
} cell;

struct coh_tsne_tree {
  int64_t n, dims, n_cells, capacity;
  float theta2, freedom;
  int n_threads;
  int bits; /* of a coordinate in a code */
  uint64_t *code, *other_code;
  int32_t *point, *other_point; /* (n): in order of the codes */
  float *place[MOST_DIMS];      /* (n padded): sorted coordinates */
  float extent;
  cell *cell;
};

static coh_status allocate(coh_tsne_tree *t) {
  COH_NEW(t->code, t->n);
  COH_NEW(t->other_code, t->n);
  COH_NEW(t->point, t->n);
  COH_NEW(t->other_point, t->n);
  for (int64_t a = 0; a < t->dims; a++)
    COH_NEW(t->place[a], t->n + G);
  COH_NEW(t->cell, t->capacity);
  return COH_OK;
}

coh_status coh_tsne_tree_create(int64_t n, int64_t dims, double theta, double freedom,
                                int n_threads, coh_tsne_tree **tree) {
  coh_tsne_tree *t;
  COH_NEW(t, 1);
  t->n = n;
  t->dims = dims;
  t->theta2 = (float)(theta * theta);
  t->freedom = (float)freedom;
  t->n_threads = n_threads;
  t->bits = dims == 3 ? 20 : 30;
  // chains of single children are skipped, so inner cells are fewer than leaves
  t->capacity = 2 * n + 64;
  coh_status status = allocate(t);
  if (status != COH_OK) coh_tsne_tree_destroy(&t);
  *tree = t;
  return status;
}

void coh_tsne_tree_destroy(coh_tsne_tree **tree) {
  coh_tsne_tree *t = *tree;
  if (!t) return;
  coh_free(t->code);
  coh_free(t->other_code);
  coh_free(t->point);
  coh_free(t->other_point);
  for (int64_t a = 0; a < t->dims; a++)
    coh_free(t->place[a]);
  coh_free(t->cell);
  COH_DELETE(*tree);
}

// bits of the coordinates in turn, highest first
static uint64_t code_of(const coh_tsne_tree *t, const uint32_t *grid) {
  uint64_t code = 0;
  for (int b = t->bits - 1; b >= 0; b--)
    for (int64_t a = 0; a < t->dims; a++)
      code = code << 1 | (grid[a] >> b & 1);
  return code;
}

static void compute_codes(coh_tsne_tree *t, const float *y, int64_t stride) {
  float low[MOST_DIMS], widest = 0;
  for (int64_t a = 0; a < t->dims; a++) {
    float high = y[a];
    low[a] = y[a];
    for (int64_t i = 0; i < t->n; i++) {
      float v = y[i * stride + a];
      low[a] = v < low[a] ? v : low[a];
      high = v > high ? v : high;
    }
    widest = high - low[a] > widest ? high - low[a] : widest;
  }
  t->extent = widest > 0 ? widest * 1.0001f : 1;
  double scale = ldexp(1, t->bits) / (double)t->extent, most = ldexp(1, t->bits) - 1;
  for (int64_t i = 0; i < t->n; i++) {
    uint32_t grid[MOST_DIMS];
    for (int64_t a = 0; a < t->dims; a++) {
      double g = scale * (double)(y[i * stride + a] - low[a]);
      grid[a] = (uint32_t)(g < most ? g : most);
    }
    t->code[i] = code_of(t, grid);
    t->point[i] = (int32_t)i;
  }
}

// stable radix sort, eight bits a pass; digits that are the same everywhere are skipped
static void sort_codes(coh_tsne_tree *t) {
  for (int shift = 0; shift < t->bits * (int)t->dims; shift += DIGIT) {
    int64_t count[DIGITS + 1] = {0};
    for (int64_t i = 0; i < t->n; i++)
      count[(t->code[i] >> shift & (DIGITS - 1)) + 1]++;
    if (count[(t->code[0] >> shift & (DIGITS - 1)) + 1] == t->n) continue;
    for (int d = 0; d < DIGITS; d++)
      count[d + 1] += count[d];
    for (int64_t i = 0; i < t->n; i++) {
      int64_t to = count[t->code[i] >> shift & (DIGITS - 1)]++;
      t->other_code[to] = t->code[i];
      t->other_point[to] = t->point[i];
    }
    uint64_t *code = t->code;
    int32_t *point = t->point;
    t->code = t->other_code;
    t->point = t->other_point;
    t->other_code = code;
    t->other_point = point;
  }
}

static int32_t add_cell(coh_tsne_tree *t, int64_t first, int64_t n, int level) {
  int32_t index = (int32_t)t->n_cells++;
  cell *c = &t->cell[index];
  *c = (cell){.first = (int32_t)first, .n = (int32_t)n};
  for (int64_t a = 0; a < t->dims; a++) {
    double sum = 0;
    for (int64_t i = first; i < first + n; i++)
      sum += (double)t->place[a][i];
    c->mean[a] = (float)(sum / (double)n);
  }
  float width = ldexpf(t->extent, -level);
  c->width2 = t->theta2 > 0 ? width * width / t->theta2 : INFINITY;
  return index;
}

// the end of the run of points from `first` that agree with it down to `level`
static int64_t run_end(const coh_tsne_tree *t, int64_t first, int64_t end, int level) {
  int shift = (t->bits - level) * (int)t->dims;
  uint64_t prefix = t->code[first] >> shift;
  int64_t lo = first, hi = end; /* code[lo] agrees, code[hi] does not */
  while (hi - lo > 1) {
    int64_t middle = lo + (hi - lo) / 2;
    if (t->code[middle] >> shift == prefix)
      lo = middle;
    else
      hi = middle;
  }
  return hi;
}

static void build(coh_tsne_tree *t, int64_t first, int64_t n, int level) {
  // go down at once to where the points part
  while (level < t->bits && n > 1 && run_end(t, first, first + n, level + 1) == first + n)
    level++;
  int32_t index = add_cell(t, first, n, level);
  if (n <= LEAF || level >= t->bits) {
    t->cell[index].leaf = n <= LEAF;
    if (n > LEAF) t->cell[index].width2 = 0; // one place: always one point
  } else {
    for (int64_t at = first; at < first + n;) {
      int64_t end = run_end(t, at, first + n, level + 1);
      build(t, at, end - at, level + 1);
      at = end;
    }
  }
  t->cell[index].skip = (int32_t)t->n_cells;
}

void coh_tsne_tree_build(coh_tsne_tree *t, const float *y, int64_t stride) {
  compute_codes(t, y, stride);
  sort_codes(t);
  for (int64_t a = 0; a < t->dims; a++) {
    for (int64_t i = 0; i < t->n; i++)
      t->place[a][i] = y[(int64_t)t->point[i] * stride + a];
    // the last group is filled with its last point
    for (int64_t i = t->n; i < t->n + G; i++)
      t->place[a][i] = t->place[a][t->n - 1];
  }
  t->n_cells = 0;
  build(t, 0, t->n, 0);
}

int64_t coh_tsne_tree_groups(const coh_tsne_tree *t) {
  return (t->n + G - 1) / G;
}

int64_t coh_tsne_tree_point(const coh_tsne_tree *t, int64_t i) {
  return t->point[i];
}

typedef float vector __attribute__((vector_size(G * sizeof(float))));
typedef int32_t mask __attribute__((vector_size(G * sizeof(int32_t))));
typedef int64_t wide __attribute__((vector_size(G * sizeof(int32_t))));

static inline bool all_of(mask m) {
  wide w = (wide)m;
  return (w[0] & w[1] & w[2] & w[3]) == -1;
}

// add `mass` points at one place
static inline __attribute__((always_inline)) void
meet(int dims, float freedom, vector mass, const vector *delta, vector squared, vector *sum) {
  vector inverse = freedom == 1 ? 1 / (1 + squared) : 1 / (1 + squared / freedom), w = inverse;
  if (freedom != 1)
    for (int j = 0; j < G; j++)
      w[j] = coh_similarity(inverse[j], freedom);
  vector force = mass * w;
  sum[dims] += force;
  force *= inverse;
  for (int a = 0; a < dims; a++)
    sum[a] += force * delta[a];
}

// sums over all points for eight at `at`; [first, end): their own places in the tree
static inline __attribute__((always_inline)) void walk(const coh_tsne_tree *t, int dims,
                                                       float freedom, int32_t first,
                                                       int32_t end, const vector *at,
                                                       vector *sum) {
  vector delta[MOST_DIMS];
  for (int64_t i = 0; i < t->n_cells;) {
    const cell *c = &t->cell[i];
    vector squared = {0};
    for (int a = 0; a < dims; a++) {
      delta[a] = at[a] - c->mean[a];
      squared += delta[a] * delta[a];
    }
    bool mine = c->first < end && first < c->first + c->n;
    if (c->width2 == 0 || (!mine && all_of(squared > c->width2))) {
      meet(dims, freedom, (float)c->n - (vector){0}, delta, squared, sum);
      i = c->skip;
    } else if (c->leaf) {
      for (int32_t p = c->first; p < c->first + c->n; p++) {
        squared = (vector){0};
        for (int a = 0; a < dims; a++) {
          delta[a] = at[a] - t->place[a][p];
          squared += delta[a] * delta[a];
        }
        meet(dims, freedom, 1 - (vector){0}, delta, squared, sum);
      }
      i = c->skip;
    } else {
      i++;
    }
  }
}

static void walk_any(const coh_tsne_tree *t, int32_t first, int32_t end, const vector *at,
                     vector *sum) {
  if (t->dims == 2 && t->freedom == 1)
    walk(t, 2, 1, first, end, at, sum);
  else if (t->dims == 2)
    walk(t, 2, t->freedom, first, end, at, sum);
  else if (t->dims == 3)
    walk(t, 3, t->freedom, first, end, at, sum);
  else
    walk(t, 1, t->freedom, first, end, at, sum);
}

void coh_tsne_tree_walk(const coh_tsne_tree *t, int64_t first, int64_t end, float *out) {
#pragma omp parallel for default(none) shared(t, first, end, out) schedule(dynamic, 16) \
    num_threads(t->n_threads)
  for (int64_t g = first; g < end; g++) {
    vector at[MOST_DIMS], sum[MOST_DIMS + 1] = {{0}};
    for (int64_t a = 0; a < t->dims; a++)
      memcpy(&at[a], t->place[a] + g * G, sizeof at[a]);
    walk_any(t, (int32_t)(g * G), (int32_t)(g * G + G), at, sum);
    sum[t->dims] -= 1; // each point met itself
    memcpy(out + (g - first) * (t->dims + 1) * G, sum, (size_t)(t->dims + 1) * sizeof *sum);
  }
}

void coh_tsne_tree_outside(const coh_tsne_tree *t, const float *at, float *out) {
  vector place[MOST_DIMS], sum[MOST_DIMS + 1] = {{0}};
  memcpy(place, at, (size_t)t->dims * sizeof *place);
  walk_any(t, -1, -1, place, sum);
  memcpy(out, sum, (size_t)(t->dims + 1) * sizeof *sum);
}
