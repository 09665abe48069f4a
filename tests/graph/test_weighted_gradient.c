/* Weighted gradients against seeded ones, and a gradient penalty that shares their backward
 * pass: in value, and in the number of products. */
#include "cohort_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/graph.h"
#include "cohort/random.h"

enum { BATCH = 6, N_PARAMETERS = 6 };

typedef struct discriminator {
  coh_graph *graph;
  coh_value x, y, weight, penalty;
  coh_value seeded[N_PARAMETERS], weighted[N_PARAMETERS], regular[N_PARAMETERS];
  coh_value parameter[N_PARAMETERS];
} discriminator;

static coh_value leaky(coh_graph *g, coh_value x) {
  return coh_op_leaky_relu(g, x, 0.2);
}

static coh_value smooth(coh_graph *g, coh_value x) {
  return coh_op_mul(g, x, coh_op_sigmoid(g, x));
}

// two convolutions and a product, each with a bias; the penalty is that of R1
static discriminator build(coh_value (*activation)(coh_graph *, coh_value)) {
  discriminator d;
  assert_ok(coh_graph_create(&d.graph));
  coh_graph *g = d.graph;
  d.x = coh_graph_input(g, "x", COH_SHAPE(BATCH, 8, 8, 2));
  d.weight = coh_graph_input(g, "weight", COH_SHAPE(BATCH));
  const coh_shape shapes[N_PARAMETERS] = {COH_SHAPE(3, 3, 2, 8), COH_SHAPE(8),
                                          COH_SHAPE(4, 4, 8, 8), COH_SHAPE(8),
                                          COH_SHAPE(128, 1),     COH_SHAPE(1)};
  for (int k = 0; k < N_PARAMETERS; k++) {
    char name[8] = {'p', (char)('0' + k)};
    d.parameter[k] = coh_graph_parameter(g, name, shapes[k]);
  }
  const coh_window same = {.pad_before = {1, 1}, .pad_after = {1, 1}};
  const coh_window half = {.stride = {2, 2}, .pad_before = {1, 1}, .pad_after = {1, 1}};
  coh_value h = coh_op_add(g, coh_op_conv2d(g, d.x, d.parameter[0], same), d.parameter[1]);
  h = activation(g, h);
  h = coh_op_add(g, coh_op_conv2d(g, h, d.parameter[2], half), d.parameter[3]);
  h = coh_op_reshape(g, activation(g, h), COH_SHAPE(BATCH, 128));
  d.y = coh_op_add(g, coh_op_matmul(g, h, d.parameter[4]), d.parameter[5]);
  coh_value seed = coh_op_reshape(g, d.weight, COH_SHAPE(BATCH, 1)), slope, ones;
  assert_ok(coh_gradient_seeded(g, d.y, seed, d.parameter, N_PARAMETERS, d.seeded));
  assert_ok(
      coh_gradient_weighted(g, d.y, d.weight, d.x, d.parameter, N_PARAMETERS, d.weighted));
  ones = coh_op_sum_all(g, d.y);
  assert_ok(coh_gradient(g, ones, &d.x, 1, &slope));
  d.penalty = coh_op_scale(g, coh_op_sum_all(g, coh_op_square(g, slope)), 0.5);
  assert_ok(coh_gradient(g, d.penalty, d.parameter, N_PARAMETERS, d.regular));
  return d;
}

static coh_program *compile(const discriminator *d, const coh_value *outputs, bool merge) {
  coh_program *program;
  assert_ok(coh_program_compile(d->graph, outputs, N_PARAMETERS,
                                &(coh_compile_options){.no_merge = !merge}, &program));
  return program;
}

static void fill(float *to, int64_t n, uint32_t entity, double scale) {
  coh_stream stream = coh_stream_begin(coh_key_make(11, "weighted"), entity, 0);
  for (int64_t i = 0; to && i < n; i++)
    to[i] = (float)(scale * coh_stream_normal(&stream));
}

// run a program and copy its outputs one behind the other
static float *outputs_of(const discriminator *d, const coh_value *outputs, bool merge) {
  coh_program *program = compile(d, outputs, merge);
  coh_workspace *w;
  int64_t n = coh_graph_parameter_floats(d->graph);
  float *block = coh_alloc_array((size_t)n, sizeof *block),
        *out = calloc((size_t)n, sizeof *out);
  fill(block, n, 0, 0.3);
  assert_ok(coh_workspace_create(program, &w));
  assert_ok(coh_workspace_bind_parameters(w, block));
  assert_ok(coh_workspace_bind_flat(w, outputs, N_PARAMETERS, out));
  fill(coh_workspace_data(w, d->x), BATCH * 128, 1, 1);
  fill(coh_workspace_data(w, d->weight), BATCH, 2, 1);
  assert_ok(coh_program_run(program, w));
  coh_workspace_destroy(&w);
  coh_program_destroy(&program);
  coh_free(block);
  return out;
}

static void compare(const discriminator *d, const coh_value *a, const coh_value *b) {
  float *x = outputs_of(d, a, true), *y = outputs_of(d, b, false);
  int64_t n = coh_graph_parameter_floats(d->graph);
  double largest = 0;
  for (int64_t i = 0; i < n; i++)
    largest = fmax(largest, fabs((double)y[i]));
  assert_true(largest > 0.01);
  for (int64_t i = 0; i < n; i++)
    assert_within(x[i], y[i], 1e-5 * largest);
  free(x);
  free(y);
}

static void add_all(discriminator *d, const coh_value *a, const coh_value *b, coh_value *sum) {
  for (int k = 0; k < N_PARAMETERS; k++)
    sum[k] = coh_op_add(d->graph, a[k], b[k]);
}

static void weighted_gradients_equal_seeded_ones(void **state) {
  (void)state;
  coh_value (*const activations[])(coh_graph *, coh_value) = {leaky, smooth};
  for (int a = 0; a < 2; a++) {
    discriminator d = build(activations[a]);
    compare(&d, d.weighted, d.seeded);
    // with the penalty, merged, against both apart and unmerged
    coh_value together[N_PARAMETERS], apart[N_PARAMETERS];
    add_all(&d, d.weighted, d.regular, together);
    add_all(&d, d.seeded, d.regular, apart);
    compare(&d, together, apart);
    coh_graph_destroy(&d.graph);
  }
}

static void a_penalty_costs_one_more_forward_pass(void **state) {
  (void)state;
  discriminator d = build(leaky);
  coh_value together[N_PARAMETERS], apart[N_PARAMETERS];
  add_all(&d, d.weighted, d.regular, together);
  add_all(&d, d.seeded, d.regular, apart);
  coh_program *plain = compile(&d, d.seeded, true), *merged = compile(&d, together, true),
              *naive = compile(&d, apart, false);
  double one = (double)coh_program_flops(plain);
  // plain: forward, backward, weights; the penalty adds the slope's first layer and one forward
  assert_true((double)coh_program_flops(merged) < 1.6 * one);
  assert_true((double)coh_program_flops(naive) > 1.9 * one);
  coh_program_destroy(&plain);
  coh_program_destroy(&merged);
  coh_program_destroy(&naive);
  coh_graph_destroy(&d.graph);
}

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  coh_graph *g;
  assert_ok(coh_graph_create(&g));
  coh_value x = coh_graph_input(g, "x", COH_SHAPE(4, 3)), dx;
  coh_value weight = coh_graph_input(g, "weight", COH_SHAPE(3));
  coh_value y = coh_op_sum(g, x, (int[]){1}, 1, false);
  assert_fails(coh_gradient_weighted(g, y, weight, x, &x, 1, &dx), COH_E_CONFIG, "one weight");
  coh_graph_destroy(&g);
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weighted_gradients_equal_seeded_ones),
      cmocka_unit_test(a_penalty_costs_one_more_forward_pass),
      cmocka_unit_test(what_does_not_fit_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
