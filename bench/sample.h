/* How benchmarks report what they measured: median, interval, raw samples. */
#ifndef COHORT_BENCH_SAMPLE_H
#define COHORT_BENCH_SAMPLE_H

#include <stdint.h>

/* Median of n samples and its nonparametric 95% interval: the order statistics at
 * n/2 -+ 0.98 sqrt(n), within the sample. The samples are not changed. */
typedef struct bench_summary {
  double median, low, high;
} bench_summary;
bench_summary bench_summarise(const double *sample, int64_t n);

/* Print the fields `, "NAME": median, "NAME_low": .., "NAME_high": .., "NAME_samples": [..]`,
 * samples in the order they were taken. */
void bench_sample_print(const char *name, const double *sample, int64_t n);

#endif
