/* Times of single operators and of whole networks (forward; forward and gradient of a
 * Q-learning loss), one core. Prints JSON lines: median microseconds with a nonparametric 95%
 * interval, GF/s from the products' operation count, and with `raw` as an argument every
 * sample.
 *
 *     bench_graph [raw] [describe] [steps] [filter]
 *
 * filter: only cases whose name contains it; describe: the schedule too, steps: the median time
 * of every step of it, both to stderr. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cohort/graph.h"
#include "cohort/random.h"
#include "sample.h"

enum { MAX_SAMPLES = 400 };

typedef struct bench {
  const char *filter;
  bool raw, describe, steps;
} bench;

static void report(const bench *b, const char *name, double *sample, int n, double flops) {
  for (int i = 0; i < n; i++)
    sample[i] *= 1e6;
  bench_summary summary = bench_summarise(sample, n);
  printf("{\"bench\": \"graph\", \"case\": \"%s\", \"gflops\": %.1f, \"n\": %d", name,
         flops / summary.median * 1e-3, n);
  if (b->raw)
    bench_sample_print("us", sample, n);
  else
    printf(", \"us\": %.3f, \"us_low\": %.3f, \"us_high\": %.3f", summary.median, summary.low,
           summary.high);
  printf("}\n");
  fflush(stdout);
}

static void fill(float *data, int64_t n, uint32_t entity) {
  coh_stream stream = coh_stream_begin(coh_key_make(1, "bench"), entity, 0);
  for (int64_t i = 0; i < n; i++)
    data[i] = (float)(0.05 * coh_stream_normal(&stream));
}

// median time of each step of the schedule, run in order
static void report_steps(const coh_program *program, coh_workspace *workspace) {
  enum { ROUNDS = 101 };
  int64_t n = coh_program_n_steps(program);
  double *sample = coh_alloc_array((size_t)(n * ROUNDS), sizeof *sample);
  if (!sample) return;
  for (int r = 0; r < ROUNDS; r++)
    for (int64_t s = 0; s < n; s++) {
      double from = coh_clock_now();
      coh_program_run_steps(program, workspace, s, s + 1);
      sample[s * ROUNDS + r] = coh_clock_now() - from;
    }
  for (int64_t s = 0; s < n; s++) {
    double median = bench_summarise(sample + s * ROUNDS, ROUNDS).median;
    fprintf(stderr, "step %3d %9.2f us\n", (int)s, median * 1e6);
  }
  coh_free(sample);
}

// compile, run for about a third of a second, report; the graph is destroyed
static void measure(const bench *b, const char *name, coh_graph *graph,
                    const coh_value *outputs, int64_t n) {
  coh_program *program = NULL;
  coh_workspace *workspace = NULL;
  if (b->filter && !strstr(name, b->filter)) {
    coh_graph_destroy(&graph);
    return;
  }
  int64_t floats = coh_graph_parameter_floats(graph);
  float *parameters = coh_alloc_array((size_t)floats, sizeof *parameters);
  if (!parameters || coh_program_compile(graph, outputs, n, NULL, &program) != COH_OK ||
      coh_workspace_create(program, &workspace) != COH_OK) {
    fprintf(stderr, "%s: %s\n", name, coh_error_message());
    exit(1);
  }
  fill(parameters, floats, 0);
  coh_workspace_bind_parameters(workspace, parameters);
  for (coh_value v = 0; v < coh_graph_n_values(graph); v++) {
    float *data = coh_workspace_data(workspace, v);
    if (data) fill(data, coh_shape_count(coh_graph_shape(graph, v)), (uint32_t)v + 1);
  }
  if (b->describe) {
    char *text = NULL;
    if (coh_program_describe(program, &text) == COH_OK) fprintf(stderr, "%s\n%s", name, text);
    coh_free(text);
  }
  double sample[MAX_SAMPLES];
  int taken = 0;
  for (int i = 0; i < 20; i++)
    coh_program_run(program, workspace);
  double begin = coh_clock_now(), once = begin;
  for (int i = 0; i < 10; i++)
    coh_program_run(program, workspace);
  once = (coh_clock_now() - begin) / 10;
  int repeat = once < 50e-6 ? (int)(50e-6 / once) + 1 : 1;
  begin = coh_clock_now();
  while (taken < MAX_SAMPLES && (taken < 15 || coh_clock_now() - begin < 0.35)) {
    double from = coh_clock_now();
    for (int i = 0; i < repeat; i++)
      coh_program_run(program, workspace);
    sample[taken++] = (coh_clock_now() - from) / repeat;
  }
  if (b->steps) report_steps(program, workspace);
  report(b, name, sample, taken, (double)coh_program_flops(program));
  coh_workspace_destroy(&workspace);
  coh_program_destroy(&program);
  coh_free(parameters);
  coh_graph_destroy(&graph);
}

static coh_graph *new_graph(void) {
  coh_graph *graph = NULL;
  if (coh_graph_create(&graph) != COH_OK) exit(1);
  return graph;
}

/* ---- the processor's own speed, beside which the others are read */

#if defined(__x86_64__) && defined(__GNUC__)
enum { CHAINS = 12, WIDTH = 8, TURNS = 200000 };
typedef float lanes8 __attribute__((vector_size(WIDTH * sizeof(float))));

// multiply-adds in registers: as many independent chains as hide their latency
__attribute__((noinline, target("avx2,fma"))) static float multiply_add(float scale) {
  lanes8 x[CHAINS], a = {0}, sum = {0};
  a += scale;
  for (int k = 0; k < CHAINS; k++)
    x[k] = a * (float)k;
#pragma GCC unroll 1
  for (int i = 0; i < TURNS; i++)
#pragma GCC unroll 12
    for (int k = 0; k < CHAINS; k++)
      x[k] = x[k] * a + a;
  for (int k = 0; k < CHAINS; k++)
    sum += x[k];
  return sum[0];
}

static void measure_peak(const bench *b) {
  const char *name = "peak.multiply_add.avx2";
  if (b->filter && !strstr(name, b->filter)) return;
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return;
  double sample[31];
  volatile float scale = 0.5f;
  float kept = 0;
  for (int i = 0; i < 31; i++) {
    double from = coh_clock_now();
    kept += multiply_add(scale);
    sample[i] = coh_clock_now() - from;
  }
  scale = kept; // the work is not for nothing
  report(b, name, sample, 31, 2.0 * CHAINS * WIDTH * TURNS);
}
#else
static void measure_peak(const bench *b) {
  (void)b;
}
#endif

/* ---- networks */

static coh_value dense(coh_graph *g, const char *name, coh_value x, int64_t outputs) {
  char weights[32], bias[32];
  snprintf(weights, sizeof weights, "%s.weights", name);
  snprintf(bias, sizeof bias, "%s.bias", name);
  coh_shape s = coh_graph_shape(g, x);
  coh_value w = coh_graph_parameter(g, weights, COH_SHAPE(s.size[1], outputs));
  coh_value b = coh_graph_parameter(g, bias, COH_SHAPE(outputs));
  return coh_op_add(g, coh_op_matmul(g, x, w), b);
}

static coh_value convolve(coh_graph *g, const char *name, coh_value x, int64_t kernel,
                          int64_t stride, int64_t outputs) {
  char weights[32], bias[32];
  snprintf(weights, sizeof weights, "%s.weights", name);
  snprintf(bias, sizeof bias, "%s.bias", name);
  coh_shape s = coh_graph_shape(g, x);
  coh_value w = coh_graph_parameter(g, weights, COH_SHAPE(kernel, kernel, s.size[3], outputs));
  coh_value b = coh_graph_parameter(g, bias, COH_SHAPE(outputs));
  coh_value y = coh_op_conv2d(g, x, w, (coh_window){.stride = {stride, stride}});
  return coh_op_relu(g, coh_op_add(g, y, b));
}

static coh_value flatten(coh_graph *g, coh_value x) {
  return coh_op_reshape(g, x, COH_SHAPE(coh_graph_shape(g, x).size[0], -1));
}

static coh_value cartpole(coh_graph *g, int64_t batch) {
  coh_value x = coh_graph_input(g, "observation", COH_SHAPE(batch, 4));
  x = coh_op_relu(g, dense(g, "hidden1", x, 120));
  x = coh_op_relu(g, dense(g, "hidden2", x, 84));
  return dense(g, "values", x, 2);
}

static coh_value minatar(coh_graph *g, int64_t batch, int64_t channels) {
  coh_value x = coh_graph_input(g, "observation", COH_SHAPE(batch, 10, 10, channels));
  x = flatten(g, convolve(g, "conv", x, 3, 1, 16));
  x = coh_op_relu(g, dense(g, "hidden", x, 128));
  return dense(g, "values", x, 6);
}

static coh_value minatar4(coh_graph *g, int64_t batch) {
  return minatar(g, batch, 4);
}

static coh_value minatar10(coh_graph *g, int64_t batch) {
  return minatar(g, batch, 10);
}

static coh_value nature(coh_graph *g, int64_t batch) {
  coh_value x = coh_graph_input(g, "observation", COH_SHAPE(batch, 84, 84, 4));
  x = convolve(g, "conv1", x, 8, 4, 32);
  x = convolve(g, "conv2", x, 4, 2, 64);
  x = flatten(g, convolve(g, "conv3", x, 3, 1, 64));
  x = coh_op_relu(g, dense(g, "hidden", x, 512));
  return dense(g, "values", x, 6);
}

static void measure_network(const bench *b, const char *name,
                            coh_value (*build)(coh_graph *g, int64_t batch), int64_t batch) {
  char label[64];
  coh_graph *g = new_graph();
  coh_value q = build(g, batch);
  snprintf(label, sizeof label, "%s.b%d.forward", name, (int)batch);
  measure(b, label, g, &q, 1);

  g = new_graph();
  q = build(g, batch);
  coh_value action = coh_graph_input(g, "action", coh_graph_shape(g, q));
  coh_value target = coh_graph_input(g, "target", COH_SHAPE(batch));
  coh_value chosen = coh_op_sum(g, coh_op_mul(g, q, action), (int[]){1}, 1, false);
  coh_value error = coh_op_sub(g, chosen, target);
  coh_value outputs[32] = {coh_op_mean_all(g, coh_op_huber(g, error, 1.0)), error};
  if (coh_gradient_parameters(g, outputs[0], outputs + 2) != COH_OK) {
    fprintf(stderr, "%s: %s\n", name, coh_error_message());
    exit(1);
  }
  snprintf(label, sizeof label, "%s.b%d.gradient", name, (int)batch);
  measure(b, label, g, outputs, 2 + coh_graph_n_parameters(g));
}

/* ---- single operators */

static void measure_matmul(const bench *b, bool ta, bool tb, int64_t m, int64_t n, int64_t k) {
  char label[64];
  coh_graph *g = new_graph();
  coh_value x = coh_graph_input(g, "a", ta ? COH_SHAPE(k, m) : COH_SHAPE(m, k));
  coh_value w = coh_graph_input(g, "b", tb ? COH_SHAPE(n, k) : COH_SHAPE(k, n));
  coh_value y = coh_op_matmul_t(g, x, ta, w, tb);
  snprintf(label, sizeof label, "matmul.%c%c.%d.%d.%d", ta ? 't' : 'n', tb ? 't' : 'n', (int)m,
           (int)n, (int)k);
  measure(b, label, g, &y, 1);
}

// forward, data and weight kernels of one layer
static void measure_layer(const bench *b, int64_t batch, int64_t size, int64_t in, int64_t out,
                          int64_t kernel, int64_t stride) {
  char label[96];
  for (int which = 0; which < 3; which++) {
    static const char *const names[] = {"forward", "data", "weights"};
    coh_graph *g = new_graph();
    coh_window window = {.stride = {stride, stride}};
    coh_value x = coh_graph_input(g, "x", COH_SHAPE(batch, size, size, in));
    coh_value w = coh_graph_input(g, "w", COH_SHAPE(kernel, kernel, in, out));
    coh_value y = coh_op_conv2d(g, x, w, window);
    coh_value dy = coh_graph_input(g, "dy", coh_graph_shape(g, y));
    if (which == 1) y = coh_op_conv2d_data(g, dy, w, window, size, size);
    if (which == 2) y = coh_op_conv2d_weights(g, x, dy, window, kernel, kernel);
    snprintf(label, sizeof label, "conv.b%d.%dx%d.%d-%d.k%d.s%d.%s", (int)batch, (int)size,
             (int)size, (int)in, (int)out, (int)kernel, (int)stride, names[which]);
    measure(b, label, g, &y, 1);
  }
}

typedef coh_value (*unary)(coh_graph *g, coh_value x);

static void measure_elementwise(const bench *b) {
  static const struct {
    const char *name;
    unary op;
  } ops[] = {{"relu", coh_op_relu},      {"exp", coh_op_exp},         {"log", coh_op_log},
             {"tanh", coh_op_tanh},      {"sigmoid", coh_op_sigmoid}, {"erf", coh_op_erf},
             {"softmax", coh_op_softmax}};
  for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) {
    char label[64];
    coh_graph *g = new_graph();
    coh_value y = ops[k].op(g, coh_graph_input(g, "x", COH_SHAPE(64, 512)));
    snprintf(label, sizeof label, "%s.64.512", ops[k].name);
    measure(b, label, g, &y, 1);
  }
  coh_graph *g = new_graph();
  coh_value y =
      coh_op_sum(g, coh_graph_input(g, "x", COH_SHAPE(32, 64, 16)), (int[]){0, 1}, 2, false);
  measure(b, "sum.rows.2048.16", g, &y, 1);
}

int main(int argc, char **argv) {
  bench b = {0};
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "raw") == 0) {
      b.raw = true;
    } else if (strcmp(argv[i], "describe") == 0) {
      b.describe = true;
    } else if (strcmp(argv[i], "steps") == 0) {
      b.steps = true;
    } else {
      b.filter = argv[i];
    }
  }
  measure_peak(&b);
  measure_network(&b, "cartpole", cartpole, 64);
  measure_network(&b, "minatar4", minatar4, 32);
  measure_network(&b, "minatar10", minatar10, 32);
  measure_network(&b, "minatar4", minatar4, 128);
  measure_network(&b, "nature", nature, 32);
  measure_matmul(&b, false, false, 64, 120, 4);
  measure_matmul(&b, false, false, 64, 84, 120);
  measure_matmul(&b, false, false, 64, 2, 84);
  measure_matmul(&b, false, true, 64, 84, 2);
  measure_matmul(&b, false, true, 64, 120, 84);
  measure_matmul(&b, true, false, 84, 2, 64);
  measure_matmul(&b, true, false, 120, 84, 64);
  measure_matmul(&b, true, false, 4, 120, 64);
  measure_matmul(&b, false, false, 32, 128, 1024);
  measure_matmul(&b, false, true, 32, 1024, 128);
  measure_matmul(&b, true, false, 1024, 128, 32);
  measure_matmul(&b, false, false, 32, 6, 128);
  measure_matmul(&b, false, false, 32, 512, 3136);
  measure_matmul(&b, false, true, 32, 3136, 512);
  measure_matmul(&b, true, false, 3136, 512, 32);
  measure_matmul(&b, false, false, 512, 512, 512);
  measure_layer(&b, 32, 10, 4, 16, 3, 1);
  measure_layer(&b, 32, 10, 10, 16, 3, 1);
  measure_layer(&b, 32, 84, 4, 32, 8, 4);
  measure_layer(&b, 32, 20, 32, 64, 4, 2);
  measure_layer(&b, 32, 9, 64, 64, 3, 1);
  measure_layer(&b, 64, 28, 1, 64, 4, 2);
  measure_layer(&b, 64, 14, 128, 128, 3, 1);
  measure_elementwise(&b);
  return 0;
}
