/* Timing updates of a learner, and the options of the benchmarks that do. */
#include "updates.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sample.h"

coh_status bench_option_read(const bench_option *options, int64_t n, const char *argument,
                             bool *known) {
  *known = false;
  for (int64_t i = 0; i < n && !*known; i++) {
    const bench_option *o = &options[i];
    size_t length = strlen(o->name);
    if (strncmp(argument, o->name, length) != 0) continue;
    *known = true;
    COH_CHECK(coh_text_to_int(argument + length, o->value) && *o->value >= o->min &&
                  *o->value <= o->max,
              COH_E_CONFIG, "'%s' is out of range", argument);
  }
  return COH_OK;
}

coh_status bench_updates_calibrate(bench_updates *b) {
  double wall, cpu = 0, goal = (double)b->ms * 1e-3;
  COH_TRY(b->take(b->context, 1, &wall, &cpu)); // the first is cold
  for (b->n_updates = 1;; b->n_updates *= 2) {
    COH_TRY(b->take(b->context, b->n_updates, &wall, &cpu));
    if (cpu > goal / 3) break;
  }
  b->n_updates = (int64_t)((double)b->n_updates * goal / cpu) + 1;
  return COH_OK;
}

static coh_status run_paced(bench_updates *b) {
  char line[64];
  b->print_head(b->context, b->n_updates);
  printf("}\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    double wall, cpu;
    COH_TRY(b->take(b->context, b->n_updates, &wall, &cpu));
    printf("{\"us\": %.3f, \"cpu_us\": %.3f}\n", 1e6 * wall / (double)b->n_updates,
           1e6 * cpu / (double)b->n_updates);
    fflush(stdout);
  }
  return COH_OK;
}

coh_status bench_updates_run(bench_updates *b, bool paced) {
  if (paced) return run_paced(b);
  for (int64_t i = 0; i < b->n_samples; i++) {
    COH_TRY(b->take(b->context, b->n_updates, &b->wall[i], &b->cpu[i]));
    b->wall[i] *= 1e6 / (double)b->n_updates;
    b->cpu[i] *= 1e6 / (double)b->n_updates;
  }
  b->print_head(b->context, b->n_updates);
  if (b->print_more) b->print_more(b->context, bench_summarise(b->cpu, b->n_samples).median);
  bench_sample_print("us", b->wall, b->n_samples);
  bench_sample_print("cpu_us", b->cpu, b->n_samples);
  printf("}\n");
  return COH_OK;
}
