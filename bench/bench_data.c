/* Benchmark of loaders: rows a second into batches of floats on one thread, for images (bytes)
 * and vectors (floats), shuffled and in order, with and without augmentation, beside the floor:
 * memcpy of as many bytes as are read and written, from a source far larger than the caches.
 *
 *     taskset -c 0 build/bin/bench_data
 *
 * One line of JSON a case: the medians, the bytes moved, and the raw samples in nanoseconds a
 * row. CPU time of the thread, so that a shared machine does not count. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cohort/data.h"
#include "sample.h"

enum { N_REPEATS = 11, SOURCE_BYTES = 256 << 20 };
static const double seconds_per_repeat = 0.05;

static const struct {
  const char *name;
  coh_dtype dtype;
  int n_dims;
  int64_t shape[4];
} sources[] = {
    {"60000 x 28 x 28 bytes", COH_DTYPE_U8, 3, {60000, 28, 28}},
    {"50000 x 32 x 32 x 3 bytes", COH_DTYPE_U8, 4, {50000, 32, 32, 3}},
    {"200000 x 50 floats", COH_DTYPE_F32, 2, {200000, 50}},
    {"100000 x 2 floats", COH_DTYPE_F32, 2, {100000, 2}},
};

static const char *const configs[] = {
    "{batch: 128, shuffle: false}",
    "{batch: 128}",
    "{batch: 128, augment: [flip]}",
    "{batch: 128, augment: [shift, flip, cutout]}",
};

typedef struct subject {
  const coh_loader *loader;
  int64_t update, batch;
  float *values;
  const char *copy_from; /* the floor: as many bytes as a batch reads and writes, streamed */
  size_t copy_bytes, copy_at;
} subject;

static void must(coh_status status) {
  if (status == COH_OK) return;
  fprintf(stderr, "bench_data: %s\n", coh_error_message());
  exit(1);
}

static coh_dataset *make(size_t k) {
  coh_array rows = {.dtype = sources[k].dtype, .n_dims = sources[k].n_dims};
  memcpy(rows.shape, sources[k].shape, sizeof sources[k].shape);
  size_t n_bytes = (size_t)coh_array_count(&rows) * coh_dtype_bytes(rows.dtype);
  rows.data = coh_alloc_array(n_bytes, 1);
  if (!rows.data) must(coh_fail(COH_E_MEMORY, "out of memory"));
  // numbers of moderate size in either type
  for (size_t i = 0; i < n_bytes; i++)
    ((uint8_t *)rows.data)[i] = (uint8_t)((i % 4 == 3 ? 63 : i * 37) & 127);
  coh_dataset *dataset;
  must(coh_dataset_of_arrays(sources[k].name, &rows, NULL, &dataset));
  return dataset;
}

static void fill(subject *s) {
  coh_loader_fill(s->loader, s->update++, 0, s->values, NULL);
}

static void copy(subject *s) {
  memcpy(s->values, s->copy_from + s->copy_at, s->copy_bytes);
  s->copy_at += s->copy_bytes;
  if (s->copy_at + s->copy_bytes > SOURCE_BYTES) s->copy_at = 0;
  __asm__ volatile("" ::: "memory"); // each copy counts
}

// nanoseconds a row, one sample a repeat; returns the median
static double measure(subject *s, void (*work)(subject *), double sample[N_REPEATS]) {
  int64_t n_calls = 4;
  for (;; n_calls *= 2) { // long enough to time, and warm
    double begin = coh_clock_thread();
    for (int64_t i = 0; i < n_calls; i++)
      work(s);
    if (coh_clock_thread() - begin > seconds_per_repeat) break;
  }
  for (int k = 0; k < N_REPEATS; k++) {
    double begin = coh_clock_thread();
    for (int64_t i = 0; i < n_calls; i++)
      work(s);
    sample[k] = (coh_clock_thread() - begin) / (double)(n_calls * s->batch) * 1e9;
  }
  return bench_summarise(sample, N_REPEATS).median;
}

static void report(size_t source, const char *config) {
  coh_dataset *dataset = make(source);
  coh_config *root;
  coh_loader_options options;
  coh_loader *loader;
  must(coh_config_parse("bench", config, strlen(config), &root));
  must(coh_options_fill(coh_loader_option_table, root, &options));
  coh_config_destroy(&root);
  must(coh_loader_create(dataset, &options, 1, 1, &loader));
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  size_t row_bytes = (size_t)spec->n_values * (coh_dtype_bytes(spec->dtype) + sizeof(float));
  subject s = {.loader = loader, .batch = options.batch};
  s.copy_bytes = row_bytes * (size_t)options.batch / 2; // memcpy reads as much as it writes
  s.values = coh_alloc_array((size_t)(options.batch * spec->n_values), sizeof *s.values);
  char *from = coh_alloc_array(SOURCE_BYTES, 1);
  if (!s.values || !from) must(coh_fail(COH_E_MEMORY, "out of memory"));
  memset(from, 1, SOURCE_BYTES); // real pages
  s.copy_from = from;
  double fills[N_REPEATS], copies[N_REPEATS];
  double fill_ns = measure(&s, fill, fills), copy_ns = measure(&s, copy, copies);
  printf("{\"bench\": \"data\", \"data\": \"%s\", \"loader\": \"%s\", \"rows_per_s\": %.0f, "
         "\"cpu_ns_floor\": %.1f, \"gb_per_s\": %.1f",
         sources[source].name, config, 1e9 / fill_ns, copy_ns, (double)row_bytes / fill_ns);
  bench_sample_print("cpu_ns", fills, N_REPEATS);
  printf("}\n");
  coh_free(from);
  coh_free(s.values);
  coh_loader_destroy(&loader);
  coh_options_clear(coh_loader_option_table, &options);
  coh_dataset_destroy(&dataset);
}

// the price of one shuffled row number
static void report_permutation(int64_t n) {
  double best = 1e9;
  int64_t sum = 0;
  for (int k = 0; k < N_REPEATS; k++) {
    coh_permutation p = coh_permutation_make(n, 1, "shuffle", (uint64_t)k);
    double begin = coh_clock_thread();
    for (int64_t i = 0; i < 1000000; i++)
      sum += coh_permutation_at(&p, i % n);
    double ns = (coh_clock_thread() - begin) * 1e3;
    best = ns < best ? ns : best;
  }
  printf("{\"permutation\": %" PRId64 ", \"ns_per_row\": %.1f, \"sum\": %" PRId64 "}\n", n,
         best, sum);
}

static void report_reading(const char *name) {
  for (int k = 0; k < 3; k++) {
    coh_dataset *dataset;
    double begin = coh_clock_thread();
    if (coh_dataset_create_named(name, &dataset) != COH_OK) {
      printf("{\"create\": \"%s\", \"skipped\": \"%s\"}\n", name, coh_error_message());
      return;
    }
    printf("{\"create\": \"%s\", \"rows\": %" PRId64 ", \"s\": %.3f}\n", name,
           coh_dataset_spec_of(dataset)->n_rows, coh_clock_thread() - begin);
    coh_dataset_destroy(&dataset);
  }
}

int main(void) {
  for (size_t source = 0; source < sizeof sources / sizeof *sources; source++)
    for (size_t k = 0; k < sizeof configs / sizeof *configs; k++)
      if (k < 2 || sources[source].n_dims > 2) report(source, configs[k]);
  static const int64_t sizes[] = {1000, 60000, 65537, 100000000};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
    report_permutation(sizes[k]);
  report_reading("fashion_mnist");
  report_reading("gaussian_mixture");
  return 0;
}
