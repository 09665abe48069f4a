/* Compiling and running: what the optimisations may not change, memory that is never shared by
 * what lives at once, binding, steps, threads, and no allocation while running. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "graph/program.h"

static coh_graph *new_graph(void) {
  coh_graph *g = NULL;
  assert_int_equal(coh_graph_create(&g), COH_OK);
  return g;
}

static coh_program *compile(const coh_graph *g, const coh_value *outputs, int64_t n,
                            const coh_compile_options *options) {
  coh_program *program = NULL;
  if (coh_program_compile(g, outputs, n, options, &program) != COH_OK)
    fail_msg("%s", coh_error_message());
  return program;
}

static coh_workspace *new_workspace(const coh_program *program) {
  coh_workspace *w = NULL;
  assert_int_equal(coh_workspace_create(program, &w), COH_OK);
  return w;
}

static void fill(float *data, int64_t n, uint32_t entity) {
  if (!data) return; // an input that the program does not use
  coh_stream stream = coh_stream_begin(coh_key_make(3, "test_program"), entity, 0);
  for (int64_t i = 0; i < n; i++)
    data[i] = (float)(0.2 * coh_stream_normal(&stream));
}

/* ---- a small network with everything in it: convolution, products, softmax, its gradient */

// large enough that products go to oneDNN as well as to OpenBLAS
enum { BATCH = 32, HIDDEN = 300, MAX_OUTPUTS = 16 };

typedef struct network {
  coh_graph *graph;
  coh_value images, labels, hidden, loss;
  coh_value gradient[6];
  coh_value outputs[MAX_OUTPUTS];
  int64_t n_outputs;
} network;

static network make_network(void) {
  network net = {.graph = new_graph()};
  coh_graph *g = net.graph;
  net.images = coh_graph_input(g, "images", COH_SHAPE(BATCH, 9, 9, 3));
  net.labels = coh_graph_input(g, "labels", COH_SHAPE(BATCH, 5));
  coh_value w1 = coh_graph_parameter(g, "conv.w", COH_SHAPE(3, 3, 3, 8));
  coh_value b1 = coh_graph_parameter(g, "conv.b", COH_SHAPE(8));
  coh_value w2 = coh_graph_parameter(g, "hidden.w", COH_SHAPE(4 * 4 * 8, HIDDEN));
  coh_value b2 = coh_graph_parameter(g, "hidden.b", COH_SHAPE(HIDDEN));
  coh_value w3 = coh_graph_parameter(g, "out.w", COH_SHAPE(HIDDEN, 5));
  coh_value b3 = coh_graph_parameter(g, "out.b", COH_SHAPE(5));
  coh_value x = coh_op_conv2d(g, net.images, w1, (coh_window){.stride = {2, 2}});
  x = coh_op_relu(g, coh_op_add(g, x, b1));
  x = coh_op_reshape(g, x, COH_SHAPE(BATCH, -1));
  net.hidden = x = coh_op_tanh(g, coh_op_add(g, coh_op_matmul(g, x, w2), b2));
  x = coh_op_log_softmax(g, coh_op_add(g, coh_op_matmul(g, x, w3), b3));
  net.loss = coh_op_neg(g, coh_op_mean_all(g, coh_op_mul(g, x, net.labels)));
  assert_int_equal(coh_gradient_parameters(g, net.loss, net.gradient), COH_OK);
  net.outputs[net.n_outputs++] = net.loss;
  net.outputs[net.n_outputs++] = net.hidden;
  for (int k = 0; k < 6; k++)
    net.outputs[net.n_outputs++] = net.gradient[k];
  return net;
}

static float *new_parameters(const coh_graph *g) {
  int64_t n = coh_graph_parameter_floats(g);
  float *block = coh_alloc_array((size_t)n, sizeof *block);
  assert_non_null(block);
  fill(block, n, 100);
  return block;
}

static void set_inputs(const network *net, coh_workspace *w, uint32_t batch) {
  fill(coh_workspace_data(w, net->images), BATCH * 9 * 9 * 3, batch);
  fill(coh_workspace_data(w, net->labels), BATCH * 5, batch + 50);
}

// all outputs of a workspace, one after the other (caller frees)
static float *copy_outputs(const network *net, coh_workspace *w, int64_t *count) {
  int64_t n = 0;
  for (int64_t k = 0; k < net->n_outputs; k++)
    n += coh_shape_count(coh_graph_shape(net->graph, net->outputs[k]));
  float *all = calloc((size_t)n, sizeof *all), *at = all;
  for (int64_t k = 0; k < net->n_outputs; k++) {
    int64_t size = coh_shape_count(coh_graph_shape(net->graph, net->outputs[k]));
    memcpy(at, coh_workspace_data(w, net->outputs[k]), (size_t)size * sizeof *at);
    at += size;
  }
  *count = n;
  return all;
}

static float *run_network(const network *net, const coh_program *program, const float *block,
                          uint32_t batch, int64_t *count) {
  coh_workspace *w = new_workspace(program);
  coh_workspace_bind_parameters(w, block);
  set_inputs(net, w, batch);
  assert_int_equal(coh_program_run(program, w), COH_OK);
  float *all = copy_outputs(net, w, count);
  coh_workspace_destroy(&w);
  return all;
}

/* ---- what optimisation may not change */

// a random graph of operators that have one kernel each, so optimisation must not change a bit
static coh_value random_node(coh_graph *g, coh_stream *s, const coh_value *pool, int64_t n) {
  coh_value a = pool[coh_stream_below(s, n)], b = pool[coh_stream_below(s, n)];
  switch (coh_stream_below(s, 12)) {
  case 0:
    return coh_op_add(g, a, b);
  case 1:
    return coh_op_mul(g, a, b);
  case 2:
    return coh_op_sub(g, a, coh_op_max(g, a, b));
  case 3:
    return coh_op_tanh(g, a);
  case 4:
    return coh_op_relu(g, a);
  case 5:
    return coh_op_transpose(g, a, (int[]){1, 0});
  case 6:
    return coh_op_tanh(g, coh_op_matmul(g, a, b));
  case 7:
    return coh_op_add(g, a, coh_op_mean(g, b, (int[]){0}, 1, true));
  case 8:
    return coh_op_mul(g, a, coh_op_mean(g, b, (int[]){1}, 1, true));
  case 9:
    return coh_op_reshape(g, coh_op_sigmoid(g, coh_op_reshape(g, a, COH_SHAPE(3, -1))),
                          COH_SHAPE(24, 24));
  case 10:
    return coh_op_softmax(g, a);
  default:
    return coh_op_select(g, coh_op_step(g, a), b, coh_op_scale(g, a, 0.5));
  }
}

static void test_program_optimisation_changes_no_bit_of_random_graphs(void **state) {
  (void)state;
  enum { NODES = 40, N_OUT = 8 };
  const coh_compile_options plain = {.no_fusion = true, .no_reuse = true, .no_merge = true};
  for (uint32_t trial = 0; trial < 60; trial++) {
    coh_stream s = coh_stream_begin(coh_key_make(5, "random graphs"), trial, 0);
    coh_graph *g = new_graph();
    coh_value pool[NODES] = {coh_graph_input(g, "x", COH_SHAPE(24, 24)),
                             coh_graph_input(g, "y", COH_SHAPE(24, 24))};
    for (int k = 2; k < NODES; k++)
      pool[k] = random_node(g, &s, pool, k);
    coh_value out[N_OUT + 1];
    for (int k = 0; k < N_OUT; k++)
      out[k] = pool[2 + coh_stream_below(&s, NODES - 2)];
    assert_int_equal(coh_gradient(g, coh_op_sum_all(g, pool[NODES - 1]), pool, 1, &out[N_OUT]),
                     COH_OK);
    coh_program *fast = compile(g, out, N_OUT + 1, NULL);
    coh_program *slow = compile(g, out, N_OUT + 1, &plain);
    coh_workspace *wf = new_workspace(fast), *ws = new_workspace(slow);
    for (int k = 0; k < 2; k++) {
      fill(coh_workspace_data(wf, pool[k]), 24 * 24, trial * 2 + (uint32_t)k);
      fill(coh_workspace_data(ws, pool[k]), 24 * 24, trial * 2 + (uint32_t)k);
    }
    // twice: a second run must not depend on what the first left behind
    for (int run = 0; run < 2; run++) {
      assert_int_equal(coh_program_run(fast, wf), COH_OK);
      assert_int_equal(coh_program_run(slow, ws), COH_OK);
      for (int k = 0; k < N_OUT + 1; k++)
        assert_memory_equal(coh_workspace_data(wf, out[k]), coh_workspace_data(ws, out[k]),
                            24 * 24 * sizeof(float));
    }
    assert_true(coh_program_bytes(fast) < coh_program_bytes(slow));
    coh_workspace_destroy(&wf);
    coh_workspace_destroy(&ws);
    coh_program_destroy(&fast);
    coh_program_destroy(&slow);
    coh_graph_destroy(&g);
  }
}

static void test_program_spreads_operands_over_many_blocks(void **state) {
  (void)state;
  static const int64_t shapes[][2] = {{5, 3000}, {700, 7},  {3, 1024},
                                      {1, 5000}, {5000, 1}, {40, 96}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    int64_t m = shapes[s][0], n = shapes[s][1];
    coh_graph *g = new_graph();
    coh_value x = coh_graph_input(g, "x", COH_SHAPE(m, n));
    coh_value row = coh_graph_input(g, "row", COH_SHAPE(n));
    coh_value column = coh_graph_input(g, "column", COH_SHAPE(m, 1));
    coh_value one = coh_graph_input(g, "one", COH_SCALAR);
    coh_value y = coh_op_mul(g, coh_op_add(g, coh_op_mul(g, x, row), column), one);
    coh_value leaves[] = {x, row, column, one};
    coh_program *p = compile(g, &y, 1, NULL);
    assert_int_equal(coh_program_n_steps(p), 1);
    coh_workspace *w = new_workspace(p);
    const float *in[4];
    for (uint32_t k = 0; k < 4; k++) {
      fill(coh_workspace_data(w, leaves[k]), coh_shape_count(coh_graph_shape(g, leaves[k])), k);
      in[k] = coh_workspace_data(w, leaves[k]);
    }
    assert_int_equal(coh_program_run(p, w), COH_OK);
    const float *out = coh_workspace_data(w, y);
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++) {
        // stored product by product: the same roundings as the kernels', so the same bits
        volatile float product = in[0][i * n + j] * in[1][j];
        volatile float sum = product + in[2][i];
        assert_true(out[i * n + j] == sum * in[3][0]);
      }
    coh_workspace_destroy(&w);
    coh_program_destroy(&p);
    coh_graph_destroy(&g);
  }
}

static void test_program_splits_trees_that_grow_too_large(void **state) {
  (void)state;
  enum { LEAVES = 70 };
  coh_graph *g = new_graph();
  coh_value x[LEAVES], y = COH_NO_VALUE;
  for (int k = 0; k < LEAVES; k++) {
    x[k] = coh_graph_input(g, "x", COH_SHAPE(3));
    y = k == 0 ? x[0] : coh_op_add(g, coh_op_abs(g, y), x[k]);
  }
  coh_program *p = compile(g, &y, 1, NULL);
  assert_true(coh_program_n_steps(p) > 2 && coh_program_n_steps(p) < 20);
  coh_workspace *w = new_workspace(p);
  for (int k = 0; k < LEAVES; k++)
    coh_workspace_data(w, x[k])[1] = (float)k;
  assert_int_equal(coh_program_run(p, w), COH_OK);
  assert_true(coh_workspace_data(w, y)[1] == (float)(LEAVES * (LEAVES - 1) / 2)); // exact
  coh_workspace_destroy(&w);
  coh_program_destroy(&p);
  coh_graph_destroy(&g);
}

static void test_program_gives_no_bytes_to_two_that_live_at_once(void **state) {
  (void)state;
  network net = make_network();
  coh_program *p = compile(net.graph, net.outputs, net.n_outputs, NULL);
  for (int64_t i = 0; i < p->n_slots; i++)
    for (int64_t j = 0; j < i; j++) {
      const coh_slot *a = &p->slots[i], *b = &p->slots[j];
      if (a->kind != COH_SLOT_ARENA || b->kind != COH_SLOT_ARENA) continue;
      bool alive = a->born <= b->dies && b->born <= a->dies;
      bool overlap = a->offset < b->offset + b->floats && b->offset < a->offset + a->floats;
      // a result in place of its operand meets it in one step only
      bool in_place = a->shares == j && a->born == b->dies;
      assert_true(!alive || !overlap || in_place);
    }
  coh_program_destroy(&p);
  coh_graph_destroy(&net.graph);
}

static void test_program_drops_the_dead_and_merges_the_equal(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_value x = coh_graph_input(g, "x", COH_SHAPE(4, 4));
  coh_value y[2] = {coh_op_matmul(g, x, x), coh_op_matmul(g, x, x)};
  coh_op_softmax(g, y[0]); // nobody asks for it
  coh_value sum = coh_op_softmax(g, coh_op_add(g, y[0], y[1]));
  coh_program *p = compile(g, &sum, 1, NULL);
  assert_int_equal(coh_program_n_steps(p), 3); // one product, one sum, one softmax
  coh_program_destroy(&p);
  coh_graph_destroy(&g);
}

static void test_program_outputs_may_be_leaves_aliases_and_equal(void **state) {
  (void)state;
  coh_graph *g = new_graph();
  coh_value x = coh_graph_input(g, "x", COH_SHAPE(2, 3)),
            p = coh_graph_parameter(g, "p", COH_SHAPE(2));
  coh_value y = coh_op_square(g, x), again = coh_op_square(g, x);
  coh_value flat = coh_op_reshape(g, y, COH_SHAPE(6)), c = coh_graph_constant(g, 2.5);
  coh_value wide = coh_op_broadcast(g, c, COH_SHAPE(3));
  coh_value outputs[] = {x, p, y, again, flat, c, wide, y};
  coh_program *program = compile(g, outputs, 8, NULL);
  coh_workspace *w = new_workspace(program);
  float block[16] = {7, 8}, bound[6] = {0};
  assert_int_equal(coh_program_run(program, w), COH_E_CONFIG); // parameters are not bound
  coh_workspace_bind_parameters(w, block);
  assert_int_equal(coh_workspace_bind(w, again, bound), COH_OK);
  for (int i = 0; i < 6; i++)
    coh_workspace_data(w, x)[i] = (float)i;
  assert_int_equal(coh_program_run(program, w), COH_OK);
  for (int i = 0; i < 6; i++) {
    float square = (float)(i * i); // small integers: exact
    assert_true(coh_workspace_data(w, y)[i] == square && bound[i] == square);
    assert_true(coh_workspace_data(w, flat)[i] == square &&
                coh_workspace_data(w, x)[i] == (float)i);
  }
  assert_true(coh_workspace_data(w, p)[1] == 8.0f && coh_workspace_data(w, c)[0] == 2.5f);
  assert_true(coh_workspace_data(w, wide)[2] == 2.5f);
  assert_int_equal(coh_workspace_bind(w, 9999, bound), COH_E_CONFIG);
  coh_workspace_destroy(&w);
  coh_program_destroy(&program);
  coh_graph_destroy(&g);
}

/* ---- binding, steps, threads */

static void test_program_runs_in_bound_memory_and_leaves_padding_alone(void **state) {
  (void)state;
  network net = make_network();
  coh_program *p = compile(net.graph, net.outputs, net.n_outputs, NULL);
  float *block = new_parameters(net.graph);
  int64_t n, floats = coh_graph_parameter_floats(net.graph);
  float *expected = run_network(&net, p, block, 1, &n);
  coh_workspace *w = new_workspace(p);
  float *gradients = coh_alloc_array((size_t)floats, sizeof *gradients);
  float *images = coh_alloc_array(BATCH * 9 * 9 * 3, sizeof *images);
  for (int64_t i = 0; i < floats; i++)
    gradients[i] = -77.0f;
  coh_workspace_bind_parameters(w, block);
  set_inputs(&net, w, 1);
  fill(images, BATCH * 9 * 9 * 3, 1);
  memset(coh_workspace_data(w, net.images), 0, BATCH * 9 * 9 * 3 * sizeof(float));
  assert_int_equal(coh_workspace_bind_const(w, net.images, images), COH_OK);
  assert_int_equal(coh_workspace_bind_flat(w, net.gradient, 6, gradients), COH_OK);
  assert_int_equal(coh_workspace_bind_flat(w, net.gradient, 5, gradients), COH_E_CONFIG);
  assert_int_equal(coh_program_run(p, w), COH_OK);
  int64_t m;
  float *got = copy_outputs(&net, w, &m);
  assert_int_equal(n, m);
  assert_memory_equal(got, expected, (size_t)n * sizeof *got);
  int64_t padding = floats;
  for (int64_t k = 0; k < 6; k++) {
    coh_parameter_view view = coh_graph_parameter_at(net.graph, k);
    padding -= view.count;
    assert_ptr_equal(coh_workspace_data(w, net.gradient[k]), gradients + view.offset);
    for (int64_t i = 0; i < view.count; i++)
      assert_true(gradients[view.offset + i] != -77.0f);
  }
  for (int64_t i = 0; i < floats; i++)
    padding -= gradients[i] == -77.0f;
  assert_int_equal(padding, 0);
  free(got);
  free(expected);
  coh_free(images);
  coh_free(gradients);
  coh_free(block);
  coh_workspace_destroy(&w);
  coh_program_destroy(&p);
  coh_graph_destroy(&net.graph);
}

static void test_program_gradients_are_final_when_ready(void **state) {
  (void)state;
  network net = make_network();
  coh_program *p = compile(net.graph, net.outputs, net.n_outputs, NULL);
  float *block = new_parameters(net.graph);
  coh_workspace *whole = new_workspace(p), *parts = new_workspace(p);
  coh_workspace_bind_parameters(whole, block);
  coh_workspace_bind_parameters(parts, block);
  set_inputs(&net, whole, 2);
  set_inputs(&net, parts, 2);
  assert_int_equal(coh_program_run(p, whole), COH_OK);
  int64_t seen = 0;
  for (int64_t s = 0; s < coh_program_n_steps(p); s++) {
    assert_int_equal(coh_program_run_steps(p, parts, s, s + 1), COH_OK);
    for (int64_t k = 0; k < net.n_outputs; k++) {
      if (coh_program_ready(p, net.outputs[k]) > s + 1) continue;
      seen += coh_program_ready(p, net.outputs[k]) == s + 1;
      size_t bytes =
          sizeof(float) * (size_t)coh_shape_count(coh_graph_shape(net.graph, net.outputs[k]));
      assert_memory_equal(coh_workspace_data(parts, net.outputs[k]),
                          coh_workspace_data(whole, net.outputs[k]), bytes);
    }
  }
  assert_int_equal(seen, net.n_outputs);
  assert_int_equal(coh_program_ready(p, net.images), 0);
  assert_int_equal(coh_program_run_steps(p, parts, 0, 10000), COH_E_CONFIG);
  coh_workspace_destroy(&whole);
  coh_workspace_destroy(&parts);
  coh_free(block);
  coh_program_destroy(&p);
  coh_graph_destroy(&net.graph);
}

static void test_program_allocates_nothing_while_running(void **state) {
  (void)state;
  network net = make_network();
  coh_program *p = compile(net.graph, net.outputs, net.n_outputs, NULL);
  float *block = new_parameters(net.graph);
  coh_workspace *w = new_workspace(p);
  coh_workspace_bind_parameters(w, block);
  int64_t before = coh_alloc_total();
  for (int i = 0; i < 3; i++)
    assert_int_equal(coh_program_run(p, w), COH_OK);
  assert_int_equal(coh_alloc_total(), before);
  coh_workspace_destroy(&w);
  coh_free(block);
  coh_program_destroy(&p);
  coh_graph_destroy(&net.graph);
}

static void test_program_gives_the_same_bits_on_two_threads(void **state) {
  (void)state;
  enum { LANES = 4, ROUNDS = 20 };
  network net = make_network();
  float *block = new_parameters(net.graph);
  float *expected[LANES];
  int64_t n = 0;
  omp_set_num_threads(1);
  coh_program *alone = compile(net.graph, net.outputs, net.n_outputs, NULL);
  for (uint32_t i = 0; i < LANES; i++)
    expected[i] = run_network(&net, alone, block, i, &n);
  coh_program_destroy(&alone);

  omp_set_num_threads(2); // compiled, and run outside a parallel region, with two threads about
  coh_program *p = compile(net.graph, net.outputs, net.n_outputs, NULL);
  coh_workspace *lane[LANES];
  for (uint32_t i = 0; i < LANES; i++) {
    lane[i] = new_workspace(p);
    coh_workspace_bind_parameters(lane[i], block);
    set_inputs(&net, lane[i], i);
  }
  int failures = 0;
  for (int round = 0; round < ROUNDS; round++) {
#pragma omp parallel for default(none) shared(p, lane) reduction(+ : failures) schedule(static, 1)
    for (int i = 0; i < LANES; i++)
      failures += coh_program_run(p, lane[i]) != COH_OK;
    assert_int_equal(failures, 0);
    for (int i = 0; i < LANES; i++) {
      int64_t m;
      float *got = copy_outputs(&net, lane[i], &m);
      assert_memory_equal(got, expected[i], (size_t)n * sizeof *got);
      free(got);
    }
  }
  assert_int_equal(omp_get_max_threads(), 2);
  assert_int_equal(coh_program_run(p, lane[0]), COH_OK);
  int64_t m;
  float *got = copy_outputs(&net, lane[0], &m);
  assert_memory_equal(got, expected[0], (size_t)n * sizeof *got);
  free(got);
  assert_int_equal(omp_get_max_threads(), 2);
  for (int i = 0; i < LANES; i++) {
    coh_workspace_destroy(&lane[i]);
    free(expected[i]);
  }
  omp_set_num_threads(1);
  coh_free(block);
  coh_program_destroy(&p);
  coh_graph_destroy(&net.graph);
}

static void test_program_describes_its_steps(void **state) {
  (void)state;
  network net = make_network();
  coh_program *p = compile(net.graph, net.outputs, net.n_outputs, NULL);
  char *text = NULL;
  assert_int_equal(coh_program_describe(p, &text), COH_OK);
  int64_t lines = 0;
  for (const char *c = text; *c; c++)
    lines += *c == '\n';
  assert_int_equal(lines, 1 + coh_program_n_steps(p));
  assert_non_null(strstr(text, "conv2d_weights"));
  // 2 B (OH OW O KH KW C + 128 HIDDEN + HIDDEN 5), forward and both gradients less the images'
  int64_t conv = 2 * BATCH * 4 * 4 * 8 * 27, dense = 2 * BATCH * (128 * HIDDEN + HIDDEN * 5);
  assert_int_equal(coh_program_flops(p), 2 * conv + 3 * dense);
  coh_free(text);
  coh_program_destroy(&p);
  coh_graph_destroy(&net.graph);
}

static void test_program_leaves_no_allocation(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_program_optimisation_changes_no_bit_of_random_graphs),
      cmocka_unit_test(test_program_spreads_operands_over_many_blocks),
      cmocka_unit_test(test_program_splits_trees_that_grow_too_large),
      cmocka_unit_test(test_program_gives_no_bytes_to_two_that_live_at_once),
      cmocka_unit_test(test_program_drops_the_dead_and_merges_the_equal),
      cmocka_unit_test(test_program_outputs_may_be_leaves_aliases_and_equal),
      cmocka_unit_test(test_program_runs_in_bound_memory_and_leaves_padding_alone),
      cmocka_unit_test(test_program_gradients_are_final_when_ready),
      cmocka_unit_test(test_program_allocates_nothing_while_running),
      cmocka_unit_test(test_program_gives_the_same_bits_on_two_threads),
      cmocka_unit_test(test_program_describes_its_steps),
      cmocka_unit_test(test_program_leaves_no_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
