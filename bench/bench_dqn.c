/* One update of deep Q-learning as the product does it: draw, gather, target network, loss and
 * gradient, lane sum, optimiser, priorities written back, target copied. One core.
 *
 *     bench_dqn PROBLEM [lanes=1] [batch=OWN] [prioritized=0|1] [samples=31] [ms=200]
 * [paced=0|1]
 *
 * Problems: minatar4 and minatar10 (channels; conv 16 3x3, dense 128, 6 actions),
 * cartpole_small (4-120-84-2), cartpole (4-256-256-2), nature (84x84x4, the CNN of Mnih et al.
 * 2015). A sample is as many updates as take about `ms`. One JSON line: microseconds an update,
 * on the wall and of CPU time, as medians with a nonparametric 95% interval, and the raw
 * samples. paced=1: one sample for each line on standard input, reported at once; so two
 * programs can take turns (bench/versus-torch). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "dqn_problem.h"
#include "sample.h"

enum { MAX_SAMPLES = 1000 };

typedef struct bench {
  const char *name;
  int64_t lanes, batch, prioritized, n_samples, ms, paced;
  dqn_problem problem;
  int64_t n_updates; /* a sample */
  double wall[MAX_SAMPLES], cpu[MAX_SAMPLES];
} bench;

// do n updates; seconds on the wall and of this thread
static coh_status take(bench *b, int64_t n, double *wall, double *cpu) {
  coh_dqn *dqn = b->problem.dqn;
  int64_t goal = dqn->learner.n_updates + n;
  dqn->env_steps = goal; // a step an update: so many are due
  double wall_begun = coh_clock_now(), cpu_begun = coh_clock_thread();
  COH_TRY(coh_dqn_learn(dqn, n, 1));
  *cpu = coh_clock_thread() - cpu_begun;
  *wall = coh_clock_now() - wall_begun;
  COH_CHECK(dqn->learner.n_updates == goal, COH_E_INTERNAL, "%" PRId64 " updates were not done",
            goal - dqn->learner.n_updates);
  return COH_OK;
}

static coh_status calibrate(bench *b) {
  double wall, cpu = 0, goal = (double)b->ms * 1e-3;
  for (b->n_updates = 1;; b->n_updates *= 2) {
    COH_TRY(take(b, b->n_updates, &wall, &cpu));
    if (cpu > goal / 3) break;
  }
  b->n_updates = (int64_t)((double)b->n_updates * goal / cpu) + 1;
  return COH_OK;
}

static void print_head(const bench *b) {
  const coh_dqn *dqn = b->problem.dqn;
  int64_t flops =
      coh_program_flops(dqn->update.program) + coh_program_flops(dqn->value.program);
  printf("{\"bench\": \"dqn\", \"problem\": \"%s\", \"lanes\": %" PRId64 ", \"batch\": %" PRId64
         ", \"prioritized\": %" PRId64 ", \"parameters\": %" PRId64 ", \"mflop\": %.2f, "
         "\"updates\": %" PRId64,
         b->name, b->lanes, dqn->options->batch, b->prioritized,
         coh_network_n_parameters(dqn->network), 1e-6 * (double)(flops * b->lanes),
         b->n_updates);
}

static coh_status run_paced(bench *b) {
  char line[64];
  print_head(b);
  printf("}\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    double wall, cpu;
    COH_TRY(take(b, b->n_updates, &wall, &cpu));
    printf("{\"us\": %.3f, \"cpu_us\": %.3f}\n", 1e6 * wall / (double)b->n_updates,
           1e6 * cpu / (double)b->n_updates);
    fflush(stdout);
  }
  return COH_OK;
}

static coh_status run_alone(bench *b) {
  for (int64_t i = 0; i < b->n_samples; i++) {
    COH_TRY(take(b, b->n_updates, &b->wall[i], &b->cpu[i]));
    b->wall[i] *= 1e6 / (double)b->n_updates;
    b->cpu[i] *= 1e6 / (double)b->n_updates;
  }
  print_head(b);
  bench_sample_print("us", b->wall, b->n_samples);
  bench_sample_print("cpu_us", b->cpu, b->n_samples);
  printf("}\n");
  return COH_OK;
}

static coh_status read_argument(bench *b, const char *argument) {
  const struct {
    const char *name;
    int64_t *value, min, max;
  } options[] = {
      {"lanes=", &b->lanes, 1, 4096},
      {"batch=", &b->batch, 1, 1 << 16},
      {"prioritized=", &b->prioritized, 0, 1},
      {"samples=", &b->n_samples, 1, MAX_SAMPLES},
      {"ms=", &b->ms, 1, 100000},
      {"paced=", &b->paced, 0, 1},
  };
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    size_t n = strlen(options[i].name);
    if (strncmp(argument, options[i].name, n) != 0) continue;
    COH_CHECK(coh_text_to_int(argument + n, options[i].value) &&
                  *options[i].value >= options[i].min && *options[i].value <= options[i].max,
              COH_E_CONFIG, "'%s' is out of range", argument);
    return COH_OK;
  }
  COH_CHECK(!strchr(argument, '='), COH_E_CONFIG, "unknown argument '%s'", argument);
  b->name = argument;
  return COH_OK;
}

static coh_status run(bench *b, coh_world *world) {
  COH_TRY(dqn_problem_open(&b->problem, b->name, world, b->lanes, b->batch, b->prioritized));
  COH_TRY(calibrate(b));
  return b->paced ? run_paced(b) : run_alone(b);
}

int main(int n_arguments, char **argument) {
  static bench b = {
      .name = "minatar4", .lanes = 1, .prioritized = 1, .n_samples = 31, .ms = 200};
  coh_world *world = NULL;
  coh_status status = coh_world_open(&world);
  for (int i = 1; i < n_arguments && status == COH_OK; i++)
    status = read_argument(&b, argument[i]);
  if (status == COH_OK) status = run(&b, world);
  if (status != COH_OK) fprintf(stderr, "bench_dqn: %s\n", coh_error_message());
  dqn_problem_close(&b.problem);
  coh_world_close(&world);
  return coh_status_exit_code(status);
}
