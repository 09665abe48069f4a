/* Spreading: points are sorted into strips of rows of nodes; strips that are even, then those
 * that are odd, are spread at once, each by one thread in the order of its points, so that no
 * two threads write the same node and every node adds in one order. */
#include "task/tsne/repulsion_grid.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/tsne/grid_transform.h"

enum { STRIP = 8, SUPPORT = 4, MOST_NODES = 3000, FEWEST = 48 };

typedef float four __attribute__((vector_size(SUPPORT * sizeof(float))));

struct coh_tsne_grid {
  int64_t n, dims;
  double widest, freedom; /* spacing asked for */
  int n_threads;
  float spacing, low[2]; /* of the grid in use */
  coh_grid_field field;
  size_t capacity; /* floats of the largest grid so far */
  float **scratch; /* a thread each */
  int64_t scratch_floats;
  float *block;               /* all arrays of the field */
  int32_t *strip_of, *sorted; /* (n): strip of a point; points by strip */
  int64_t *begin;             /* (strips + 1) */
};

coh_status coh_tsne_grid_create(int64_t n, int64_t dims, double spacing, double freedom,
                                int n_threads, coh_tsne_grid **grid) {
  coh_tsne_grid *g;
  COH_NEW(g, 1);
  *g = (coh_tsne_grid){
      .n = n, .dims = dims, .widest = spacing, .freedom = freedom, .n_threads = n_threads};
  g->strip_of = coh_alloc_array((size_t)n, sizeof *g->strip_of);
  g->sorted = coh_alloc_array((size_t)n, sizeof *g->sorted);
  g->begin = coh_alloc_array(2 * MOST_NODES / STRIP + 8, sizeof *g->begin);
  g->scratch = coh_alloc_array((size_t)n_threads, sizeof *g->scratch);
  if (!g->strip_of || !g->sorted || !g->begin || !g->scratch) {
    coh_tsne_grid_destroy(&g);
    return coh_fail(COH_E_MEMORY, "out of memory for a grid");
  }
  *grid = g;
  return COH_OK;
}

void coh_tsne_grid_destroy(coh_tsne_grid **grid) {
  coh_tsne_grid *g = *grid;
  if (!g) return;
  for (int i = 0; g->scratch && i < g->n_threads; i++)
    coh_free(g->scratch[i]);
  coh_free(g->scratch);
  coh_free(g->strip_of);
  coh_free(g->sorted);
  coh_free(g->begin);
  coh_free(g->block);
  coh_fourier_destroy(&g->field.plan[0]);
  coh_fourier_destroy(&g->field.plan[1]);
  COH_DELETE(*grid);
}

static int64_t round_up(int64_t n, int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// a new block of at least `floats`, grown with room to spare
static coh_status reserve(coh_tsne_grid *g, size_t floats) {
  if (floats <= g->capacity) return COH_OK;
  COH_DELETE(g->block);
  g->capacity = 0;
  COH_NEW(g->block, floats + floats / 2);
  g->capacity = floats + floats / 2;
  return COH_OK;
}

static coh_status reserve_scratch(coh_tsne_grid *g) {
  int64_t floats = coh_grid_scratch(&g->field);
  if (floats <= g->scratch_floats) return COH_OK;
  for (int i = 0; i < g->n_threads; i++) {
    COH_DELETE(g->scratch[i]);
    COH_NEW(g->scratch[i], floats + floats / 2);
  }
  g->scratch_floats = floats + floats / 2;
  return COH_OK;
}

// lay the arrays of the field out in one block
static coh_status lay_out(coh_tsne_grid *g) {
  coh_grid_field *f = &g->field;
  size_t nodes = (size_t)((f->used[0] + 1) * f->pitch);
  size_t mid = (size_t)(f->half * f->pitch), back = (size_t)(f->size[0] * f->pitch);
  size_t spectrum = (size_t)(f->half * f->size[1]);
  size_t total = 3 * nodes + 2 * mid + 2 * back + 3 * spectrum + 4 * (size_t)f->half +
                 (size_t)((f->size[0] + 1) * (f->size[1] + 1)) + 512;
  COH_TRY(reserve(g, total));
  COH_TRY(reserve_scratch(g));
  float *at = g->block;
  f->row_z = (double *)(void *)at;
  at += round_up(2 * f->half, 16);
  size_t plane = (size_t)(f->size[0] * f->size[1]);
  size_t axis[2] = {(size_t)f->size[0], (size_t)f->size[1]};
  struct {
    float **array;
    size_t count;
  } const part[] = {
      {&f->charge, nodes},       {&f->force[0], nodes},     {&f->force[1], nodes},
      {&f->mid_re, mid},         {&f->mid_im, mid},         {&f->back_re, back},
      {&f->back_im, back},       {&f->kernel[0], spectrum}, {&f->kernel[1], spectrum},
      {&f->kernel[2], spectrum}, {&f->plane, plane},        {&f->sharp[0], axis[0]},
      {&f->sharp[1], axis[1]}};
  for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
    *part[i].array = at;
    at += round_up((int64_t)part[i].count, 16);
  }
  // rows that no transform writes are read as zeros
  memset(f->mid_re, 0, mid * sizeof(float));
  memset(f->mid_im, 0, mid * sizeof(float));
  return COH_OK;
}

static void extent(const coh_tsne_grid *g, const float *y, float low[2], float high[2]) {
  for (int64_t a = 0; a < g->dims; a++)
    low[a] = high[a] = y[a];
  for (int64_t i = 0; i < g->n; i++)
    for (int64_t a = 0; a < g->dims; a++) {
      float v = y[i * g->dims + a];
      low[a] = v < low[a] ? v : low[a];
      high[a] = v > high[a] ? v : high[a];
    }
  for (int64_t a = g->dims; a < 2; a++)
    low[a] = high[a] = 0;
}

// choose the grid for these points: a function of their extent alone
static coh_status choose_grid(coh_tsne_grid *g, const float *y) {
  float high[2];
  extent(g, y, g->low, high);
  double width = fmax((double)(high[0] - g->low[0]), (double)(high[1] - g->low[1]));
  double h = g->widest;
  while (width / h < FEWEST && h > 1e-30)
    h *= 0.5;
  while (width / h > MOST_NODES)
    h *= 2;
  int64_t used[2], size[2];
  for (int a = 0; a < 2; a++) {
    used[a] = (int64_t)floor((double)(high[a] - g->low[a]) / h) + SUPPORT + 1;
    size[a] = coh_fourier_length(2 * used[a], 16);
    used[a] = size[a] / 2; // what the transform has room for
  }
  coh_grid_field *f = &g->field;
  bool same = size[0] == f->size[0] && size[1] == f->size[1];
  if (same && (float)h == g->spacing) return COH_OK;
  for (int a = 0; a < 2; a++)
    if (f->size[a] != size[a]) {
      coh_fourier_destroy(&f->plan[a]);
      COH_TRY(coh_fourier_create(size[a], &f->plan[a]));
      f->size[a] = size[a];
      f->used[a] = used[a];
    }
  f->pitch = round_up(used[1], 2 * COH_GRID_LANES);
  f->half = round_up(size[0] / 2 + 1, COH_GRID_LANES);
  f->line = g->dims == 1;
  g->spacing = (float)h;
  if (!same) COH_TRY(lay_out(g));
  coh_grid_kernels(f, h, g->freedom, g->n_threads, g->scratch);
  return COH_OK;
}

// the first node and the four weights of a coordinate
static inline int64_t weights_of(float u, four *w) {
  int64_t cell = (int64_t)u;
  float t = u - (float)cell, s = 1 - t;
  const float sixth = 1.0f / 6;
  (*w)[0] = s * s * s * sixth;
  (*w)[1] = ((3 * t - 6) * t * t + 4) * sixth;
  (*w)[2] = ((3 * s - 6) * s * s + 4) * sixth;
  (*w)[3] = t * t * t * sixth;
  return cell;
}

static inline float coordinate(const coh_tsne_grid *g, const float *y, int64_t i, int64_t a) {
  return a < g->dims ? (y[i * g->dims + a] - g->low[a]) / g->spacing : 0;
}

// points by strips, in their order: a counting sort
static int64_t sort_strips(coh_tsne_grid *g, const float *y) {
  int64_t n_strips = g->field.used[0] / STRIP + 1;
  memset(g->begin, 0, (size_t)(n_strips + 1) * sizeof *g->begin);
  for (int64_t i = 0; i < g->n; i++) {
    int32_t strip = (int32_t)((int64_t)coordinate(g, y, i, 0) / STRIP);
    g->strip_of[i] = strip;
    g->begin[strip + 1]++;
  }
  for (int64_t s = 0; s < n_strips; s++)
    g->begin[s + 1] += g->begin[s];
  for (int64_t i = 0; i < g->n; i++)
    g->sorted[g->begin[g->strip_of[i]]++] = (int32_t)i;
  for (int64_t s = n_strips; s > 0; s--)
    g->begin[s] = g->begin[s - 1];
  g->begin[0] = 0;
  return n_strips;
}

static void spread_strip(const coh_tsne_grid *g, const float *y, int64_t strip) {
  const coh_grid_field *f = &g->field;
  for (int64_t at = g->begin[strip]; at < g->begin[strip + 1]; at++) {
    int64_t i = g->sorted[at];
    four wx, wy;
    int64_t row = weights_of(coordinate(g, y, i, 0), &wx);
    int64_t column = weights_of(coordinate(g, y, i, 1), &wy);
    float *node = f->charge + row * f->pitch + column;
    for (int a = 0; a < SUPPORT; a++, node += f->pitch) {
      four v;
      memcpy(&v, node, sizeof v);
      v += wx[a] * wy;
      memcpy(node, &v, sizeof v);
    }
  }
}

static void spread(coh_tsne_grid *g, const float *y) {
  const coh_grid_field *f = &g->field;
  int64_t n_strips = sort_strips(g, y);
  memset(f->charge, 0, (size_t)(f->used[0] * f->pitch) * sizeof *f->charge);
  for (int64_t parity = 0; parity < 2; parity++) {
#pragma omp parallel for default(none) shared(g, y, n_strips, parity) schedule(dynamic) \
    num_threads(g->n_threads)
    for (int64_t s = parity; s < n_strips; s += 2)
      spread_strip(g, y, s);
  }
}

static inline float sum_of(four v) {
  return (v[0] + v[2]) + (v[1] + v[3]);
}

static void read_forces(const coh_tsne_grid *g, const float *y, int64_t first, int64_t n_own,
                        float *push) {
#pragma omp parallel for default(none) shared(g, y, first, n_own, push) schedule(static) \
    num_threads(g->n_threads)
  for (int64_t i = 0; i < n_own; i++) {
    const coh_grid_field *f = &g->field;
    four wx, wy, sum0 = {0}, sum1 = {0};
    int64_t row = weights_of(coordinate(g, y, first + i, 0), &wx);
    int64_t column = weights_of(coordinate(g, y, first + i, 1), &wy);
    int64_t at = row * f->pitch + column;
    for (int a = 0; a < SUPPORT; a++, at += f->pitch) {
      four v0, v1;
      memcpy(&v0, f->force[0] + at, sizeof v0);
      memcpy(&v1, f->force[1] + at, sizeof v1);
      sum0 += wx[a] * v0;
      sum1 += wx[a] * v1;
    }
    push[i * g->dims] = sum_of(sum0 * wy);
    if (g->dims > 1) push[i * g->dims + 1] = sum_of(sum1 * wy);
  }
}

coh_status coh_tsne_grid_run(coh_tsne_grid *g, const float *y, int64_t first, int64_t n_own,
                             float *push, double *z) {
  COH_TRY(choose_grid(g, y));
  spread(g, y);
  *z = coh_grid_transform(&g->field, g->n_threads, g->scratch) - (double)g->n;
  read_forces(g, y, first, n_own, push);
  return COH_OK;
}
