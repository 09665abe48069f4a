/* Building: shapes are checked and failures worded once, parameters lie in one aligned block,
 * gradients of what cannot be checked by differences. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cohort/graph.h"
#include "la/libraries.h"

static coh_graph *new_graph(void) {
  coh_graph *g = NULL;
  assert_int_equal(coh_graph_create(&g), COH_OK);
  return g;
}

// the graph has failed and says so with these words; it is destroyed
static void expect_failure(coh_graph *g, coh_value value, const char *words) {
  assert_int_equal(value, COH_NO_VALUE);
  assert_int_equal(coh_graph_status(g), COH_E_CONFIG);
  if (!strstr(coh_error_message(), words))
    fail_msg("'%s' does not contain '%s'", coh_error_message(), words);
  coh_graph_destroy(&g);
}

static void test_graph_words_shapes_that_do_not_fit(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_value a = coh_graph_input(g, "states", COH_SHAPE(3, 5));
  coh_value b = coh_graph_parameter(g, "scale", COH_SHAPE(4));
  expect_failure(g, coh_op_add(g, a, b), "add: 'states' (3,5) and 'scale' (4)");

  g = new_graph();
  a = coh_graph_input(g, "states", COH_SHAPE(3, 5));
  b = coh_graph_parameter(g, "weights", COH_SHAPE(4, 2));
  expect_failure(g, coh_op_matmul(g, a, b), "matmul: 'states' (3,5) times 'weights' (4,2)");

  g = new_graph();
  a = coh_graph_input(g, "image", COH_SHAPE(1, 4, 4, 3));
  b = coh_graph_parameter(g, "kernel", COH_SHAPE(5, 5, 3, 2));
  expect_failure(g, coh_op_conv2d(g, a, b, (coh_window){0}), "'kernel' (5,5,3,2) do not fit");

  g = new_graph();
  a = coh_graph_input(g, "image", COH_SHAPE(1, 4, 4, 3));
  expect_failure(g, coh_op_reshape(g, a, COH_SHAPE(5, -1)), "reshape of 'image'");

  g = new_graph();
  a = coh_graph_input(g, "image", COH_SHAPE(2, 3));
  expect_failure(g, coh_op_slice(g, a, 1, 2, 4), "slice of 'image' (2,3): [2, 4)");
}

static void test_graph_words_leaves_that_cannot_be(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_graph_parameter(g, "bias", COH_SHAPE(3));
  expect_failure(g, coh_graph_parameter(g, "bias", COH_SHAPE(4)),
                 "parameter 'bias' exists already");
  g = new_graph();
  expect_failure(g, coh_graph_input(g, "x", COH_SHAPE(3, 0)), "input 'x': the shape (3,0)");
  g = new_graph();
  expect_failure(g, coh_graph_input(g, "x", COH_SHAPE(INT64_MAX, 8)), "too many elements");
}

static void test_graph_keeps_the_first_failure_and_passes_it_on(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_value a = coh_graph_input(g, "a", COH_SHAPE(3));
  coh_value bad = coh_op_add(g, a, coh_graph_input(g, "b", COH_SHAPE(4)));
  coh_value later = coh_op_exp(g, coh_op_matmul(g, bad, a));
  coh_value gradient;
  coh_program *program = NULL;
  assert_int_equal(coh_gradient(g, bad, &a, 1, &gradient), COH_E_CONFIG);
  assert_int_equal(coh_program_compile(g, &later, 1, NULL, &program), COH_E_CONFIG);
  assert_null(program);
  expect_failure(g, later, "add: 'a' (3) and 'b' (4)");
}

static void test_graph_lays_parameters_out_in_aligned_views(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_value w = coh_graph_parameter(g, "w", COH_SHAPE(3, 7));
  coh_graph_input(g, "x", COH_SHAPE(2));
  coh_value b = coh_graph_parameter(g, "b", COH_SHAPE(16));
  coh_value s = coh_graph_parameter(g, "s", COH_SCALAR);
  assert_int_equal(coh_graph_n_parameters(g), 3);
  const int64_t offset[] = {0, 32, 48}, count[] = {21, 16, 1};
  const coh_value value[] = {w, b, s};
  for (int64_t k = 0; k < 3; k++) {
    coh_parameter_view view = coh_graph_parameter_at(g, k);
    assert_int_equal(view.offset, offset[k]);
    assert_int_equal(view.count, count[k]);
    assert_int_equal(view.value, value[k]);
  }
  assert_int_equal(coh_graph_parameter_floats(g), 64);
  assert_int_equal(coh_graph_find(g, "b"), b);
  coh_graph_destroy(&g);
}

// run outputs of a graph over x = (0.5, -1, 2)
static void run_small(coh_graph *g, coh_value x, coh_value y, float *out, int64_t n) {
  coh_program *program = NULL;
  coh_workspace *w = NULL;
  assert_int_equal(coh_program_compile(g, &y, 1, NULL, &program), COH_OK);
  assert_int_equal(coh_workspace_create(program, &w), COH_OK);
  float *in = coh_workspace_data(w, x); // NULL where the program does not use x
  if (in) memcpy(in, (float[]){0.5f, -1.0f, 2.0f}, 3 * sizeof(float));
  assert_int_equal(coh_program_run(program, w), COH_OK);
  memcpy(out, coh_workspace_data(w, y), (size_t)n * sizeof *out);
  coh_workspace_destroy(&w);
  coh_program_destroy(&program);
}

static void test_graph_stops_the_gradient_where_asked(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_value x = coh_graph_input(g, "x", COH_SHAPE(3)), dx;
  coh_value y =
      coh_op_sum_all(g, coh_op_mul(g, x, coh_op_stop_gradient(g, coh_op_square(g, x))));
  assert_int_equal(coh_gradient(g, y, &x, 1, &dx), COH_OK);
  float out[3];
  run_small(g, x, dx, out, 3);
  const float expected[] = {0.25f, 1.0f, 4.0f}; // x^2 held constant, not 3 x^2; exact in binary
  for (int i = 0; i < 3; i++)
    assert_true(out[i] == expected[i]);
  coh_graph_destroy(&g);
}

static void test_graph_rectifies_the_gradient_where_asked(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_value x = coh_graph_input(g, "x", COH_SHAPE(3)), dx;
  // y = sum of x x' with x' rectified: the way through x gives x, that through x' relu(x)
  coh_value y = coh_op_sum_all(g, coh_op_mul(g, x, coh_op_rectify_gradient(g, x)));
  assert_int_equal(coh_gradient(g, y, &x, 1, &dx), COH_OK);
  float out[3];
  run_small(g, x, dx, out, 3);
  const float expected[] = {1.0f, -1.0f, 4.0f}; // of 0.5, -1, 2; exact in binary
  for (int i = 0; i < 3; i++)
    assert_true(out[i] == expected[i]);
  coh_graph_destroy(&g);
}

static void test_graph_shows_nan_through_convolution_and_activations(void **state) {
  (void)state;
  const coh_window window = {.stride = {1, 1}};
  coh_graph *g = new_graph();
  coh_value x = coh_graph_input(g, "x", COH_SHAPE(2, 8, 8, 4));
  coh_value w = coh_graph_parameter(g, "w", COH_SHAPE(3, 3, 4, 16));
  coh_value b = coh_graph_parameter(g, "b", COH_SHAPE(16));
  coh_value h = coh_op_add(g, coh_op_conv2d(g, x, w, window), b);
  coh_value y[] = {coh_op_relu(g, h),
                   coh_op_leaky_relu(g, h, 0.1),
                   coh_op_clip(g, h, -1, 1),
                   coh_op_huber(g, h, 1),
                   coh_op_tanh(g, h),
                   coh_op_max(g, h, coh_op_scale(g, h, 0.5)),
                   coh_op_max_pool(g, h, 2, 2, window),
                   coh_op_softmax(g, h)};
  enum { N = sizeof y / sizeof *y };
  coh_program *program = NULL;
  coh_workspace *ws = NULL;
  assert_int_equal(coh_program_compile(g, y, N, NULL, &program), COH_OK);
  assert_int_equal(coh_workspace_create(program, &ws), COH_OK);
  float *block = coh_alloc_array((size_t)coh_graph_parameter_floats(g), sizeof *block);
  block[coh_graph_parameter_at(g, 1).offset + 3] = NAN; // one bias
  coh_workspace_bind_parameters(ws, block);
  assert_int_equal(coh_program_run(program, ws), COH_OK);
  for (int k = 0; k < N; k++)
    if (!isnan(coh_workspace_data(ws, y[k])[3]))
      fail_msg("%s hides NaN", coh_graph_name_of(g, y[k]));
  coh_free(block);
  coh_workspace_destroy(&ws);
  coh_program_destroy(&program);
  coh_graph_destroy(&g);
}

static void test_graph_maximum_of_a_row_with_nan_is_nan(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_value x = coh_graph_input(g, "x", COH_SHAPE(3)), y = coh_op_reduce_max(g, x, 0, true);
  coh_value image = coh_op_reshape(g, x, COH_SHAPE(1, 3, 1, 1));
  coh_value out[] = {y, coh_op_max_pool(g, image, 3, 1, (coh_window){.groups = 1})};
  coh_program *program = NULL;
  coh_workspace *w = NULL;
  assert_int_equal(coh_program_compile(g, out, 2, NULL, &program), COH_OK);
  assert_int_equal(coh_workspace_create(program, &w), COH_OK);
  for (int at = 0; at < 3; at++) {
    for (int i = 0; i < 3; i++)
      coh_workspace_data(w, x)[i] = i == at ? NAN : (float)i;
    assert_int_equal(coh_program_run(program, w), COH_OK);
    assert_true(isnan(coh_workspace_data(w, out[0])[0]) &&
                isnan(coh_workspace_data(w, out[1])[0]));
  }
  coh_workspace_destroy(&w);
  coh_program_destroy(&program);
  coh_graph_destroy(&g);
}

static void test_graph_gradient_of_what_is_not_reached_is_zero(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_value x = coh_graph_input(g, "x", COH_SHAPE(3)),
            other = coh_graph_parameter(g, "p", COH_SHAPE(2));
  coh_value y = coh_op_sum_all(g, x), d[2], wrt[2] = {other, x};
  assert_int_equal(coh_gradient(g, y, wrt, 2, d), COH_OK);
  float out[3] = {9, 9, 9};
  run_small(g, x, d[0], out, 2);
  assert_true(out[0] == 0.0f && out[1] == 0.0f);
  run_small(g, x, d[1], out, 3);
  assert_true(out[0] == 1.0f && out[1] == 1.0f && out[2] == 1.0f);
  coh_graph_destroy(&g);
}

static void test_graph_gradient_wants_one_element_or_a_seed(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_value x = coh_graph_input(g, "x", COH_SHAPE(3)), dx = 77;
  coh_value y = coh_graph_name(g, coh_op_square(g, x), "squares");
  assert_int_equal(coh_gradient(g, y, &x, 1, &dx), COH_E_CONFIG);
  assert_non_null(strstr(coh_error_message(), "'squares': it has 3 elements"));
  assert_int_equal(dx, 77);
  assert_int_equal(coh_gradient_seeded(g, y, x, &x, 1, &dx), COH_OK); // x . 2x
  float out[3];
  run_small(g, x, dx, out, 3);
  assert_true(out[0] == 0.5f && out[1] == 2.0f && out[2] == 8.0f);
  coh_graph_destroy(&g);
}

static void test_graph_differentiates_three_times(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_value x = coh_graph_input(g, "x", COH_SHAPE(3));
  coh_value y = coh_op_mul(g, coh_op_square(g, x), coh_op_square(g, x)); // x^4
  for (int order = 0; order < 3; order++) {
    coh_value dx;
    assert_int_equal(coh_gradient(g, coh_op_sum_all(g, y), &x, 1, &dx), COH_OK);
    y = dx;
  }
  float out[3];
  run_small(g, x, y, out, 3);
  assert_true(out[0] == 12.0f && out[1] == -24.0f && out[2] == 48.0f); // 24 x, exact in binary
  coh_graph_destroy(&g);
}

static void test_graph_refuses_what_programs_cannot_do(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_value x = coh_graph_input(g, "x", COH_SHAPE(3)), nowhere = 40;
  coh_program *program = NULL;
  coh_compile_options half = {.precision = COH_PRECISION_BF16};
  if (!coh_la_has_bf16()) {
    assert_int_equal(coh_program_compile(g, &x, 1, &half, &program), COH_E_CONFIG);
    assert_non_null(strstr(coh_error_message(), "AVX-512 BF16"));
  }
  assert_int_equal(coh_program_compile(g, &nowhere, 1, NULL, &program), COH_E_CONFIG);
  assert_int_equal(coh_program_compile(g, &x, 0, NULL, &program), COH_E_CONFIG);
  assert_null(program);
  coh_graph_destroy(&g);
}

static void test_graph_leaves_no_allocation(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_graph_words_shapes_that_do_not_fit),
      cmocka_unit_test(test_graph_words_leaves_that_cannot_be),
      cmocka_unit_test(test_graph_keeps_the_first_failure_and_passes_it_on),
      cmocka_unit_test(test_graph_lays_parameters_out_in_aligned_views),
      cmocka_unit_test(test_graph_stops_the_gradient_where_asked),
      cmocka_unit_test(test_graph_rectifies_the_gradient_where_asked),
      cmocka_unit_test(test_graph_shows_nan_through_convolution_and_activations),
      cmocka_unit_test(test_graph_maximum_of_a_row_with_nan_is_nan),
      cmocka_unit_test(test_graph_gradient_of_what_is_not_reached_is_zero),
      cmocka_unit_test(test_graph_gradient_wants_one_element_or_a_seed),
      cmocka_unit_test(test_graph_differentiates_three_times),
      cmocka_unit_test(test_graph_refuses_what_programs_cannot_do),
      cmocka_unit_test(test_graph_leaves_no_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
