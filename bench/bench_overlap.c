/* How much of the gradient sum is hidden behind backpropagation: a chain of dense layers with
 * `floats` parameters, one lane a rank, under mpirun.
 *
 *     bench_overlap [floats=262144] [layers=12] [rows=0] [factor=100] [samples=21] [thread=0|1]
 *
 * rows: of the minibatch; 0: so many that computing takes factor % as long as the sum alone. An
 * update is taken in turns: `compute` (no sum), `sum` (no computing), `blocking` (compute, then
 * sum), `polled` (the product: messages move between two operators), `late` (the same with
 * gradients that are applied one update late), and with thread=1 `threaded` (a thread of its
 * own moves them; needs MPI_THREAD_MULTIPLE). One JSON line a way: microseconds of the slowest
 * rank, medians with intervals and samples; hidden = (compute + sum
 * - way) / sum. */
#include <inttypes.h>
#include <math.h>
#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "cohort/random.h"
#include "sample.h"
#include "task/learner_overlap.h"

enum { MAX_SAMPLES = 200, MAX_LAYERS = 64, N_WAYS = 6 };

typedef enum way { COMPUTE, SUM, BLOCKING, POLLED, LATE, THREADED } way;
static const char *const way_names[] = {"compute", "sum",  "blocking",
                                        "polled",  "late", "threaded"};

typedef struct bench {
  int64_t n_floats, n_layers, n_rows, factor, n_samples, threaded;
  coh_run_context context;
  coh_graph *graph;
  coh_program *program;
  coh_workspace *workspace;
  coh_value input, gradient[MAX_LAYERS];
  float *params;
  coh_learner learner, late; /* late: over the same blocks */
  coh_lane_sum *whole;
  pthread_t courier;
  _Atomic int64_t n_asked, n_served; /* updates of the courier; -1 asked: end */
  double sample[N_WAYS][MAX_SAMPLES];
} bench;

/* ---------------------------------------------------------------- the subject */

static coh_status build(bench *b, int64_t n_rows) {
  int64_t width = (int64_t)sqrt((double)b->n_floats / (double)b->n_layers) / 4 * 4;
  COH_TRY(coh_graph_create(&b->graph));
  coh_graph *g = b->graph;
  coh_value h = b->input = coh_graph_input(g, "x", COH_SHAPE(n_rows, width));
  for (int64_t k = 0; k < b->n_layers; k++) {
    char name[32];
    snprintf(name, sizeof name, "w%" PRId64, k);
    h = coh_op_relu(g,
                    coh_op_matmul(g, h, coh_graph_parameter(g, name, COH_SHAPE(width, width))));
  }
  coh_value loss = coh_op_mean_all(g, coh_op_square(g, h));
  COH_TRY(coh_gradient_parameters(g, loss, b->gradient));
  COH_TRY(coh_program_compile(g, b->gradient, b->n_layers, NULL, &b->program));
  COH_TRY(coh_workspace_create(b->program, &b->workspace));
  b->n_rows = n_rows;
  int64_t n_floats = coh_graph_parameter_floats(g);
  if (!b->params) {
    COH_NEW(b->params, n_floats);
    coh_stream stream = coh_stream_begin(coh_key_make(1, "bench"), 0, 0);
    for (int64_t i = 0; i < n_floats; i++)
      b->params[i] = (float)(coh_stream_normal(&stream) * sqrt(2.0 / (double)width));
    b->learner = (coh_learner){.context = &b->context, .name = "", .n_floats = n_floats};
    COH_NEW(b->learner.gradient, 1);
    COH_NEW(b->learner.gradient[0], n_floats + COH_LEARNER_TAIL);
    b->late = b->learner;
    COH_TRY(coh_learner_delay(&b->late));
  }
  float *x = coh_workspace_data(b->workspace, b->input);
  for (int64_t i = 0; i < n_rows * width; i++)
    x[i] = (float)(i % 13) * 0.1f;
  COH_TRY(coh_workspace_bind_parameters(b->workspace, b->params));
  return coh_workspace_bind_flat(b->workspace, b->gradient, b->n_layers,
                                 b->learner.gradient[0]);
}

static void unbuild(bench *b) {
  coh_workspace_destroy(&b->workspace);
  coh_program_destroy(&b->program);
  coh_graph_destroy(&b->graph);
}

/* ---------------------------------------------------------------- ways */

static void *carry(void *pointer) {
  bench *b = pointer;
  for (int64_t served = 0;;) {
    int64_t asked = atomic_load(&b->n_asked);
    if (asked < 0) return NULL;
    if (asked == served) {
      sched_yield();
      continue;
    }
    while (b->learner.n_done < b->learner.n_buckets) {
      if (coh_learner_poll(&b->learner) != COH_OK) return NULL;
      sched_yield();
    }
    atomic_store(&b->n_served, ++served);
  }
}

static coh_status sum_whole(bench *b) {
  return coh_lane_sum_run(b->whole, (const void *const *)b->learner.gradient,
                          b->learner.n_floats + COH_LEARNER_TAIL, b->learner.gradient[0]);
}

static coh_status threaded(bench *b) {
  int64_t asked = atomic_fetch_add(&b->n_asked, 1) + 1;
  COH_TRY(coh_learner_run(&b->learner, b->workspace, 0, coh_program_n_steps(b->program)));
  while (atomic_load(&b->n_served) < asked)
    sched_yield();
  return coh_learner_sum(&b->learner);
}

// settled in between: nothing is applied
static coh_status late(bench *b) {
  COH_TRY(coh_learner_run(&b->late, b->workspace, 0, coh_program_n_steps(b->program)));
  COH_TRY(coh_learner_settle(&b->late, NULL));
  return coh_learner_begin(&b->late);
}

static coh_status update(bench *b, way how) {
  switch (how) {
  case COMPUTE:
    return coh_program_run(b->program, b->workspace);
  case SUM:
    return sum_whole(b);
  case BLOCKING:
    COH_TRY(coh_program_run(b->program, b->workspace));
    return sum_whole(b);
  case POLLED:
    COH_TRY(coh_learner_run(&b->learner, b->workspace, 0, coh_program_n_steps(b->program)));
    return coh_learner_sum(&b->learner);
  case LATE:
    return late(b);
  default:
    return threaded(b);
  }
}

static coh_status take(bench *b, way how, int64_t n_repeats, double *seconds) {
  b->learner.owner = how == THREADED ? b->courier : pthread_self();
  if (how == LATE) COH_TRY(late(b)); // the first one has nothing to settle
  COH_TRY(coh_comm_barrier(b->context.world));
  double begun = coh_clock_now();
  for (int64_t i = 0; i < n_repeats; i++)
    COH_TRY(update(b, how));
  *seconds = (coh_clock_now() - begun) / (double)n_repeats;
  COH_TRY(coh_learner_settle(&b->late, NULL));
  return coh_comm_reduce_real(b->context.world, COH_REDUCE_MAX, seconds, 1);
}

/* ---------------------------------------------------------------- measuring */

static coh_status median_of(bench *b, way how, double *seconds) {
  double sample[7];
  for (int i = 0; i < 7; i++)
    COH_TRY(take(b, how, 1, &sample[i]));
  *seconds = bench_summarise(sample, 7).median;
  return COH_OK;
}

static coh_status prepare(bench *b) {
  coh_world *world = b->context.world;
  COH_TRY(coh_lanes_split(world, coh_world_size(world), &b->context.lanes));
  b->context.n_threads = 1;
  bool choose = b->n_rows == 0;
  COH_TRY(build(b, choose ? 32 : b->n_rows));
  COH_TRY(coh_lane_sum_create(world, &b->context.lanes, COH_SUM_F32,
                              b->learner.n_floats + COH_LEARNER_TAIL, 1, &b->whole));
  double sum, compute;
  COH_TRY(median_of(b, SUM, &sum));
  COH_TRY(median_of(b, COMPUTE, &compute));
  if (choose) { // the slowest rank's times, so all choose the same
    int64_t rows = (int64_t)(0.32 * (double)b->factor * sum / compute + 3) / 4 * 4;
    unbuild(b);
    COH_TRY(build(b, rows < 4 ? 4 : rows));
  }
  COH_TRY(coh_learner_overlap(&b->learner, b->program, b->graph, b->gradient));
  COH_TRY(coh_learner_connect(&b->learner));
  COH_TRY(coh_learner_overlap(&b->late, b->program, b->graph, b->gradient));
  COH_TRY(coh_learner_connect(&b->late));
  COH_CHECK(!b->threaded || pthread_create(&b->courier, NULL, carry, b) == 0, COH_E_INTERNAL,
            "no thread");
  return COH_OK;
}

static coh_status run(bench *b) {
  COH_TRY(prepare(b));
  int n_ways = b->threaded ? N_WAYS : N_WAYS - 1;
  double once;
  COH_TRY(median_of(b, BLOCKING, &once));
  int64_t n_repeats = once < 5e-3 ? (int64_t)(5e-3 / once) + 1 : 1;
  for (int64_t i = -1; i < b->n_samples; i++) // the first one warms
    for (int k = 0; k < n_ways; k++) {
      int how = i % 2 ? k : n_ways - 1 - k;
      COH_TRY(take(b, (way)how, n_repeats, &b->sample[how][i < 0 ? 0 : i]));
    }
  if (b->threaded) {
    atomic_store(&b->n_asked, -1);
    pthread_join(b->courier, NULL);
  }
  if (coh_world_rank(b->context.world) != 0) return COH_OK;
  double compute = bench_summarise(b->sample[COMPUTE], b->n_samples).median;
  double sum = bench_summarise(b->sample[SUM], b->n_samples).median;
  for (int how = 0; how < n_ways; how++) {
    double us[MAX_SAMPLES], hidden[MAX_SAMPLES];
    for (int64_t i = 0; i < b->n_samples; i++) {
      us[i] = b->sample[how][i] * 1e6;
      hidden[i] = (compute + sum - b->sample[how][i]) / sum;
    }
    printf("{\"bench\": \"overlap\", \"way\": \"%s\", \"ranks\": %d, \"nodes\": %d, "
           "\"bytes\": %" PRId64 ", \"buckets\": %d, \"rows\": %" PRId64,
           way_names[how], coh_world_size(b->context.world),
           coh_world_n_nodes(b->context.world), b->learner.n_floats * 4, b->learner.n_buckets,
           b->n_rows);
    bench_sample_print("us", us, b->n_samples);
    if (how >= BLOCKING) bench_sample_print("hidden", hidden, b->n_samples);
    printf("}\n");
  }
  return COH_OK;
}

static coh_status read_arguments(bench *b, int n, char **argument) {
  const struct {
    const char *name;
    int64_t *value, min, max;
  } options[] = {{"floats=", &b->n_floats, 1024, 1 << 28}, {"layers=", &b->n_layers, 1, 64},
                 {"rows=", &b->n_rows, 0, 1 << 16},        {"factor=", &b->factor, 1, 10000},
                 {"samples=", &b->n_samples, 1, 200},      {"thread=", &b->threaded, 0, 1}};
  for (int i = 1; i < n; i++) {
    bool is_known = false;
    for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
      size_t length = strlen(options[k].name);
      if (strncmp(argument[i], options[k].name, length) == 0)
        is_known = coh_text_to_int(argument[i] + length, options[k].value) &&
                   *options[k].value >= options[k].min && *options[k].value <= options[k].max;
    }
    COH_CHECK(is_known, COH_E_CONFIG, "argument '%s' is unknown or out of range", argument[i]);
  }
  return COH_OK;
}

int main(int n, char **argument) {
  static bench b = {.n_floats = 262144, .n_layers = 12, .factor = 100, .n_samples = 21};
  coh_status status = read_arguments(&b, n, argument);
  int provided;
  if (status == COH_OK && b.threaded)
    MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &provided);
  if (coh_world_open(&b.context.world) != COH_OK) return 1;
  if (status == COH_OK) status = run(&b);
  status = coh_comm_agree(b.context.world, status);
  if (status != COH_OK && coh_world_rank(b.context.world) == 0)
    fprintf(stderr, "bench_overlap: %s\n", coh_error_message());
  b.late.gradient = NULL; // the other's
  coh_learner_destroy(&b.late);
  coh_learner_destroy(&b.learner);
  coh_lane_sum_destroy(&b.whole);
  unbuild(&b);
  coh_free(b.params);
  coh_world_close(&b.context.world);
  if (b.threaded) MPI_Finalize();
  return coh_status_exit_code(status);
}
