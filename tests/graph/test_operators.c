/* Every operator of the registry: its kernel against the double-precision reference, and its
 * derivative, to second order, against central differences of the reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "reference.h"

enum { MAX_INPUTS = 3 };

/* What one operator is tried on: up to three inputs and the node made of them. */
typedef struct sample {
  const char *op;
  coh_shape in[MAX_INPUTS]; /* rank -1 ends the list */
  double low, high;         /* values of the inputs */
  coh_value (*build)(coh_graph *g, const coh_value *x);
} sample;

#define END \
  { .rank = -1 }
#define BUILD(name, expression)                                     \
  static coh_value build_##name(coh_graph *g, const coh_value *x) { \
    return (expression);                                            \
  }

BUILD(add, coh_op_add(g, x[0], x[1]))
BUILD(sub, coh_op_sub(g, x[0], x[1]))
BUILD(mul, coh_op_mul(g, x[0], x[1]))
BUILD(div, coh_op_div(g, x[0], x[1]))
BUILD(max, coh_op_max(g, x[0], x[1]))
BUILD(min, coh_op_min(g, x[0], x[1]))
BUILD(greater, coh_op_greater(g, x[0], x[1]))
BUILD(greater_equal, coh_op_greater_equal(g, x[0], x[1]))
BUILD(equal, coh_op_equal(g, x[0], x[0]))
BUILD(select, coh_op_select(g, coh_op_greater(g, x[0], x[1]), coh_op_square(g, x[1]), x[2]))
BUILD(affine, coh_op_affine(g, x[0], 1.75, -0.5))
BUILD(abs, coh_op_abs(g, x[0]))
BUILD(sign, coh_op_sign(g, x[0]))
BUILD(sqrt, coh_op_sqrt(g, x[0]))
BUILD(rsqrt, coh_op_rsqrt(g, x[0]))
BUILD(square, coh_op_square(g, x[0]))
BUILD(step, coh_op_step(g, x[0]))
BUILD(relu, coh_op_square(g, coh_op_relu(g, x[0])))
BUILD(leaky_relu, coh_op_square(g, coh_op_leaky_relu(g, x[0], 0.25)))
BUILD(clip, coh_op_square(g, coh_op_clip(g, x[0], -0.75, 0.5)))
BUILD(clip_mask, coh_graph_unary(g, &coh_operator_clip_mask, x[0], -0.75, 0.5))
BUILD(huber, coh_op_huber(g, x[0], 0.5))
BUILD(exp, coh_op_exp(g, x[0]))
BUILD(log, coh_op_log(g, x[0]))
BUILD(pow, coh_op_pow(g, x[0], 2.5))
BUILD(sigmoid, coh_op_sigmoid(g, x[0]))
BUILD(tanh, coh_op_tanh(g, x[0]))
BUILD(softplus, coh_op_softplus(g, x[0]))
BUILD(erf, coh_op_erf(g, x[0]))
BUILD(reshape, coh_op_square(g, coh_op_reshape(g, x[0], COH_SHAPE(2, -1))))
BUILD(lane_sum, coh_op_square(g, coh_op_lane_sum(g, coh_op_exp(g, x[0]), 1)))
BUILD(rectify_gradient, coh_op_mul(g, x[0], coh_op_rectify_gradient(g, coh_op_exp(g, x[0]))))
BUILD(stop_gradient, coh_op_mul(g, x[0], coh_op_stop_gradient(g, coh_op_exp(g, x[0]))))
BUILD(broadcast, coh_op_square(g, coh_op_broadcast(g, x[0], COH_SHAPE(2, 3, 5, 4))))
BUILD(transpose, coh_op_square(g, coh_op_transpose(g, x[0], (int[]){2, 0, 3, 1})))
BUILD(concat, coh_op_square(g, coh_op_concat(g, x, 3, 1)))
BUILD(slice, coh_op_square(g, coh_op_slice(g, x[0], -2, 1, 4)))
BUILD(pad, coh_op_square(g, coh_op_pad(g, x[0], 1, 2, 1)))
BUILD(sum, coh_op_square(g, coh_op_sum(g, x[0], (int[]){0, 2}, 2, false)))
BUILD(mean, coh_op_square(g, coh_op_mean(g, x[0], (int[]){0, 1}, 2, true)))
BUILD(mean_all, coh_op_square(g, coh_op_mean_all(g, x[0])))
BUILD(reduce_max, coh_op_square(g, coh_op_reduce_max(g, x[0], 1, false)))
BUILD(argmax_onehot, coh_op_argmax_onehot(g, x[0]))
BUILD(softmax, coh_op_softmax(g, x[0]))
BUILD(log_softmax, coh_op_log_softmax(g, x[0]))
BUILD(matmul, coh_op_matmul(g, x[0], x[1]))
BUILD(matmul_tn, coh_op_matmul_t(g, x[0], true, x[1], false))
BUILD(matmul_nt, coh_op_matmul_t(g, x[0], false, x[1], true))
BUILD(matmul_tt, coh_op_matmul_t(g, x[0], true, x[1], true))

#define WINDOW_PLAIN ((coh_window){.stride = {1, 1}})
#define WINDOW_STRIDED \
  ((coh_window){.stride = {2, 2}, .pad_before = {1, 0}, .pad_after = {1, 2}})
#define WINDOW_DILATED ((coh_window){.dilation = {2, 1}, .pad_before = {1, 1}})
#define WINDOW_GROUPED ((coh_window){.groups = 2, .pad_before = {1, 1}, .pad_after = {1, 1}})
#define WINDOW_UNEVEN ((coh_window){.pad_before = {1, 2}, .pad_after = {2, 1}})

BUILD(conv_plain, coh_op_conv2d(g, x[0], x[1], WINDOW_PLAIN))
BUILD(conv_uneven, coh_op_conv2d(g, x[0], x[1], WINDOW_UNEVEN))
BUILD(conv_strided, coh_op_conv2d(g, x[0], x[1], WINDOW_STRIDED))
BUILD(conv_dilated, coh_op_conv2d(g, x[0], x[1], WINDOW_DILATED))
BUILD(conv_grouped, coh_op_conv2d(g, x[0], x[1], WINDOW_GROUPED))
BUILD(conv_bias_relu,
      coh_op_relu(g, coh_op_add(g, coh_op_conv2d(g, x[0], x[1], WINDOW_STRIDED), x[2])))
BUILD(data_plain, coh_op_conv2d_data(g, x[0], x[1], WINDOW_PLAIN, 6, 5))
BUILD(data_strided, coh_op_conv2d_data(g, x[0], x[1], WINDOW_STRIDED, 7, 6))
BUILD(data_dilated,
      coh_op_conv2d_data(g, x[0], x[1],
                         (coh_window){
                             .dilation = {2, 3}, .pad_before = {2, 1}, .pad_after = {1, 3}},
                         6, 8))
BUILD(data_quad,
      coh_op_conv2d_data(g, x[0], x[1],
                         (coh_window){
                             .stride = {2, 2}, .pad_before = {1, 1}, .pad_after = {1, 1}},
                         10, 6))
BUILD(data_quad_uneven,
      coh_op_conv2d_data(g, x[0], x[1], (coh_window){.stride = {3, 2}, .pad_before = {1, 0}},
                         12, 9))
BUILD(conv_whole, coh_op_conv2d(g, x[0], x[1], (coh_window){0}))
BUILD(data_whole, coh_op_conv2d_data(g, x[0], x[1], (coh_window){0}, 3, 2))
BUILD(weights_whole, coh_op_conv2d_weights(g, x[0], x[1], (coh_window){0}, 3, 2))
BUILD(data_grouped, coh_op_conv2d_data(g, x[0], x[1], WINDOW_GROUPED, 5, 5))
BUILD(weights_plain, coh_op_conv2d_weights(g, x[0], x[1], WINDOW_PLAIN, 3, 2))
BUILD(weights_strided, coh_op_conv2d_weights(g, x[0], x[1], WINDOW_STRIDED, 3, 3))
BUILD(weights_grouped, coh_op_conv2d_weights(g, x[0], x[1], WINDOW_GROUPED, 3, 3))

#define POOL_WINDOW ((coh_window){.stride = {2, 1}, .pad_before = {1, 0}, .pad_after = {0, 1}})
BUILD(max_pool, coh_op_square(g, coh_op_max_pool(g, x[0], 2, 3, POOL_WINDOW)))
BUILD(avg_pool, coh_op_square(g, coh_op_avg_pool(g, x[0], 2, 3, POOL_WINDOW)))

BUILD(enlarge_nearest, coh_op_square(g, coh_op_enlarge(g, x[0], 3, COH_RESAMPLE_NEAREST)))
BUILD(enlarge_bilinear, coh_op_square(g, coh_op_enlarge(g, x[0], 2, COH_RESAMPLE_BILINEAR)))
BUILD(enlarge_bicubic, coh_op_square(g, coh_op_enlarge(g, x[0], 2, COH_RESAMPLE_BICUBIC)))
BUILD(shrink_binomial, coh_op_square(g, coh_op_shrink(g, x[0], 2, COH_RESAMPLE_BINOMIAL)))
BUILD(shrink_bicubic, coh_op_square(g, coh_op_shrink(g, x[0], 2, COH_RESAMPLE_BICUBIC)))

// y's gradient alone: second differences of it reach the operators that only gradients make
static coh_value pulled_back(coh_graph *g, coh_value y, coh_value seed, coh_value x) {
  coh_value dx = COH_NO_VALUE;
  if (coh_gradient_seeded(g, y, seed, &x, 1, &dx) != COH_OK) return COH_NO_VALUE;
  return dx;
}
BUILD(max_pool_scatter,
      coh_op_square(g, pulled_back(g, coh_op_max_pool(g, x[0], 2, 3, POOL_WINDOW), x[1], x[0])))
BUILD(avg_pool_spread,
      coh_op_square(g, pulled_back(g, coh_op_avg_pool(g, x[0], 2, 3, POOL_WINDOW), x[1], x[0])))
static coh_value build_max_pool_gather(coh_graph *g, const coh_value *x) {
  coh_value scattered = pulled_back(g, coh_op_max_pool(g, x[0], 2, 3, POOL_WINDOW), x[1], x[0]);
  return coh_op_square(g, pulled_back(g, scattered, x[2], x[1]));
}

#define S4       \
  {              \
    4, {         \
      2, 3, 5, 4 \
    }            \
  }
static const sample samples[] = {
    {"add", {{2, {3, 5}}, {1, {5}}, END}, -2, 2, build_add},
    {"add", {{3, {3, 1, 5}}, {2, {4, 1}}, END}, -2, 2, build_add},
    {"sub", {{2, {3, 5}}, {2, {3, 1}}, END}, -2, 2, build_sub},
    {"mul", {{2, {3, 5}}, {1, {1}}, END}, -2, 2, build_mul},
    {"div", {{2, {3, 5}}, {2, {1, 5}}, END}, 0.5, 2, build_div},
    {"max", {{2, {3, 5}}, {2, {3, 5}}, END}, -2, 2, build_max},
    {"min", {{2, {3, 5}}, {1, {5}}, END}, -2, 2, build_min},
    {"greater", {{2, {3, 5}}, {2, {3, 5}}, END}, -2, 2, build_greater},
    {"greater_equal", {{2, {3, 5}}, {2, {3, 5}}, END}, -2, 2, build_greater_equal},
    {"equal", {{2, {3, 5}}, END}, -2, 2, build_equal},
    {"select", {{2, {3, 5}}, {2, {3, 5}}, {1, {5}}}, -2, 2, build_select},
    {"affine", {{2, {3, 5}}, END}, -2, 2, build_affine},
    {"abs", {{2, {3, 5}}, END}, -2, 2, build_abs},
    {"sign", {{2, {3, 5}}, END}, -2, 2, build_sign},
    {"sqrt", {{2, {3, 5}}, END}, 0.3, 2, build_sqrt},
    {"rsqrt", {{2, {3, 5}}, END}, 0.5, 2, build_rsqrt},
    {"square", {{2, {3, 5}}, END}, -2, 2, build_square},
    {"step", {{2, {3, 5}}, END}, -2, 2, build_step},
    {"relu", {{2, {3, 5}}, END}, -2, 2, build_relu},
    {"leaky_relu", {{2, {3, 5}}, END}, -2, 2, build_leaky_relu},
    {"clip", {{2, {3, 5}}, END}, -2, 2, build_clip},
    {"clip_mask", {{2, {3, 5}}, END}, -2, 2, build_clip_mask},
    {"clip", {{2, {3, 5}}, END}, -2, 2, build_huber},
    {"exp", {{2, {3, 5}}, END}, -2, 2, build_exp},
    {"log", {{2, {3, 5}}, END}, 0.3, 3, build_log},
    {"pow", {{2, {3, 5}}, END}, 0.3, 2, build_pow},
    {"sigmoid", {{2, {3, 5}}, END}, -4, 4, build_sigmoid},
    {"tanh", {{2, {3, 5}}, END}, -2, 2, build_tanh},
    {"softplus", {{2, {3, 5}}, END}, -4, 4, build_softplus},
    {"erf", {{2, {3, 5}}, END}, -2, 2, build_erf},
    {"reshape", {S4, END}, -2, 2, build_reshape},
    {"stop_gradient", {{1, {4}}, END}, -1, 1, build_stop_gradient},
    {"lane_sum", {{1, {4}}, END}, -1, 1, build_lane_sum},
    {"rectify_gradient", {{1, {4}}, END}, -1, 1, build_rectify_gradient},
    {"broadcast", {{4, {2, 1, 5, 1}}, END}, -2, 2, build_broadcast},
    {"broadcast", {{1, {4}}, END}, -2, 2, build_broadcast},
    {"broadcast", {{0, {0}}, END}, -2, 2, build_broadcast},
    {"transpose", {S4, END}, -2, 2, build_transpose},
    {"concat", {{3, {2, 3, 4}}, {3, {2, 1, 4}}, {3, {2, 2, 4}}}, -2, 2, build_concat},
    {"slice", {S4, END}, -2, 2, build_slice},
    {"pad", {S4, END}, -2, 2, build_pad},
    {"sum", {S4, END}, -2, 2, build_sum},
    {"sum", {S4, END}, -2, 2, build_mean},
    {"sum", {{2, {7, 150}}, END}, -2, 2, build_mean_all},
    {"reduce_max", {{3, {3, 4, 2}}, END}, -2, 2, build_reduce_max},
    {"argmax_onehot", {{2, {3, 4}}, END}, -2, 2, build_argmax_onehot},
    {"softmax", {{2, {3, 5}}, END}, -2, 2, build_softmax},
    {"log_softmax", {{2, {3, 5}}, END}, -2, 2, build_log_softmax},
    {"matmul", {{2, {4, 5}}, {2, {5, 3}}, END}, -1, 1, build_matmul},
    {"matmul", {{3, {2, 4, 5}}, {3, {2, 5, 3}}, END}, -1, 1, build_matmul},
    {"matmul", {{2, {5, 4}}, {2, {5, 3}}, END}, -1, 1, build_matmul_tn},
    {"matmul", {{2, {4, 5}}, {2, {3, 5}}, END}, -1, 1, build_matmul_nt},
    {"matmul", {{3, {2, 5, 4}}, {3, {2, 3, 5}}, END}, -1, 1, build_matmul_tt},
    {"conv2d", {{4, {2, 6, 5, 3}}, {4, {3, 2, 3, 4}}, END}, -1, 1, build_conv_plain},
    {"conv2d", {{4, {2, 6, 5, 1}}, {4, {3, 2, 1, 16}}, END}, -1, 1, build_conv_plain},
    {"conv2d", {{4, {2, 6, 5, 16}}, {4, {3, 2, 16, 1}}, END}, -1, 1, build_conv_plain},
    {"conv2d", {{4, {2, 7, 6, 2}}, {4, {3, 3, 2, 3}}, END}, -1, 1, build_conv_strided},
    {"conv2d", {{4, {2, 4, 5, 16}}, {4, {3, 3, 16, 24}}, END}, -1, 1, build_conv_uneven},
    {"conv2d", {{4, {1, 7, 6, 2}}, {4, {3, 2, 2, 3}}, END}, -1, 1, build_conv_dilated},
    {"conv2d", {{4, {2, 5, 5, 4}}, {4, {3, 3, 2, 6}}, END}, -1, 1, build_conv_grouped},
    {"conv2d", {{4, {2, 7, 6, 2}}, {4, {3, 3, 2, 3}}, {1, {3}}}, -1, 1, build_conv_bias_relu},
    {"conv2d_data", {{4, {2, 4, 4, 4}}, {4, {3, 2, 3, 4}}, END}, -1, 1, build_data_plain},
    {"conv2d_data", {{4, {2, 4, 3, 3}}, {4, {3, 3, 1, 3}}, END}, -1, 1, build_data_strided},
    {"conv2d_data", {{4, {2, 5, 5, 6}}, {4, {3, 3, 2, 6}}, END}, -1, 1, build_data_grouped},
    // few channels in, many out: the way of our own
    {"conv2d_data", {{4, {3, 4, 3, 9}}, {4, {3, 3, 2, 9}}, END}, -1, 1, build_data_strided},
    {"conv2d_data", {{4, {2, 5, 6, 8}}, {4, {3, 3, 1, 8}}, END}, -1, 1, build_data_dilated},
    {"conv2d_data", {{4, {3, 5, 3, 9}}, {4, {4, 4, 1, 9}}, END}, -1, 1, build_data_quad},
    {"conv2d_data", {{4, {2, 4, 3, 8}}, {4, {4, 4, 1, 8}}, END}, -1, 1, build_data_quad_uneven},
    {"conv2d", {{4, {4, 3, 2, 5}}, {4, {3, 2, 5, 4}}, END}, -1, 1, build_conv_whole},
    {"conv2d_data", {{4, {4, 1, 1, 5}}, {4, {3, 2, 3, 5}}, END}, -1, 1, build_data_whole},
    {"conv2d_weights", {{4, {4, 3, 2, 3}}, {4, {4, 1, 1, 5}}, END}, -1, 1, build_weights_whole},
    {"conv2d_weights", {{4, {2, 6, 5, 3}}, {4, {2, 4, 4, 4}}, END}, -1, 1, build_weights_plain},
    {"conv2d_weights",
     {{4, {2, 7, 6, 1}}, {4, {2, 4, 3, 5}}, END},
     -1,
     1,
     build_weights_strided},
    {"conv2d_weights",
     {{4, {2, 5, 5, 4}}, {4, {2, 5, 5, 6}}, END},
     -1,
     1,
     build_weights_grouped},
    {"max_pool", {{4, {2, 5, 4, 3}}, END}, -2, 2, build_max_pool},
    {"max_pool_scatter",
     {{4, {2, 5, 4, 3}}, {4, {2, 3, 3, 3}}, END},
     -2,
     2,
     build_max_pool_scatter},
    {"max_pool_gather",
     {{4, {2, 5, 4, 3}}, {4, {2, 3, 3, 3}}, {4, {2, 5, 4, 3}}},
     -2,
     2,
     build_max_pool_gather},
    {"avg_pool", {{4, {2, 5, 4, 3}}, END}, -2, 2, build_avg_pool},
    {"avg_pool_spread",
     {{4, {2, 5, 4, 3}}, {4, {2, 3, 3, 3}}, END},
     -2,
     2,
     build_avg_pool_spread},
    {"resample", {{4, {2, 2, 3, 2}}, END}, -2, 2, build_enlarge_nearest},
    {"resample", {{4, {2, 2, 3, 2}}, END}, -2, 2, build_enlarge_bilinear},
    {"resample", {{4, {2, 4, 3, 1}}, END}, -2, 2, build_enlarge_bicubic},
    {"resample_transpose", {{4, {2, 4, 6, 2}}, END}, -2, 2, build_shrink_binomial},
    {"resample_transpose", {{4, {1, 6, 4, 2}}, END}, -2, 2, build_shrink_bicubic},
};
enum { N_SAMPLES = sizeof samples / sizeof *samples };

typedef struct trial {
  coh_graph *graph;
  int n_inputs;
  coh_value x[MAX_INPUTS], u[MAX_INPUTS], w;
  coh_value y, loss, first[MAX_INPUTS], slope, second[MAX_INPUTS];
  coh_stream stream;
} trial;

// loss = sum(w y); first = its gradient; slope = sum(u first); second = slope's gradient
static void build_trial(trial *t, const sample *s) {
  assert_int_equal(coh_graph_create(&t->graph), COH_OK);
  coh_graph *g = t->graph;
  t->stream = coh_stream_begin(coh_key_make(7, "operators"), 0, 0);
  t->n_inputs = 0;
  while (t->n_inputs < MAX_INPUTS && s->in[t->n_inputs].rank >= 0) {
    char name[8] = {'x', (char)('0' + t->n_inputs)};
    t->x[t->n_inputs] = coh_graph_input(g, name, s->in[t->n_inputs]);
    t->n_inputs++;
  }
  t->y = s->build(g, t->x);
  if (coh_graph_status(g) != COH_OK) fail_msg("%s: %s", s->op, coh_error_message());
  t->w = coh_graph_input(g, "w", coh_graph_shape(g, t->y));
  t->loss = coh_op_sum_all(g, coh_op_mul(g, t->w, t->y));
  assert_int_equal(coh_gradient(g, t->loss, t->x, t->n_inputs, t->first), COH_OK);
  t->slope = coh_graph_constant(g, 0.0);
  for (int k = 0; k < t->n_inputs; k++) {
    t->u[k] = coh_graph_input(g, "u", s->in[k]);
    t->slope = coh_op_add(g, t->slope, coh_op_sum_all(g, coh_op_mul(g, t->u[k], t->first[k])));
  }
  assert_int_equal(coh_gradient(g, t->slope, t->x, t->n_inputs, t->second), COH_OK);
}

static bool uses_operator(const coh_graph *g, const char *op) {
  for (int64_t i = 0; i < g->n_nodes; i++)
    if (strcmp(g->nodes[i].op->name, op) == 0) return true;
  return false;
}

// random values that single precision holds exactly; distances from kinks come from the grid
static void fill_leaf(trial *t, reference *r, coh_workspace *w, coh_value leaf, double low,
                      double high) {
  int64_t n = coh_shape_count(coh_graph_shape(t->graph, leaf));
  double *data = calloc((size_t)n, sizeof *data);
  float *single = coh_workspace_data(w, leaf);
  for (int64_t i = 0; i < n; i++) {
    float v = (float)(low + (high - low) * coh_stream_uniform(&t->stream));
    data[i] = (double)v;
    if (single) single[i] = v;
  }
  reference_set(r, leaf, data);
  free(data);
}

static void compare_program(const sample *s, const trial *t, const reference *r,
                            coh_workspace *w, coh_value v) {
  int64_t n = coh_shape_count(coh_graph_shape(t->graph, v));
  const float *got = coh_workspace_data(w, v);
  assert_non_null(got);
  for (int64_t i = 0; i < n; i++) {
    double expected = r->value[v][i];
    if (fabs((double)got[i] - expected) > 4e-5 * (1 + fabs(expected)))
      fail_msg("%s: '%s' [%d] is %g, the reference %g", s->op, coh_graph_name_of(t->graph, v),
               (int)i, (double)got[i], expected);
  }
}

// central differences of `of` along every element of every input
static void compare_differences(const sample *s, trial *t, reference *r, coh_value of,
                                const coh_value *gradient) {
  const double h = 1e-6;
  for (int k = 0; k < t->n_inputs; k++) {
    int64_t n = coh_shape_count(s->in[k]);
    double *expected = calloc((size_t)n, sizeof *expected), *x = r->value[t->x[k]];
    memcpy(expected, r->value[gradient[k]], (size_t)n * sizeof *expected);
    for (int64_t i = 0; i<n; i += n> 200 ? 37 : 1) {
      double at = x[i];
      x[i] = at + h;
      reference_evaluate(r);
      double above = r->value[of][0];
      x[i] = at - h;
      reference_evaluate(r);
      double slope = (above - r->value[of][0]) / (2 * h);
      x[i] = at;
      if (fabs(slope - expected[i]) > 2e-6 * (1 + fabs(slope)))
        fail_msg("%s: gradient of '%s' [%d] is %g, differences say %g", s->op,
                 coh_graph_name_of(t->graph, t->x[k]), (int)i, expected[i], slope);
    }
    reference_evaluate(r);
    free(expected);
  }
}

static void try_sample(const sample *s, const coh_compile_options *options) {
  trial t;
  build_trial(&t, s);
  assert_true(uses_operator(t.graph, s->op));
  coh_value outputs[2 + 2 * MAX_INPUTS] = {t.y, t.loss};
  for (int k = 0; k < t.n_inputs; k++) {
    outputs[2 + 2 * k] = t.first[k];
    outputs[3 + 2 * k] = t.second[k];
  }
  coh_program *program;
  coh_workspace *w;
  if (coh_program_compile(t.graph, outputs, 2 + 2 * t.n_inputs, options, &program) != COH_OK)
    fail_msg("%s: %s", s->op, coh_error_message());
  assert_int_equal(coh_workspace_create(program, &w), COH_OK);
  reference r;
  reference_init(&r, t.graph);
  for (int k = 0; k < t.n_inputs; k++) {
    fill_leaf(&t, &r, w, t.x[k], s->low, s->high);
    fill_leaf(&t, &r, w, t.u[k], -1, 1);
  }
  fill_leaf(&t, &r, w, t.w, -1, 1);
  reference_evaluate(&r);
  assert_int_equal(coh_program_run(program, w), COH_OK);
  for (int k = 0; k < 2 + 2 * t.n_inputs; k++)
    compare_program(s, &t, &r, w, outputs[k]);
  // differences see through these: test_graph holds them against their closed forms
  bool is_rule = strcmp(s->op, "stop_gradient") == 0 || strcmp(s->op, "rectify_gradient") == 0;
  if (!options && !is_rule) {
    compare_differences(s, &t, &r, t.loss, t.first);
    compare_differences(s, &t, &r, t.slope, t.second);
  }
  reference_fini(&r);
  coh_workspace_destroy(&w);
  coh_program_destroy(&program);
  coh_graph_destroy(&t.graph);
}

static void test_operators_all_have_a_sample_and_a_reference(void **state) {
  (void)state;
  for (int64_t i = 0; i < coh_n_operators; i++) {
    bool found = false;
    for (int k = 0; k < N_SAMPLES; k++)
      found = found || !strcmp(samples[k].op, coh_operators[i]->name);
    if (!found) fail_msg("operator '%s' has no sample", coh_operators[i]->name);
    assert_true(reference_knows(coh_operators[i]->name));
  }
}

static void test_operators_match_reference_and_differences_to_second_order(void **state) {
  (void)state;
  for (int k = 0; k < N_SAMPLES; k++)
    try_sample(&samples[k], NULL);
}

static void test_operators_give_the_same_without_fusion_reuse_and_merging(void **state) {
  (void)state;
  const coh_compile_options plain = {.no_fusion = true, .no_reuse = true, .no_merge = true};
  for (int k = 0; k < N_SAMPLES; k++)
    try_sample(&samples[k], &plain);
}

static void test_operators_leave_no_allocation(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_operators_all_have_a_sample_and_a_reference),
      cmocka_unit_test(test_operators_match_reference_and_differences_to_second_order),
      cmocka_unit_test(test_operators_give_the_same_without_fusion_reuse_and_merging),
      cmocka_unit_test(test_operators_leave_no_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
