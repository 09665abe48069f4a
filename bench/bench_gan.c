/* One update of both players of a GAN as the product does it: minibatch, noise, forward,
 * backward, penalties, lane sums, optimisers, states of layers, averaged generator. One core.
 *
 *     bench_gan CONFIG [key=value ...] [-- [samples=31] [ms=500] [paced=0|1] [steps=0|1]]
 *
 * CONFIG: a config of task gan, with overrides as for `cohort run`. A sample is as many updates
 * as take about `ms`. One JSON line: microseconds an update, on the wall and of CPU time, and
 * images a second. paced=1: one sample for each line on standard input, so that two programs
 * can take turns (bench/versus-torch-gan). steps=1: the schedule with the median time and GF/s
 * of each step, to stderr. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "graph/program.h"
#include "run/run_config.h"
#include "sample.h"
#include "task/gan/gan.h"

enum { MAX_SAMPLES = 1000, MAX_OVERRIDES = 32 };

typedef struct bench {
  const char *path, *override[MAX_OVERRIDES];
  int64_t n_overrides, n_samples, ms, paced, steps;
  coh_run_config config;
  coh_run_context context;
  coh_gan *gan;
  int64_t n_updates; /* a sample */
  double wall[MAX_SAMPLES], cpu[MAX_SAMPLES];
} bench;

static coh_status take(bench *b, int64_t n, double *wall, double *cpu) {
  double wall_begun = coh_clock_now(), cpu_begun = coh_clock_thread();
  for (int64_t i = 0; i < n; i++)
    COH_TRY(coh_gan_step(b->gan));
  *cpu = coh_clock_thread() - cpu_begun;
  *wall = coh_clock_now() - wall_begun;
  return COH_OK;
}

static coh_status calibrate(bench *b) {
  double wall, cpu = 0, goal = (double)b->ms * 1e-3;
  COH_TRY(take(b, 2, &wall, &cpu));
  COH_TRY(take(b, 2, &wall, &cpu));
  b->n_updates = (int64_t)(2 * goal / cpu) + 1;
  return COH_OK;
}

static void print_head(const bench *b) {
  const coh_gan *gan = b->gan;
  int64_t batch = gan->options->loader.batch, n_lanes = b->context.lanes.n_lanes;
  printf("{\"bench\": \"gan\", \"config\": \"%s\", \"lanes\": %" PRId64 ", \"batch\": %" PRId64
         ", \"parameters\": %" PRId64 ", \"mflop_an_image\": %.2f, \"updates\": %" PRId64,
         b->path, n_lanes, batch,
         coh_network_n_parameters(gan->generator) +
             coh_network_n_parameters(gan->discriminator),
         1e-6 * (double)(coh_program_flops(gan->update.program) * n_lanes) / (double)batch,
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
  printf(", \"images_a_second\": %.1f", 1e6 * (double)b->gan->options->loader.batch /
                                            bench_summarise(b->cpu, (int)b->n_samples).median);
  bench_sample_print("us", b->wall, b->n_samples);
  bench_sample_print("cpu_us", b->cpu, b->n_samples);
  printf("}\n");
  return COH_OK;
}

// what each step of the program takes, on the first lane
static coh_status report_steps(const bench *b) {
  enum { ROUNDS = 15 };
  const coh_program *program = b->gan->update.program;
  int64_t n = coh_program_n_steps(program);
  double *sample;
  COH_NEW(sample, n * ROUNDS);
  for (int r = 0; r < ROUNDS; r++)
    for (int64_t s = 0; s < n; s++) {
      double from = coh_clock_thread();
      if (program->steps[s].op != &coh_operator_lane_sum)
        coh_program_run_steps(program, b->gan->lane[0].update, s, s + 1);
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
  const struct {
    const char *name;
    int64_t *value, min, max;
  } options[] = {
      {"samples=", &b->n_samples, 1, MAX_SAMPLES},
      {"ms=", &b->ms, 1, 100000},
      {"paced=", &b->paced, 0, 1},
      {"steps=", &b->steps, 0, 1},
  };
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    size_t n = strlen(options[i].name);
    if (strncmp(argument, options[i].name, n) != 0) continue;
    COH_CHECK(coh_text_to_int(argument + n, options[i].value) &&
                  *options[i].value >= options[i].min && *options[i].value <= options[i].max,
              COH_E_CONFIG, "'%s' is out of range", argument);
    return COH_OK;
  }
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
  COH_CHECK(strcmp(b->config.task->kind.name, "gan") == 0, COH_E_CONFIG,
            "%s: not a config of task gan", b->path);
  const coh_run_options *o = b->config.run;
  b->context = (coh_run_context){.world = world,
                                 .n_threads = 1,
                                 .seed = (uint64_t)o->seed,
                                 .steps = o->steps,
                                 .precision = o->precision,
                                 .config_name = b->path};
  COH_TRY(coh_lanes_split(world, o->lanes, &b->context.lanes));
  void *task = NULL;
  coh_status status = coh_gan_create(&b->context, b->config.task_options, &task);
  b->gan = task;
  COH_TRY(status);
  COH_TRY(calibrate(b));
  if (b->steps) COH_TRY(report_steps(b));
  return b->paced ? run_paced(b) : run_alone(b);
}

int main(int n_arguments, char **argument) {
  static bench b = {.n_samples = 31, .ms = 500};
  coh_world *world = NULL;
  coh_status status = coh_world_open(&world);
  if (status == COH_OK) status = read_arguments(&b, n_arguments, argument);
  if (status == COH_OK) status = run(&b, world);
  if (status != COH_OK) fprintf(stderr, "bench_gan: %s\n", coh_error_message());
  void *task = b.gan;
  if (task) coh_gan_destroy(&task);
  coh_run_config_clear(&b.config);
  coh_world_close(&world);
  return coh_status_exit_code(status);
}
