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
#include "dqn_problem.h"
#include "updates.h"

typedef struct bench {
  const char *name;
  int64_t lanes, batch, prioritized, paced;
  dqn_problem problem;
  bench_updates updates;
} bench;

// do n updates; seconds on the wall and of this thread
static coh_status take(void *context, int64_t n, double *wall, double *cpu) {
  bench *b = context;
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

static void print_head(const void *context, int64_t n_updates) {
  const bench *b = context;
  const coh_dqn *dqn = b->problem.dqn;
  int64_t flops =
      coh_program_flops(dqn->update.program) + coh_program_flops(dqn->value.program);
  printf("{\"bench\": \"dqn\", \"problem\": \"%s\", \"lanes\": %" PRId64 ", \"batch\": %" PRId64
         ", \"prioritized\": %" PRId64 ", \"parameters\": %" PRId64 ", \"mflop\": %.2f, "
         "\"updates\": %" PRId64,
         b->name, b->lanes, dqn->options->batch, b->prioritized,
         coh_network_n_parameters(dqn->network), 1e-6 * (double)(flops * b->lanes), n_updates);
}

static coh_status read_argument(bench *b, const char *argument) {
  const bench_option options[] = {
      {"lanes=", &b->lanes, 1, 4096},
      {"batch=", &b->batch, 1, 1 << 16},
      {"prioritized=", &b->prioritized, 0, 1},
      {"samples=", &b->updates.n_samples, 1, BENCH_MAX_SAMPLES},
      {"ms=", &b->updates.ms, 1, 100000},
      {"paced=", &b->paced, 0, 1},
  };
  bool known;
  COH_TRY(bench_option_read(options, sizeof options / sizeof *options, argument, &known));
  if (known) return COH_OK;
  COH_CHECK(!strchr(argument, '='), COH_E_CONFIG, "unknown argument '%s'", argument);
  b->name = argument;
  return COH_OK;
}

static coh_status run(bench *b, coh_world *world) {
  COH_TRY(dqn_problem_open(&b->problem, b->name, world, b->lanes, b->batch, b->prioritized));
  COH_TRY(bench_updates_calibrate(&b->updates));
  return bench_updates_run(&b->updates, b->paced);
}

int main(int n_arguments, char **argument) {
  static bench b = {.name = "minatar4", .lanes = 1, .prioritized = 1};
  b.updates = (bench_updates){
      .context = &b, .take = take, .print_head = print_head, .n_samples = 31, .ms = 200};
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
