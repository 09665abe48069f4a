/* Axis 0 first: eight columns of nodes are eight transforms side by side, and two real
 * sequences share one complex transform. Axis 1 needs rows side by side, hence tiles turned by
 * 8 x 8. Rows of the upper half of axis 0 follow from the lower by symmetry. */
#include "task/tsne/grid_transform.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "task/tsne/similarity.h"

enum { L = COH_GRID_LANES };

typedef float vector __attribute__((vector_size(L * sizeof(float))));

int64_t coh_grid_scratch(const coh_grid_field *f) {
  int64_t longest = f->size[0] > f->size[1] ? f->size[0] : f->size[1];
  return 6 * L * longest;
}

static inline vector read(const float *from) {
  vector v;
  memcpy(&v, from, sizeof v);
  return v;
}

static inline void write(float *to, vector v) {
  memcpy(to, &v, sizeof v);
}

// eight vectors as the columns of what they were the rows of
static inline void turn(vector *v) {
  vector a[L], b[L];
  for (int i = 0; i < L; i += 2) {
    a[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    a[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < L; i += 4)
    for (int j = 0; j < 2; j++) {
      b[i + j] = __builtin_shufflevector(a[i + j], a[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      b[i + j + 2] =
          __builtin_shufflevector(a[i + j], a[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; i++) {
    v[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    v[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

// eight rows of eight floats, `from_pitch` apart, to eight rows `to_pitch` apart, turned
static inline void turn_tile(const float *from, int64_t from_pitch, float *to,
                             int64_t to_pitch) {
  vector v[L];
  for (int i = 0; i < L; i++)
    v[i] = read(from + i * from_pitch);
  turn(v);
  for (int i = 0; i < L; i++)
    write(to + i * to_pitch, v[i]);
}

// columns [column, column + 16) of the charges, along axis 0
static void forward_columns(const coh_grid_field *f, int64_t column, float *scratch) {
  int64_t n = f->size[0], used = f->used[0];
  float *re = scratch, *im = scratch + L * n;
  for (int64_t i = 0; i < used; i++) {
    write(re + L * i, read(f->charge + i * f->pitch + column));
    write(im + L * i, read(f->charge + i * f->pitch + column + L));
  }
  memset(re + L * used, 0, (size_t)(L * (n - used)) * sizeof *re);
  memset(im + L * used, 0, (size_t)(L * (n - used)) * sizeof *im);
  coh_fourier_run(f->plan[0], false, re, im, scratch + 2 * L * n);
  for (int64_t k = 0; k <= n / 2; k++) {
    int64_t mirror = k ? n - k : 0, at = k * f->pitch + column;
    vector a = read(re + L * k), b = read(im + L * k);
    vector c = read(re + L * mirror), d = read(im + L * mirror);
    write(f->mid_re + at, 0.5f * (a + c));
    write(f->mid_im + at, 0.5f * (b - d));
    write(f->mid_re + at + L, 0.5f * (b + d));
    write(f->mid_im + at + L, 0.5f * (c - a));
  }
}

// back along axis 1, and into rows `row`(lane) of the result
static void backward_rows(const coh_grid_field *f, int64_t batch, bool mirrored, float *re,
                          float *im, float *scratch) {
  int64_t n = f->size[0];
  coh_fourier_run(f->plan[1], true, re, im, scratch);
  for (int64_t j = 0; j < f->pitch; j += L) {
    vector a[L], b[L];
    for (int t = 0; t < L; t++) {
      a[t] = read(re + L * (j + t));
      b[t] = read(im + L * (j + t));
    }
    turn(a);
    turn(b);
    for (int64_t t = 0; t < L; t++) {
      int64_t k = batch * L + t, row = mirrored ? n - k : k;
      if (k > n / 2 || (mirrored && (k == 0 || 2 * k == n))) continue;
      write(f->back_re + row * f->pitch + j, a[t]);
      write(f->back_im + row * f->pitch + j, b[t]);
    }
  }
}

// rows [8 batch, 8 batch + 8) of the half spectrum: along axis 1, times the kernels, and back
static double multiply_rows(const coh_grid_field *f, int64_t batch, float *scratch) {
  int64_t n = f->size[1];
  float *re = scratch, *im = scratch + L * n, *next = scratch + 2 * L * n;
  float *mirror_re = scratch + 4 * L * n, *mirror_im = scratch + 5 * L * n;
  for (int64_t j = 0; j < f->pitch && j < n; j += L) {
    turn_tile(f->mid_re + batch * L * f->pitch + j, f->pitch, re + L * j, L);
    turn_tile(f->mid_im + batch * L * f->pitch + j, f->pitch, im + L * j, L);
  }
  if (f->pitch < n) {
    memset(re + L * f->pitch, 0, (size_t)(L * (n - f->pitch)) * sizeof *re);
    memset(im + L * f->pitch, 0, (size_t)(L * (n - f->pitch)) * sizeof *im);
  }
  coh_fourier_run(f->plan[1], false, re, im, next);
  vector weight;
  for (int t = 0; t < L; t++) {
    int64_t k = batch * L + t;
    weight[t] = k > f->size[0] / 2 ? 0 : k == 0 || 2 * k == f->size[0] ? 1 : 2;
  }
  double lane[L] = {0};
  for (int64_t k = 0; k < n; k++) {
    int64_t at = (batch * n + k) * L, mirror = k ? n - k : 0;
    vector r = read(re + L * k), s = read(im + L * k);
    vector w = read(f->kernel[0] + at), a = read(f->kernel[1] + at),
           b = read(f->kernel[2] + at);
    vector power = weight * w * (r * r + s * s);
    for (int t = 0; t < L; t++)
      lane[t] += (double)power[t];
    vector rb = r * b, sa = s * a, ra = r * a, sb = s * b;
    write(re + L * k, -rb - sa);
    write(im + L * k, ra - sb);
    write(mirror_re + L * mirror, rb - sa);
    write(mirror_im + L * mirror, -ra - sb);
  }
  backward_rows(f, batch, false, re, im, next);
  backward_rows(f, batch, true, mirror_re, mirror_im, next);
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
         ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

// columns [column, column + 8) of the forces, back along axis 0
static void backward_columns(const coh_grid_field *f, int64_t column, float *scratch) {
  int64_t n = f->size[0];
  float *re = scratch, *im = scratch + L * n;
  for (int64_t i = 0; i < n; i++) {
    write(re + L * i, read(f->back_re + i * f->pitch + column));
    write(im + L * i, read(f->back_im + i * f->pitch + column));
  }
  coh_fourier_run(f->plan[0], true, re, im, scratch + 2 * L * n);
  for (int64_t i = 0; i < f->used[0]; i++) {
    write(f->force[0] + i * f->pitch + column, read(re + L * i));
    write(f->force[1] + i * f->pitch + column, read(im + L * i));
  }
}

double coh_grid_transform(const coh_grid_field *f, int n_threads, float *const *scratch) {
  int64_t n_pairs = f->pitch / (2 * L), n_batches = f->half / L, n_columns = f->pitch / L;
#pragma omp parallel default(none) shared(f, scratch, n_pairs, n_batches, n_columns) \
    num_threads(n_threads)
  {
    // a scratch a thread: which one does not matter
    float *mine = scratch[omp_get_thread_num()];
#pragma omp for schedule(static)
    for (int64_t i = 0; i < n_pairs; i++)
      forward_columns(f, 2 * L * i, mine);
#pragma omp for schedule(static)
    for (int64_t i = 0; i < n_batches; i++)
      f->row_z[i] = multiply_rows(f, i, mine);
#pragma omp for schedule(static)
    for (int64_t i = 0; i < n_columns; i++)
      backward_columns(f, L * i, mine);
  }
  double z = 0;
  for (int64_t i = 0; i < n_batches; i++)
    z += f->row_z[i];
  return z;
}

// what a spline of order 4 leaves of frequency k of n, with its images: the influence that
// makes the error smallest over all places between nodes
static double sharpen(int64_t k, int64_t n) {
  double x = (double)(k <= n / 2 ? k : k - n) / (double)n, sum = 0, main_term = 0;
  for (int m = -4; m <= 4; m++) {
    double u = M_PI * (x + m), w = fabs(u) < 1e-12 ? 1 : pow(sin(u) / u, 4);
    if (m == 0) main_term = w * w;
    sum += w * w;
  }
  return main_term / (sum * sum);
}

// rows [first, first + 8) of kernel c in space, along axis 1; what is real or i times real is
// kept as real
static void kernel_rows(const coh_grid_field *f, int c, int64_t first, float spacing,
                        float freedom, float *plane, float *re, float *im, float *next) {
  int64_t n0 = f->size[0], n1 = f->size[1];
  for (int64_t j = 0; j < n1; j++) {
    float dy = f->line ? 0 : spacing * (float)(j <= n1 / 2 ? j : j - n1);
    for (int64_t t = 0; t < L; t++) {
      int64_t i = first + t;
      float dx = spacing * (float)(i <= n0 / 2 ? i : i - n0);
      float inverse = 1 / (1 + (dx * dx + dy * dy) / freedom);
      float value = coh_similarity(inverse, freedom);
      // at the far end, where no pair of points is, an odd kernel is zero
      if (c == 1) value *= inverse * (2 * i == n0 ? 0 : dx);
      if (c == 2) value *= inverse * (2 * j == n1 ? 0 : dy);
      re[L * j + t] = value;
      im[L * j + t] = 0;
    }
  }
  coh_fourier_run(f->plan[1], false, re, im, next);
  const float *kept = c == 2 ? im : re;
  for (int64_t t = 0; t < L; t++)
    for (int64_t j = 0; j < n1; j++)
      plane[(first + t) * n1 + j] = kept[L * j + t];
}

// columns [first, first + 8) of the plane, along axis 0, sharpened, into the order of the
// product
static void kernel_columns(const coh_grid_field *f, int c, int64_t first, const float *plane,
                           float *re, float *im, float *next) {
  int64_t n0 = f->size[0], n1 = f->size[1];
  for (int64_t i = 0; i < n0; i++) {
    memcpy(re + L * i, plane + i * n1 + first, L * sizeof *re);
    memset(im + L * i, 0, L * sizeof *im);
  }
  coh_fourier_run(f->plan[0], false, re, im, next);
  const float *kept = c == 1 ? im : re;
  for (int64_t k = 0; k < f->half; k++)
    for (int64_t t = 0; t < L; t++) {
      float share = k > n0 / 2 ? 0 : f->sharp[0][k] * f->sharp[1][first + t];
      f->kernel[c][(k / L * n1 + first + t) * L + k % L] =
          k > n0 / 2 ? 0 : share * kept[L * k + t];
    }
}

void coh_grid_kernels(const coh_grid_field *f, double spacing, double freedom, int n_threads,
                      float *const *scratch) {
  for (int a = 0; a < 2; a++)
    for (int64_t k = 0; k < f->size[a]; k++)
      f->sharp[a][k] = (float)(sharpen(k, f->size[a]) / (double)f->size[a]);
  int64_t longest = f->size[0] > f->size[1] ? f->size[0] : f->size[1];
  float *plane = f->plane, h = (float)spacing, free = (float)freedom;
  for (int c = 0; c < 3; c++) {
#pragma omp parallel default(none) shared(f, c, h, free, plane, longest, scratch) \
    num_threads(n_threads)
    {
      float *re = scratch[omp_get_thread_num()], *im = re + L * longest,
            *next = im + L * longest;
#pragma omp for schedule(static)
      for (int64_t i = 0; i < f->size[0]; i += L)
        kernel_rows(f, c, i, h, free, plane, re, im, next);
#pragma omp for schedule(static)
      for (int64_t j = 0; j < f->size[1]; j += L)
        kernel_columns(f, c, j, plane, re, im, next);
    }
  }
}
