/* Order statistics of samples, and their JSON. */
#include "sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

bench_summary bench_summarise(const double *sample, int64_t n) {
  double *sorted = coh_alloc_array((size_t)n, sizeof *sorted);
  if (!sorted) return (bench_summary){NAN, NAN, NAN};
  memcpy(sorted, sample, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, ascending);
  int64_t spread = (int64_t)ceil(0.98 * sqrt((double)n));
  int64_t low = n / 2 - spread, high = n / 2 + spread;
  bench_summary summary = {.median =
                               n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2,
                           .low = sorted[low < 0 ? 0 : low],
                           .high = sorted[high >= n ? n - 1 : high]};
  coh_free(sorted);
  return summary;
}

void bench_sample_print(const char *name, const double *sample, int64_t n) {
  bench_summary summary = bench_summarise(sample, n);
  printf(", \"%s\": %.3f, \"%s_low\": %.3f, \"%s_high\": %.3f, \"%s_samples\": [", name,
         summary.median, name, summary.low, name, summary.high, name);
  for (int64_t i = 0; i < n; i++)
    printf("%s%.3f", i ? ", " : "", sample[i]);
  printf("]");
}
