/* Extra-Trees alone: fit and predict on arrays of a file, for comparison with scikit-learn.
 *   bench_trees X.npy y.npy TEST.npy PREDICTED.npy [TREES] [N_MIN] [THREADS] [SEED]
 * Prints the processor seconds of fitting and of predicting TEST, each the best of three. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "cohort/io.h"
#include "task/fqi/regression_tree.h"

typedef struct forest {
  coh_tree *tree;
  coh_tree_grower **grower;
  int n_trees, n_threads;
  uint64_t seed;
  coh_tree_options options;
} forest;

static int fit(forest *f, const coh_tree_sample *sample) {
  int failed = 0;
#pragma omp parallel for num_threads(f->n_threads) schedule(dynamic) reduction(+ : failed)
  for (int t = 0; t < f->n_trees; t++) {
    coh_stream stream = coh_stream_begin(coh_key_make(f->seed, "bench"), (uint32_t)t, 0);
    failed += coh_tree_grow(f->grower[omp_get_thread_num()], &f->options, sample, &stream, NULL,
                            &f->tree[t]) != COH_OK;
  }
  return failed;
}

// the trees are parted among threads, each with sums of its own
static int predict(const forest *f, int64_t n, int64_t d, const float *columns, double *y) {
  coh_tree_rows rows;
  if (coh_tree_rows_create(n, d, columns, &rows) != COH_OK) return 1;
  double *sums = coh_alloc_array((size_t)(f->n_threads * rows.stride), sizeof *sums);
  if (!sums) return 1;
#pragma omp parallel num_threads(f->n_threads)
  {
    int k = omp_get_thread_num();
    for (int t = k; t < f->n_trees; t += f->n_threads)
      coh_tree_rows_add(&f->tree[t], &rows, sums + k * rows.stride);
  }
  for (int64_t i = 0; i < n; i++) {
    double sum = 0;
    for (int k = 0; k < f->n_threads; k++)
      sum += sums[k * rows.stride + i];
    y[rows.row[i]] = sum / f->n_trees;
  }
  coh_tree_rows_clear(&rows);
  coh_free(sums);
  return 0;
}

// rows into columns
static float *make_columns(const coh_array *x) {
  int64_t n = x->shape[0], d = x->shape[1];
  float *columns = coh_alloc_array((size_t)(n * d), sizeof *columns);
  for (int64_t i = 0; columns && i < n * d; i++)
    columns[i % d * n + i / d] = ((const float *)x->data)[i];
  return columns;
}

// of all threads: on a machine that is busy the wall clock says little
static double cpu_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int count, char **argument) {
  coh_array x = {0}, y = {0}, test = {0};
  if (count < 5 || coh_npy_read(argument[1], &x) != COH_OK ||
      coh_npy_read(argument[2], &y) != COH_OK || coh_npy_read(argument[3], &test) != COH_OK ||
      x.dtype != COH_DTYPE_F32 || y.dtype != COH_DTYPE_F64 || test.dtype != COH_DTYPE_F32) {
    fprintf(stderr,
            "usage: bench_trees X.npy y.npy TEST.npy PREDICTED.npy [TREES] [N_MIN] "
            "[THREADS] [SEED]; X and TEST are float32, y is float64; %s\n",
            coh_error_message());
    return 2;
  }
  forest f = {
      .n_trees = count > 5 ? atoi(argument[5]) : 50,
      .n_threads = count > 7 ? atoi(argument[7]) : 1,
      .seed = count > 8 ? (uint64_t)atoll(argument[8]) : 1,
      .options = {.split = COH_SPLIT_EXTRA, .n_min = count > 6 ? atoi(argument[6]) : 2}};
  f.tree = coh_alloc_array((size_t)f.n_trees, sizeof *f.tree);
  f.grower = coh_alloc_array((size_t)f.n_threads, sizeof *f.grower);
  for (int k = 0; k < f.n_threads; k++)
    if (coh_tree_grower_create(x.shape[0], x.shape[1], &f.grower[k]) != COH_OK) return 1;
  coh_tree_sample sample = {.n_rows = x.shape[0],
                            .n_features = x.shape[1],
                            .n_stride = x.shape[0],
                            .features = make_columns(&x),
                            .targets = y.data};
  double *predicted = coh_alloc_array((size_t)test.shape[0], sizeof *predicted);
  float *rows = make_columns(&test);
  double fit_best = 1e30, predict_best = 1e30;
  for (int repeat = 0; repeat < 3; repeat++) {
    double begun = cpu_seconds();
    if (fit(&f, &sample)) return 1;
    double fitted = cpu_seconds();
    if (predict(&f, test.shape[0], x.shape[1], rows, predicted)) return 1;
    double done = cpu_seconds();
    fit_best = fitted - begun < fit_best ? fitted - begun : fit_best;
    predict_best = done - fitted < predict_best ? done - fitted : predict_best;
  }
  coh_array out = {COH_DTYPE_F64, 1, {test.shape[0]}, predicted};
  if (coh_npy_write(argument[4], &out) != COH_OK) return 1;
  printf("%.4f %.4f\n", fit_best, predict_best);
  return 0;
}
