/* Networks: parameter counts of known ones, names and layout, forward values against plain C,
 * heads, initial parameters, sharing, and what is said when layers do not fit. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "choice_text.h"
#include "cohort/nn.h"
#include "graph_run.h"

typedef struct subject {
  choice_holder holder;
  coh_network *network;
  coh_graph *graph;
  coh_value in, out;
  float *block;
} subject;

static coh_status create(const char *name, const char *layers, coh_shape input,
                         int64_t n_outputs, subject *s) {
  assert_ok(choice_from(&coh_layer_kinds, layers, true, &s->holder));
  coh_network_config config = {
      .name = name, .layers = s->holder.list, .input = input, .n_outputs = n_outputs};
  return coh_network_create(&config, &s->network);
}

// created, built for a batch and initialised
static subject subject_make(const char *layers, coh_shape input, int64_t n_outputs,
                            int64_t batch) {
  subject s = {0};
  assert_ok(create(NULL, layers, input, n_outputs, &s));
  assert_ok(coh_graph_create(&s.graph));
  coh_shape shape = {.rank = input.rank + 1, .size = {batch}};
  for (int axis = 0; axis < input.rank; axis++)
    shape.size[axis + 1] = input.size[axis];
  s.in = coh_graph_input(s.graph, "x", shape);
  assert_ok(coh_network_build(s.network, s.graph, s.in, &s.out));
  assert_int_equal(coh_network_floats(s.network), coh_graph_parameter_floats(s.graph));
  s.block = coh_alloc_array((size_t)coh_network_floats(s.network), sizeof *s.block);
  assert_non_null(s.block);
  assert_ok(coh_network_initialize(s.network, 3, s.block));
  return s;
}

static void subject_clear(subject *s) {
  coh_graph_destroy(&s->graph);
  coh_network_destroy(&s->network);
  choice_holder_clear(&s->holder);
  coh_free(s->block);
}

// one parameter of the block by name
static const float *parameter(const subject *s, const char *name) {
  for (int64_t k = 0; k < coh_graph_n_parameters(s->graph); k++) {
    coh_parameter_view view = coh_graph_parameter_at(s->graph, k);
    if (strcmp(view.name, name) == 0) return s->block + view.offset;
  }
  fail_msg("no parameter %s", name);
  return NULL;
}

static const char minatar[] = "[conv: 16, relu, dense: 128, relu]";
static const char nature[] =
    "[conv: {channels: 32, kernel: 8, stride: 4}, relu, conv: {channels: 64, kernel: 4, "
    "stride: 2}, relu, conv: 64, relu, dense: 512, relu]";

static void known_networks_have_their_parameter_counts(void **state) {
  (void)state;
  const struct {
    const char *layers;
    coh_shape input;
    int64_t n_outputs, count;
  } known[] = {
      {minatar, COH_SHAPE(10, 10, 4), 6, 592 + 131200 + 774},
      {nature, COH_SHAPE(84, 84, 4), 6, 1687206},
      {"[dense: 256, relu, dense: 256, relu]", COH_SHAPE(4), 2, 67586},
      {"[]", COH_SHAPE(5), 3, 18},
      {"[dense: 8, layer_norm, relu]", COH_SHAPE(5), 0, 48 + 16},
      {"[dense: {units: 8, bias: false}]", COH_SHAPE(2, 3), 0, 48},
      // value 128 -> 1, advantage 128 -> 6; then the same after 32 hidden units each
      {"[dense: 128, relu, dueling]", COH_SHAPE(4), 6, 640 + 129 + 774},
      {"[dense: 128, relu, dueling: 32]", COH_SHAPE(4), 6, 640 + 2 * 4128 + 33 + 198},
      {"[max_pool: 2, conv: {channels: 3, kernel: [1, 5]}]", COH_SHAPE(10, 10, 4), 0, 63},
  };
  int64_t live = coh_alloc_live();
  for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
    subject s = {0};
    assert_ok(create(NULL, known[k].layers, known[k].input, known[k].n_outputs, &s));
    assert_int_equal(coh_network_n_parameters(s.network), known[k].count);
    subject_clear(&s);
  }
  assert_int_equal(coh_alloc_live(), live);
}

static void names_and_layout_do_not_depend_on_the_batch(void **state) {
  (void)state;
  static const char *const names[] = {"0.conv.weight", "0.conv.bias",     "2.dense.weight",
                                      "2.dense.bias",  "4.output.weight", "4.output.bias"};
  subject one = subject_make(minatar, COH_SHAPE(10, 10, 4), 6, 1),
          many = subject_make(minatar, COH_SHAPE(10, 10, 4), 6, 32);
  assert_int_equal(coh_graph_n_parameters(one.graph), 6);
  for (int64_t k = 0; k < 6; k++) {
    coh_parameter_view a = coh_graph_parameter_at(one.graph, k),
                       b = coh_graph_parameter_at(many.graph, k);
    assert_string_equal(a.name, names[k]);
    assert_string_equal(b.name, names[k]);
    assert_true(a.offset == b.offset && coh_shape_equal(a.shape, b.shape));
  }
  // feature maps have names
  coh_value maps = coh_graph_find(many.graph, "1.relu");
  assert_true(coh_shape_equal(coh_graph_shape(many.graph, maps), COH_SHAPE(32, 8, 8, 16)));
  assert_int_equal(coh_graph_find(many.graph, "4.output"), many.out);
  assert_true(coh_shape_equal(coh_network_output_shape(many.network), COH_SHAPE(6)));
  assert_memory_equal(one.block, many.block,
                      (size_t)coh_network_floats(one.network) * sizeof(float));
  subject_clear(&one);
  subject_clear(&many);
}

// plain C in double precision: convolution "same" of a 5 x 6 x 2 image, kernel 3 x 2, stride
// 1 x 2, then tanh
enum { H = 5, W = 6, C = 2, KH = 3, KW = 2, OH = 5, OW = 3, O = 3, UNITS = 4, B = 2 };

static double plain_convolution(const float *x, const float *w, const float *b, int row,
                                int column, int channel) {
  double sum = b[channel];
  for (int i = 0; i < KH; i++)
    for (int j = 0; j < KW; j++)
      for (int c = 0; c < C; c++) {
        // rows are padded by one on both sides; columns need no padding: 2 (3 - 1) + 2 = 6
        int y = row - 1 + i, z = 2 * column + j;
        if (y < 0 || y >= H || z >= W) continue;
        sum += (double)x[(y * W + z) * C + c] * (double)w[((i * KW + j) * C + c) * O + channel];
      }
  return sum;
}

static void forward_values_are_those_of_plain_c(void **state) {
  (void)state;
  subject s = subject_make("[conv: {channels: 3, kernel: [3, 2], stride: [1, 2], padding: "
                           "same}, tanh, max_pool: {kernel: [2, 1], stride: 1}, dense: 4, "
                           "layer_norm: 0.01]",
                           COH_SHAPE(H, W, C), 0, B);
  float x[B * H * W * C], y[B * UNITS];
  for (int i = 0; i < B * H * W * C; i++)
    x[i] = (float)sin(0.7 * i);
  float *gain = (float *)(uintptr_t)parameter(&s, "4.layer_norm.weight");
  float *shift = (float *)(uintptr_t)parameter(&s, "4.layer_norm.bias");
  for (int u = 0; u < UNITS; u++) {
    assert_true(gain[u] == 1 && shift[u] == 0);
    gain[u] = 1 + 0.5f * (float)u;
    shift[u] = 0.25f * (float)u;
  }
  graph_run_once(s.graph, s.block, &(graph_io){s.in, x}, 1, &(graph_io){s.out, y}, 1);

  const float *dense = parameter(&s, "3.dense.weight"), *bias = parameter(&s, "3.dense.bias");
  for (int row = 0; row < B; row++) {
    double map[OH][OW][O], unit[UNITS], mean = 0, variance = 0;
    for (int i = 0; i < OH; i++)
      for (int j = 0; j < OW; j++)
        for (int o = 0; o < O; o++)
          map[i][j][o] =
              tanh(plain_convolution(x + row * H * W * C, parameter(&s, "0.conv.weight"),
                                     parameter(&s, "0.conv.bias"), i, j, o));
    for (int u = 0; u < UNITS; u++) {
      unit[u] = bias[u];
      for (int i = 0; i < OH - 1; i++)
        for (int j = 0; j < OW; j++)
          for (int o = 0; o < O; o++)
            unit[u] += fmax(map[i][j][o], map[i + 1][j][o]) *
                       (double)dense[((i * OW + j) * O + o) * UNITS + u];
      mean += unit[u] / UNITS;
    }
    for (int u = 0; u < UNITS; u++)
      variance += (unit[u] - mean) * (unit[u] - mean) / UNITS;
    for (int u = 0; u < UNITS; u++) {
      double expected = (unit[u] - mean) / sqrt(variance + 0.01) * (1 + 0.5 * u) + 0.25 * u;
      assert_true(fabs(y[row * UNITS + u] - expected) < 5e-6);
    }
  }
  subject_clear(&s);
}

static void average_pool_is_the_mean(void **state) {
  (void)state;
  subject s = subject_make("[avg_pool: 2]", COH_SHAPE(4, 4, 1), 0, 1);
  float x[16], y[4];
  for (int i = 0; i < 16; i++)
    x[i] = (float)(i * i);
  graph_run_once(s.graph, NULL, &(graph_io){s.in, x}, 1, &(graph_io){s.out, y}, 1);
  for (int k = 0; k < 4; k++) {
    int corner = k / 2 * 8 + k % 2 * 2;
    float mean = (x[corner] + x[corner + 1] + x[corner + 4] + x[corner + 5]) / 4;
    assert_true(fabsf(y[k] - mean) < 1e-5f * (1 + mean));
  }
  subject_clear(&s);
}

static void dueling_advantages_have_mean_zero(void **state) {
  (void)state;
  enum { N_IN = 5, N_ACTIONS = 6, BATCH = 7, HIDDEN = 3 };
  subject s = subject_make("[dueling: 3]", COH_SHAPE(N_IN), N_ACTIONS, BATCH);
  float x[BATCH * N_IN], q[BATCH * N_ACTIONS];
  for (int i = 0; i < BATCH * N_IN; i++)
    x[i] = (float)cos(1.3 * i);
  graph_run_once(s.graph, s.block, &(graph_io){s.in, x}, 1, &(graph_io){s.out, q}, 1);
  const float *hidden = parameter(&s, "0.dueling.value_hidden.weight");
  const float *hidden_bias = parameter(&s, "0.dueling.value_hidden.bias");
  const float *weight = parameter(&s, "0.dueling.value.weight");
  for (int row = 0; row < BATCH; row++) {
    // the mean of Q over actions is V
    double value = parameter(&s, "0.dueling.value.bias")[0], mean = 0;
    for (int h = 0; h < HIDDEN; h++) {
      double unit = hidden_bias[h];
      for (int i = 0; i < N_IN; i++)
        unit += (double)x[row * N_IN + i] * (double)hidden[i * HIDDEN + h];
      value += fmax(unit, 0) * (double)weight[h];
    }
    for (int a = 0; a < N_ACTIONS; a++)
      mean += (double)q[row * N_ACTIONS + a] / N_ACTIONS;
    assert_true(fabs(mean - value) < 1e-6);
    assert_true(q[row * N_ACTIONS] != q[row * N_ACTIONS + 1]);
  }
  subject_clear(&s);
}

static void initial_parameters_follow_seed_name_and_choice(void **state) {
  (void)state;
  subject a = {0}, b = {0}, twin = {0};
  assert_ok(
      create(NULL, "[dense: {units: 40, init: {normal: 3}}, relu]", COH_SHAPE(50), 2, &a));
  assert_ok(
      create(NULL, "[dense: {units: 40, init: {normal: 3}}, relu]", COH_SHAPE(50), 2, &b));
  assert_ok(
      create("twin", "[dense: {units: 40, init: {normal: 3}}, relu]", COH_SHAPE(50), 2, &twin));
  size_t n = (size_t)coh_network_floats(a.network), bytes = n * sizeof(float);
  subject *all[] = {&a, &b, &twin};
  for (int k = 0; k < 3; k++) {
    all[k]->block = coh_alloc_array(n, sizeof(float));
    memset(all[k]->block, 0xff, bytes);
    assert_ok(coh_network_initialize(all[k]->network, 9, all[k]->block));
  }
  assert_memory_equal(a.block, b.block, bytes);
  assert_memory_not_equal(a.block, twin.block, bytes);
  assert_ok(coh_network_initialize(b.network, 10, b.block));
  assert_memory_not_equal(a.block, b.block, bytes);
  // the first layer by its own choice (deviation 3), the output by PyTorch's default
  double square = 0, largest = 0;
  for (int i = 0; i < 2000; i++)
    square += (double)a.block[i] * (double)a.block[i];
  assert_true(fabs(square / 2000 - 9) < 1.5);
  for (int64_t i = 2000 + 48; i < (int64_t)n; i++)
    largest = fmax(largest, fabs((double)a.block[i]));
  assert_true(largest <= 1 / sqrt(40) * (1 + 1e-6) && largest > 0.8 / sqrt(40));
  // biases of 40 are zero here, and so is the padding to 48; the last 14 floats are padding
  for (size_t i = 2000; i < 2048; i++)
    assert_true(a.block[i] == 0);
  for (size_t i = n - 14; i < n; i++)
    assert_true(a.block[i] == 0);
  subject_clear(&a);
  subject_clear(&b);
  subject_clear(&twin);
}

static void networks_share_a_graph_and_their_own_parameters(void **state) {
  (void)state;
  subject a = {0}, b = {0};
  assert_ok(create("actor", "[dense: 3, tanh]", COH_SHAPE(4), 2, &a));
  assert_ok(create("critic", "[dense: 5, tanh]", COH_SHAPE(4), 1, &b));
  coh_graph *graph = NULL;
  coh_value again, one, two;
  assert_ok(coh_graph_create(&graph));
  coh_value x = coh_graph_input(graph, "x", COH_SHAPE(8, 4)),
            y = coh_graph_input(graph, "y", COH_SHAPE(2, 4));
  assert_ok(coh_network_build(a.network, graph, x, &one));
  assert_ok(coh_network_build(b.network, graph, x, &two));
  assert_ok(coh_network_build(a.network, graph, y, &again));
  assert_int_equal(coh_graph_n_parameters(graph), 8);
  assert_int_equal(coh_graph_parameter_floats(graph),
                   coh_network_floats(a.network) + coh_network_floats(b.network));
  assert_string_equal(coh_graph_parameter_at(graph, 4).name, "critic.0.dense.weight");
  assert_int_equal(coh_graph_parameter_at(graph, 4).offset, coh_network_floats(a.network));
  // another network of the same name but another shape cannot
  subject c = {0};
  assert_ok(create("actor", "[dense: 4, tanh]", COH_SHAPE(4), 2, &c));
  assert_fails(coh_network_build(c.network, graph, x, &again), COH_E_CONFIG,
               "network actor: layer 0 (dense): the graph has a parameter "
               "actor.0.dense.weight of 4 x 3 already, not of 4 x 4");
  coh_graph_destroy(&graph);
  subject_clear(&a);
  subject_clear(&b);
  subject_clear(&c);
}

static void layers_that_do_not_fit_are_named(void **state) {
  (void)state;
  const struct {
    const char *layers;
    coh_shape input;
    int64_t n_outputs;
    const char *message;
  } bad[] = {
      {"[conv: 8, relu, conv: {channels: 4, kernel: 9}]", COH_SHAPE(10, 10, 4), 6,
       "network: layer 2 (conv): a kernel of 9 x 9 does not fit its input of 8 x 8; take a "
       "smaller kernel or padding: same"},
      {"[dense: 8, conv: 8]", COH_SHAPE(10, 10, 4), 6,
       "network: layer 1 (conv): needs an image (height x width x channels) but its input is "
       "8; put it before dense and flatten"},
      {"[max_pool: 2]", COH_SHAPE(4), 6, "network: layer 0 (max_pool): needs an image"},
      {"[conv: {channels: 8, kernel: [1, 2, 3]}]", COH_SHAPE(10, 10, 4), 6,
       "network: layer 0 (conv): kernel takes one number or two (height, width), not 3"},
      {"[dueling, relu]", COH_SHAPE(4), 6,
       "network: layer 0 (dueling): a head must be the last layer"},
      {"[dueling]", COH_SHAPE(4), 0,
       "network: layer 0 (dueling): a head has no place in a network without an output layer"},
      {"[]", COH_SCALAR, 1, "network: a sample of rank 0 cannot be its input"},
  };
  int64_t live = coh_alloc_live();
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    subject s = {0};
    assert_fails(create(NULL, bad[k].layers, bad[k].input, bad[k].n_outputs, &s), COH_E_CONFIG,
                 bad[k].message);
    assert_null(s.network);
    subject_clear(&s);
  }
  subject s = {0};
  assert_ok(create(NULL, minatar, COH_SHAPE(10, 10, 4), 6, &s));
  assert_ok(coh_graph_create(&s.graph));
  s.in = coh_graph_input(s.graph, "x", COH_SHAPE(32, 10, 10, 7));
  assert_fails(coh_network_build(s.network, s.graph, s.in, &s.out), COH_E_CONFIG,
               "network: the input 32 x 10 x 10 x 7 is not a batch of 10 x 10 x 4");
  subject_clear(&s);
  assert_int_equal(coh_alloc_live(), live);
}

static void description_lists_layers_shapes_and_parameters(void **state) {
  (void)state;
  subject s = {0};
  char *text = NULL;
  assert_ok(create(NULL, minatar, COH_SHAPE(10, 10, 4), 6, &s));
  assert_ok(coh_network_describe(s.network, &text));
  static const char expected[] = "layer                    output               parameters\n"
                                 "input                    10 x 10 x 4       \n"
                                 "0.conv                   8 x 8 x 16                  592\n"
                                 "1.relu                   8 x 8 x 16                    0\n"
                                 "2.dense                  128                      131200\n"
                                 "3.relu                   128                           0\n"
                                 "4.output                 6                           774\n"
                                 "total                                             132566\n";
  assert_string_equal(text, expected);
  coh_free(text);
  subject_clear(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_networks_have_their_parameter_counts),
      cmocka_unit_test(names_and_layout_do_not_depend_on_the_batch),
      cmocka_unit_test(forward_values_are_those_of_plain_c),
      cmocka_unit_test(average_pool_is_the_mean),
      cmocka_unit_test(dueling_advantages_have_mean_zero),
      cmocka_unit_test(initial_parameters_follow_seed_name_and_choice),
      cmocka_unit_test(networks_share_a_graph_and_their_own_parameters),
      cmocka_unit_test(layers_that_do_not_fit_are_named),
      cmocka_unit_test(description_lists_layers_shapes_and_parameters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
