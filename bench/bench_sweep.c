/* Bellman sweeps of one model in every form, beside reads of arrays far beyond the caches, in
 * turns: transitions a second, bytes a second, and their share of what the reads reach.
 *     bench_sweep [states=N] [actions=4] [successors=8] [band=1000] [threads=1] [samples=15]
 * Transitions are random within the band (0: anywhere). Rows take their probabilities from 256
 * patterns, so that all forms hold the same model. Prints one JSON object a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cohort/mdp.h"
#include "sample.h"

enum { MAX_SAMPLES = 200, N_PATTERNS = 256, N_FORMS = 3 };

typedef double two __attribute__((vector_size(16)));

static void must(coh_status status) {
  if (status == COH_OK) return;
  fprintf(stderr, "bench_sweep: %s\n", coh_error_message());
  exit(1);
}

static int64_t ask(int count, char **argument, const char *name, int64_t usual) {
  size_t length = strlen(name);
  for (int k = 1; k < count; k++)
    if (strncmp(argument[k], name, length) == 0 && argument[k][length] == '=')
      return strtoll(argument[k] + length + 1, NULL, 10);
  return usual;
}

static inline two load(const double *from) {
  two one;
  memcpy(&one, from, sizeof one);
  return one;
}

// nothing but the traffic, as a sweep's: two streams, one twice as fast as the other
static double read_all(const double *array, int64_t n, int n_threads) {
  double total = 0.0;
  const double *other = array + n / 3 * 2;
  int64_t n_blocks = n / 3 / 2048;
#pragma omp parallel for schedule(static) num_threads(n_threads) default(none) \
    shared(array, other, n_blocks) reduction(+ : total)
  for (int64_t block = 0; block < n_blocks; block++) {
    two sum[12] = {0};
    const double *from = array + block * 4096, *beside = other + block * 2048;
    for (int64_t k = 0; k < 2048; k += 8, from += 16, beside += 8) {
      for (int i = 0; i < 8; i++)
        sum[i] += load(from + 2 * i);
      for (int i = 0; i < 4; i++)
        sum[8 + i] += load(beside + 2 * i);
    }
    for (int i = 0; i < 12; i++)
      total += sum[i][0] + sum[i][1];
  }
  return total;
}

static void share_patterns(coh_mdp *mdp) {
  int64_t n = mdp->row_length;
  for (int64_t r = N_PATTERNS; r < mdp->n_rows; r++)
    memcpy(mdp->probability + r * n, mdp->probability + (r * 2654435761 % N_PATTERNS) * n,
           (size_t)n * sizeof(double));
}

/* Bytes that a sweep has to move: what it reads of the rows, first_row, rewards, values once
 * (local columns stay in a cache), and new values and choices, which are read before they are
 * written. */
static double bytes_of(const coh_mdp *mdp, coh_mdp_form form) {
  static const double entry[N_FORMS] = {12, 2, 6};
  double rows = (double)mdp->n_rows, states = (double)mdp->n_states;
  double lengths = form == COH_MDP_PATTERNS ? 2 : mdp->row_length ? 0 : form ? 2 : 8;
  return entry[form] * (double)mdp->n_entries + rows * (8 + lengths) + states * (8 + 8 + 2 * 8);
}

typedef struct bench {
  coh_mdp *mdp[N_FORMS];
  double *values, *next, *far;
  int64_t n_far;
  int32_t *choice;
  int n_threads, n_samples;
  double rate[N_FORMS][MAX_SAMPLES], share[N_FORMS][MAX_SAMPLES], reading[MAX_SAMPLES];
} bench;

static void take(bench *b, int k) {
  double begun = coh_clock_now();
  volatile double sink = read_all(b->far, b->n_far, b->n_threads);
  (void)sink;
  b->reading[k] = (double)b->n_far * 8e-9 / (coh_clock_now() - begun);
  for (int form = 0; form < N_FORMS; form++) {
    const coh_mdp *mdp = b->mdp[form];
    double low, high;
    begun = coh_clock_now();
    coh_mdp_sweep(mdp, false, b->n_threads, b->values, b->next, NULL, &low, &high);
    double seconds = coh_clock_now() - begun;
    b->rate[form][k] = (double)mdp->n_entries * 1e-9 / seconds;
    b->share[form][k] = bytes_of(mdp, (coh_mdp_form)form) * 1e-9 / seconds / b->reading[k];
    memcpy(b->values, b->next, (size_t)mdp->n_states * sizeof *b->values);
  }
}

static void report(const bench *b, const char *where) {
  static const char *const name[N_FORMS] = {"plain", "patterns", "single"};
  for (int form = 0; form < N_FORMS; form++) {
    const coh_mdp *mdp = b->mdp[form];
    printf("{\"bench\": \"sweep\", \"form\": \"%s\", \"columns\": \"%s\", \"threads\": %d, "
           "\"transitions\": %lld, \"bytes\": %.2f",
           name[form], where, b->n_threads, (long long)mdp->n_entries,
           bytes_of(mdp, (coh_mdp_form)form) / (double)mdp->n_entries);
    bench_sample_print("transitions_g", b->rate[form], b->n_samples);
    bench_sample_print("read_gb", b->reading, b->n_samples);
    bench_sample_print("share_of_read", b->share[form], b->n_samples);
    printf("}\n");
  }
}

int main(int count, char **argument) {
  coh_mdp_random random = {.n_states = ask(count, argument, "states", 1000000),
                           .n_actions = ask(count, argument, "actions", 4),
                           .n_successors = ask(count, argument, "successors", 8),
                           .band = ask(count, argument, "band", 1000),
                           .seed = 1,
                           .discount = 0.99};
  bench b = {.n_threads = (int)ask(count, argument, "threads", 1),
             .n_samples = (int)ask(count, argument, "samples", 15),
             .n_far = 64 << 20};
  if (b.n_samples < 1 || b.n_samples > MAX_SAMPLES) return 2;
  for (int form = 0; form < N_FORMS; form++) {
    must(coh_mdp_make_random(&random, &b.mdp[form]));
    share_patterns(b.mdp[form]);
    if (form == COH_MDP_PLAIN || random.band > 0)
      must(coh_mdp_compress(b.mdp[form], (coh_mdp_form)form));
  }
  b.values = coh_alloc_array((size_t)random.n_states, sizeof *b.values);
  b.next = coh_alloc_array((size_t)random.n_states, sizeof *b.next);
  b.choice = coh_alloc_array((size_t)random.n_states, sizeof *b.choice);
  b.far = coh_alloc_array((size_t)b.n_far, sizeof *b.far);
  if (!b.values || !b.next || !b.choice || !b.far) must(coh_fail(COH_E_MEMORY, "no memory"));
  take(&b, 0);
  for (int k = 0; k < b.n_samples; k++)
    take(&b, k);
  report(&b, random.band > 0 ? "local" : "random");
  return 0;
}
