/* Steps per second on one core, for every registered environment and several batch sizes:
 * random actions, observations written, ended episodes restarted.
 *     bench_env [NAME...]
 * Prints one JSON object a line: environment, batch, and steps per CPU second of the thread and
 * per second of the clock on the wall, as medians with a nonparametric 95% interval and the raw
 * samples.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cohort/env.h"
#include "cohort/random.h"
#include "sample.h"

enum { N_REPEATS = 7, N_SCRIPT = 64 };
static const double seconds_per_repeat = 0.1;
static const int64_t batches[] = {64, 256, 1024};

typedef struct bench {
  coh_env *env;
  int64_t n_envs;
  int32_t *actions; /* N_SCRIPT x n_envs */
  uint8_t *rows, *terminated, *truncated;
  float *rewards;
} bench;

static void play(bench *run, int64_t n_steps) {
  for (int64_t t = 0; t < n_steps; t++) {
    coh_status status = coh_env_step(run->env, run->actions + t % N_SCRIPT * run->n_envs,
                                     run->rows, run->rewards, run->terminated, run->truncated);
    if (status != COH_OK) {
      fprintf(stderr, "bench_env: %s\n", coh_error_message());
      exit(1);
    }
    coh_env_reset_ended(run->env, run->rows);
  }
}

static void measure(bench *run, const char *name) {
  int64_t n_steps = 16;
  for (;; n_steps *= 2) { // long enough to time, and warm
    double begin = coh_clock_thread();
    play(run, n_steps);
    if (coh_clock_thread() - begin > seconds_per_repeat) break;
  }
  double per_cpu[N_REPEATS], per_wall[N_REPEATS];
  double total = (double)(n_steps * run->n_envs);
  for (int r = 0; r < N_REPEATS; r++) {
    double cpu = coh_clock_thread(), wall = coh_clock_now();
    play(run, n_steps);
    per_cpu[r] = total / (coh_clock_thread() - cpu);
    per_wall[r] = total / (coh_clock_now() - wall);
  }
  printf("{\"bench\": \"env\", \"env\": \"%s\", \"batch\": %lld", name, (long long)run->n_envs);
  bench_sample_print("steps_per_cpu_s", per_cpu, N_REPEATS);
  bench_sample_print("steps_per_s", per_wall, N_REPEATS);
  printf("}\n");
  fflush(stdout);
}

static coh_status run_one(const char *name, int64_t n_envs) {
  bench run = {.n_envs = n_envs};
  COH_TRY(coh_env_create_named(name, n_envs, 0, 1, &run.env));
  const coh_env_spec *spec = coh_env_spec_of(run.env);
  COH_NEW(run.actions, N_SCRIPT * n_envs);
  COH_NEW(run.rows, (size_t)n_envs * spec->observation_bytes);
  COH_NEW(run.rewards, n_envs);
  COH_NEW(run.terminated, n_envs);
  COH_NEW(run.truncated, n_envs);
  coh_stream stream = coh_stream_begin(coh_key_make(1, "bench"), 0, 0);
  for (int64_t k = 0; k < N_SCRIPT * n_envs; k++)
    run.actions[k] = (int32_t)coh_stream_below(&stream, spec->n_actions);
  coh_env_reset(run.env, run.rows);
  measure(&run, name);
  coh_free(run.actions);
  coh_free(run.rows);
  coh_free(run.rewards);
  coh_free(run.terminated);
  coh_free(run.truncated);
  coh_env_destroy(&run.env);
  return COH_OK;
}

static bool wanted(const char *name, int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], name) == 0) return true;
  return argc == 1;
}

int main(int argc, char **argv) {
  for (int64_t k = 0; k < coh_env_kinds.n_kinds; k++) {
    const char *name = coh_env_kinds.kinds[k]->name;
    if (!wanted(name, argc, argv)) continue;
    for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++) {
      if (run_one(name, batches[b]) == COH_OK) continue;
      fprintf(stderr, "bench_env: %s\n", coh_error_message());
      return 1;
    }
  }
  return 0;
}
