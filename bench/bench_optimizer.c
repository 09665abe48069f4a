/* Microseconds a step of every optimiser, on the flat blocks of two known networks, against the
 * floor: a loop that only moves the same memory (gradient read, parameters and moments read and
 * written).
 *     bench_optimizer
 * Prints one JSON object a line: the medians of CPU time over the repeats, bytes moved, and the
 * raw samples. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cohort/nn.h"
#include "cohort/random.h"
#include "sample.h"

enum { N_REPEATS = 15, MAX_STREAMS = 4 };
static const double seconds_per_repeat = 0.02;

static const struct {
  const char *name;
  int64_t n_floats; /* of the flat block, padding included */
} sizes[] = {{"minatar", 132576}, {"nature", 1687216}};

static const char *const configs[] = {
    "{sgd: 1e-3}",     "{sgd: {learning_rate: 1e-3, momentum: 0.9}}",
    "{rmsprop: 1e-3}", "{rmsprop: {learning_rate: 2.5e-4, centered: true}}",
    "{adam: 1e-3}",    "{adam: {learning_rate: 1e-3, clip_norm: 10}}",
    "{rprop: 1e-3}",
};

typedef struct subject {
  coh_choice choice;
  coh_optimizer *optimizer;
  int64_t n_floats;
  float *grads, *block[MAX_STREAMS];
  int64_t n_streams; /* blocks that are read and written */
} subject;

static void must(coh_status status) {
  if (status == COH_OK) return;
  fprintf(stderr, "bench_optimizer: %s\n", coh_error_message());
  exit(1);
}

static const coh_option table[] = {
    {.name = "it", .type = COH_KIND, .kinds = &coh_optimizer_kinds, .doc = "The optimiser."},
    {0},
};

static void choose(const char *config, coh_choice *choice) {
  char yaml[256];
  coh_config *root = NULL;
  int n = snprintf(yaml, sizeof yaml, "it: %s\n", config);
  must(coh_config_parse("bench", yaml, (size_t)n, &root));
  must(coh_options_fill(table, root, choice));
  coh_config_destroy(&root);
}

static float *block_of(int64_t n_floats, uint32_t entity) {
  float *block = coh_alloc_array((size_t)n_floats, sizeof *block);
  if (!block) must(coh_fail(COH_E_MEMORY, "out of memory"));
  coh_stream stream = coh_stream_begin(coh_key_make(1, "bench"), entity, 0);
  for (int64_t i = 0; i < n_floats; i++)
    block[i] = (float)coh_stream_normal(&stream) * 0.01f;
  return block;
}

static void step(subject *s) {
  must(coh_optimizer_step(s->optimizer, s->block[0], s->grads, 1));
}

// nothing but the traffic of a step
static void move(subject *s) {
  const float *restrict g = s->grads;
  float *restrict a = s->block[0], *restrict b = s->block[1], *restrict c = s->block[2],
                  *restrict d = s->block[3];
  switch (s->n_streams) {
  case 1:
    for (int64_t i = 0; i < s->n_floats; i++)
      a[i] += g[i];
    break;
  case 2:
    for (int64_t i = 0; i < s->n_floats; i++)
      a[i] += g[i], b[i] += g[i];
    break;
  case 3:
    for (int64_t i = 0; i < s->n_floats; i++)
      a[i] += g[i], b[i] += g[i], c[i] += g[i];
    break;
  default:
    for (int64_t i = 0; i < s->n_floats; i++)
      a[i] += g[i], b[i] += g[i], c[i] += g[i], d[i] += g[i];
  }
}

// microseconds a call, one sample a repeat; returns the median
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
    sample[k] = (coh_clock_thread() - begin) / (double)n_calls * 1e6;
  }
  return bench_summarise(sample, N_REPEATS).median;
}

static void report(const char *size, int64_t n_floats, const char *config) {
  subject s = {.n_floats = n_floats};
  choose(config, &s.choice);
  must(coh_optimizer_create(&s.choice, n_floats, &s.optimizer));
  s.n_streams = 1 + coh_optimizer_n_moments(s.optimizer);
  s.grads = block_of(n_floats, 0);
  for (uint32_t k = 0; k < MAX_STREAMS; k++)
    s.block[k] = block_of(n_floats, 1 + k);
  double steps[N_REPEATS], moves[N_REPEATS];
  double step_us = measure(&s, step, steps), floor_us = measure(&s, move, moves);
  double bytes = (double)(n_floats * (2 * s.n_streams + 1)) * sizeof(float);
  printf(
      "{\"bench\": \"optimizer\", \"size\": \"%s\", \"floats\": %lld, \"optimizer\": \"%s\", "
      "\"bytes\": %.0f, \"gb_per_s\": %.1f, \"cpu_us_floor\": %.3f",
      size, (long long)n_floats, config, bytes, bytes / step_us * 1e-3, floor_us);
  bench_sample_print("cpu_us", steps, N_REPEATS);
  printf("}\n");
  for (int k = 0; k < MAX_STREAMS; k++)
    coh_free(s.block[k]);
  coh_free(s.grads);
  coh_optimizer_destroy(&s.optimizer);
  coh_choice_clear(&s.choice);
}

int main(void) {
  for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++)
    for (size_t k = 0; k < sizeof configs / sizeof *configs; k++)
      report(sizes[size].name, sizes[size].n_floats, configs[k]);
  return 0;
}
