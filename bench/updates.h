/* Timing updates of a learner: samples of as many updates as take a given time, taken alone or
 * one for each line on standard input, so that two programs can take turns. */
#ifndef COHORT_BENCH_UPDATES_H
#define COHORT_BENCH_UPDATES_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"

enum { BENCH_MAX_SAMPLES = 1000 };

/* One option of a benchmark, `NAME=number`; name includes the '='. */
typedef struct bench_option {
  const char *name;
  int64_t *value, min, max;
} bench_option;

/* Read an argument that may be one of n options; *known: out. Fails: COH_E_CONFIG. */
coh_status bench_option_read(const bench_option *options, int64_t n, const char *argument,
                             bool *known);

typedef struct bench_updates {
  void *context;
  /* Do n updates; seconds on the wall and of this thread. */
  coh_status (*take)(void *context, int64_t n, double *wall, double *cpu);
  /* Begin the JSON line, without its closing brace; n_updates: of a sample. */
  void (*print_head)(const void *context, int64_t n_updates);
  /* Fields that follow from the median microseconds of CPU time an update; may be NULL. */
  void (*print_more)(const void *context, double cpu_us);
  int64_t n_samples, ms;
  int64_t n_updates; /* a sample */
  double wall[BENCH_MAX_SAMPLES], cpu[BENCH_MAX_SAMPLES];
} bench_updates;

/* Find how many updates take about ms. Fails: as take. */
coh_status bench_updates_calibrate(bench_updates *b);

/* Take samples and print them: n_samples of them as one line, or paced. Fails: as take. */
coh_status bench_updates_run(bench_updates *b, bool paced);

#endif
