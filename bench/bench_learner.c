/* One update of a learner as the product does it, on one core. Of a classifier: minibatch,
 * augmentation, forward, backward, lane sums, optimiser, states of layers; of a GAN: both
 * players, noise, penalties and the averaged generator as well.
 *
 *     bench_learner CONFIG [key=value ...] [-- [samples=31] [ms=500] [paced=0|1] [steps=0|1]]
 *
 * CONFIG: a config of task classify or gan, with overrides as for `cohort run`. A sample is as
 * many updates as take about `ms`. One JSON line: microseconds an update, on the wall and of
 * CPU time, and images a second. paced=1: one sample for each line on standard input, so that
 * two programs can take turns (bench/versus-torch-gan, bench/versus-torch-classify). steps=1:
 * the schedule with the median time and GF/s of each step, to stderr. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "graph/program.h"
#include "run/run_config.h"
#include "sample.h"
#include "task/classify/classify.h"
#include "task/gan/gan.h"
#include "updates.h"

enum { MAX_OVERRIDES = 32 };

typedef struct bench {
  const char *path, *override[MAX_OVERRIDES];
  int64_t n_overrides, paced, steps;
  coh_run_config config;
  coh_run_context context;
  void *task;
  bench_updates updates;
  // of the task
  int64_t batch, n_parameters;
  const coh_program *program;
  coh_workspace *workspace; // of the first lane
} bench;

static coh_status take(void *context, int64_t n, double *wall, double *cpu) {
  bench *b = context;
  double wall_begun = coh_clock_now(), cpu_begun = coh_clock_thread();
  for (int64_t i = 0; i < n; i++)
    COH_TRY(b->config.task->step(b->task));
  *cpu = coh_clock_thread() - cpu_begun;
  *wall = coh_clock_now() - wall_begun;
  return COH_OK;
}

static void print_head(const void *context, int64_t n_updates) {
  const bench *b = context;
  int64_t n_lanes = b->context.lanes.n_lanes;
  printf(
      "{\"bench\": \"learner\", \"config\": \"%s\", \"lanes\": %" PRId64 ", \"batch\": %" PRId64
      ", \"parameters\": %" PRId64 ", \"mflop_an_image\": %.2f, \"updates\": %" PRId64,
      b->path, n_lanes, b->batch, b->n_parameters,
      1e-6 * (double)(coh_program_flops(b->program) * n_lanes) / (double)b->batch, n_updates);
}

static void print_rate(const void *context, double cpu_us) {
  const bench *b = context;
  printf(", \"images_a_second\": %.1f", 1e6 * (double)b->batch / cpu_us);
}

static void look_into_classifier(bench *b) {
  const coh_classify *task = b->task;
  b->batch = task->options->loader.batch;
  b->n_parameters = coh_network_n_parameters(task->network);
  b->program = task->update.program;
  b->workspace = task->lane[0].update;
}

static void look_into_gan(bench *b) {
  const coh_gan *task = b->task;
  b->batch = task->options->loader.batch;
  b->n_parameters =
      coh_network_n_parameters(task->generator) + coh_network_n_parameters(task->discriminator);
  b->program = task->update.program;
  b->workspace = task->lane[0].update;
}

// what each step of the program takes, on the first lane
static coh_status report_steps(const bench *b) {
  enum { ROUNDS = 15 };
  const coh_program *program = b->program;
  int64_t n = coh_program_n_steps(program);
  double *sample;
  COH_NEW(sample, n * ROUNDS);
  for (int r = 0; r < ROUNDS; r++)
    for (int64_t s = 0; s < n; s++) {
      double from = coh_clock_thread();
      if (program->steps[s].op != &coh_operator_lane_sum)
        coh_program_run_steps(program, b->workspace, s, s + 1);
      sample[s * ROUNDS + r] = coh_clock_thread() - from;
    }
  char *text = NULL;
  COH_TRY(coh_program_describe(program, &text));
  const char *line = strchr(text, '\n'); // behind the header
  double total = 0;
  for (int64_t s = 0; s < n && line; s++) {
    double median = bench_summarise(sample + s * ROUNDS, ROUNDS).median;
    const char *end = strchr(line + 1, '\n');
    fprintf(stderr, "%9.1f us %6.1f GF/s %.*s\n", median * 1e6,
            1e-9 * (double)program->steps[s].plan.flops / median,
            end ? (int)(end - line - 1) : 0, line + 1);
    total += median;
    line = end;
  }
  fprintf(stderr, "%9.1f us together\n", total * 1e6);
  coh_free(text), coh_free(sample);
  return COH_OK;
}

static coh_status read_option(bench *b, const char *argument) {
  const bench_option options[] = {
      {"samples=", &b->updates.n_samples, 1, BENCH_MAX_SAMPLES},
      {"ms=", &b->updates.ms, 1, 100000},
      {"paced=", &b->paced, 0, 1},
      {"steps=", &b->steps, 0, 1},
  };
  bool known;
  COH_TRY(bench_option_read(options, sizeof options / sizeof *options, argument, &known));
  if (known) return COH_OK;
  return coh_fail(COH_E_CONFIG, "unknown argument '%s'", argument);
}

static coh_status read_arguments(bench *b, int n, char **argument) {
  bool own = false;
  COH_CHECK(n >= 2, COH_E_CONFIG, "which config?");
  b->path = argument[1];
  for (int i = 2; i < n; i++) {
    if (strcmp(argument[i], "--") == 0) {
      own = true;
    } else if (own) {
      COH_TRY(read_option(b, argument[i]));
    } else {
      COH_CHECK(b->n_overrides < MAX_OVERRIDES, COH_E_CONFIG, "too many overrides");
      b->override[b->n_overrides++] = argument[i];
    }
  }
  return COH_OK;
}

static coh_status run(bench *b, coh_world *world) {
  COH_TRY(coh_run_config_read(b->path, b->override, b->n_overrides, &b->config));
  const char *kind = b->config.task->kind.name;
  bool is_gan = strcmp(kind, "gan") == 0;
  COH_CHECK(is_gan || strcmp(kind, "classify") == 0, COH_E_CONFIG,
            "%s: task %s; classify and gan are timed here", b->path, kind);
  const coh_run_options *o = b->config.run;
  b->context = (coh_run_context){.world = world,
                                 .n_threads = 1,
                                 .seed = (uint64_t)o->seed,
                                 .steps = o->steps,
                                 .precision = o->precision,
                                 .config_name = b->path};
  COH_TRY(coh_lanes_split(world, o->lanes, &b->context.lanes));
  COH_TRY(b->config.task->create(&b->context, b->config.task_options, &b->task));
  if (is_gan)
    look_into_gan(b);
  else
    look_into_classifier(b);
  COH_TRY(bench_updates_calibrate(&b->updates));
  if (b->steps) COH_TRY(report_steps(b));
  return bench_updates_run(&b->updates, b->paced);
}

int main(int n_arguments, char **argument) {
  static bench b;
  b.updates = (bench_updates){.context = &b,
                              .take = take,
                              .print_head = print_head,
                              .print_more = print_rate,
                              .n_samples = 31,
                              .ms = 500};
  coh_world *world = NULL;
  coh_status status = coh_world_open(&world);
  if (status == COH_OK) status = read_arguments(&b, n_arguments, argument);
  if (status == COH_OK) status = run(&b, world);
  if (status != COH_OK) fprintf(stderr, "bench_learner: %s\n", coh_error_message());
  if (b.task) b.config.task->destroy(&b.task);
  coh_run_config_clear(&b.config);
  coh_world_close(&world);
  return coh_status_exit_code(status);
}
