/* Batch normalisation against its closed form, and over lanes against one large batch. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "choice_text.h"
#include "cohort/nn.h"
#include "cohort/random.h"
#include "graph_run.h"

enum { MAX_PARAMETERS = 40, MAX_LANES = 8 };

/* A network as every lane runs it: sum of losses, gradients, what renews its states. */
typedef struct lanes {
  coh_graph *graph;
  coh_program *program;
  coh_workspace *workspace[MAX_LANES];
  coh_network_refresh refresh;
  coh_value x, y, target, slope, gradient[MAX_PARAMETERS];
  int64_t n_lanes, n_parameters;
} lanes;

static void lanes_make(lanes *l, const coh_network *network, coh_shape batch, int64_t n_lanes,
                       double penalty, const float *block) {
  *l = (lanes){.n_lanes = n_lanes};
  batch.size[0] /= n_lanes;
  assert_ok(coh_graph_create(&l->graph));
  coh_graph *g = l->graph;
  l->x = coh_graph_input(g, "x", batch);
  const coh_network_use use = {.n_lanes = n_lanes};
  assert_ok(coh_network_build_for(network, g, l->x, &use, &l->refresh, &l->y));
  l->target = coh_graph_input(g, "target", coh_graph_shape(g, l->y));
  coh_value loss = coh_op_sum_all(g, coh_op_square(g, coh_op_sub(g, l->y, l->target)));
  assert_ok(coh_gradient(g, loss, &l->x, 1, &l->slope));
  if (penalty > 0)
    loss = coh_op_add(g, loss,
                      coh_op_scale(g, coh_op_sum_all(g, coh_op_square(g, l->slope)), penalty));
  l->n_parameters = coh_graph_n_parameters(g);
  assert_true(l->n_parameters <= MAX_PARAMETERS);
  assert_ok(coh_gradient_parameters(g, loss, l->gradient));
  coh_value outputs[MAX_PARAMETERS + 32];
  int64_t n = 0;
  for (int64_t k = 0; k < l->n_parameters; k++)
    outputs[n++] = l->gradient[k];
  for (int64_t k = 0; k < l->refresh.n; k++)
    outputs[n++] = l->refresh.value[k];
  outputs[n++] = l->y;
  outputs[n++] = l->slope;
  assert_ok(coh_program_compile(g, outputs, n, NULL, &l->program));
  for (int64_t i = 0; i < n_lanes; i++) {
    assert_ok(coh_workspace_create(l->program, &l->workspace[i]));
    assert_ok(coh_workspace_bind_parameters(l->workspace[i], block));
  }
}

static void lanes_clear(lanes *l) {
  for (int64_t i = 0; i < l->n_lanes; i++)
    coh_workspace_destroy(&l->workspace[i]);
  coh_program_destroy(&l->program);
  coh_graph_destroy(&l->graph);
}

// each lane its slice of the rows, from cut to cut
static void lanes_run(lanes *l, const float *x, const float *target) {
  int64_t n_x = coh_shape_count(coh_graph_shape(l->graph, l->x));
  int64_t n_target = coh_shape_count(coh_graph_shape(l->graph, l->target));
  for (int64_t i = 0; i < l->n_lanes; i++) {
    memcpy(coh_workspace_data(l->workspace[i], l->x), x + i * n_x, (size_t)n_x * sizeof *x);
    memcpy(coh_workspace_data(l->workspace[i], l->target), target + i * n_target,
           (size_t)n_target * sizeof *x);
  }
  int64_t first = 0, n_cuts = coh_program_n_cuts(l->program);
  if (l->n_lanes == 1) assert_int_equal(n_cuts, 0);
  for (int64_t k = 0; k <= n_cuts; k++) {
    coh_cut cut = coh_program_cut_at(l->program, k);
    for (int64_t i = 0; i < l->n_lanes; i++)
      assert_ok(coh_program_run_steps(l->program, l->workspace[i], first, cut.step));
    if (k == n_cuts) break;
    const float *part;
    float *sum, total[1024] = {0};
    assert_true(cut.count <= 1024);
    for (int64_t i = 0; i < l->n_lanes; i++) {
      coh_workspace_cut(l->workspace[i], cut.step, &part, &sum);
      for (int64_t j = 0; j < cut.count; j++)
        total[j] += part[j];
    }
    for (int64_t i = 0; i < l->n_lanes; i++) {
      coh_workspace_cut(l->workspace[i], cut.step, &part, &sum);
      memcpy(sum, total, (size_t)cut.count * sizeof *sum);
    }
    first = cut.step + 1;
  }
}

static void fill(float *x, int64_t n, uint32_t which, double shift) {
  coh_stream stream = coh_stream_begin(coh_key_make(5, "batch norm"), which, 0);
  for (int64_t i = 0; i < n; i++)
    x[i] = (float)(coh_stream_normal(&stream) + shift);
}

static void network_make(const char *layers, coh_shape input, int64_t n_outputs,
                         choice_holder *holder, coh_network **network, float **block) {
  assert_ok(choice_from(&coh_layer_kinds, layers, true, holder));
  const coh_network_config config = {
      .layers = holder->list, .input = input, .n_outputs = n_outputs};
  assert_ok(coh_network_create(&config, network));
  *block = coh_alloc_array((size_t)coh_network_floats(*network), sizeof **block);
  assert_non_null(*block);
  assert_ok(coh_network_initialize(*network, 1, *block));
}

static const float *gradient_named(lanes *l, const char *name) {
  for (int64_t k = 0; k < l->n_parameters; k++)
    if (!strcmp(coh_graph_parameter_at(l->graph, k).name, name))
      return coh_workspace_data(l->workspace[0], l->gradient[k]);
  fail_msg("no parameter %s", name);
  return NULL;
}

static void batch_norm_follows_its_closed_form(void **state) {
  (void)state;
  enum { N = 6, H = 3, W = 2, C = 3, ROWS = N * H * W };
  choice_holder holder = {0};
  coh_network *network;
  float *block, x[ROWS * C], target[ROWS * C];
  network_make("[batch_norm: {momentum: 0.25}]", COH_SHAPE(H, W, C), 0, &holder, &network,
               &block);
  assert_true(coh_network_mixes_rows(network));
  lanes l;
  lanes_make(&l, network, COH_SHAPE(N, H, W, C), 1, 0, block);
  float *weight = block + coh_graph_parameter_at(l.graph, 0).offset;
  float *bias = block + coh_graph_parameter_at(l.graph, 1).offset;
  for (int c = 0; c < C; c++)
    weight[c] = 1.5f - (float)c, bias[c] = 0.25f * (float)c;
  fill(x, ROWS * C, 0, 2);
  fill(target, ROWS * C, 1, 0);
  lanes_run(&l, x, target);
  const float *y = coh_workspace_data(l.workspace[0], l.y);
  const float *dx = coh_workspace_data(l.workspace[0], l.slope);
  const float *dweight = gradient_named(&l, "0.batch_norm.weight");
  const float *dbias = gradient_named(&l, "0.batch_norm.bias");
  assert_int_equal(l.refresh.n, 2);
  for (int c = 0; c < C; c++) {
    double mean = 0, variance = 0, sum_dy = 0, sum_dyx = 0;
    for (int i = 0; i < ROWS; i++)
      mean += x[i * C + c] / (double)ROWS;
    for (int i = 0; i < ROWS; i++)
      variance += (x[i * C + c] - mean) * (x[i * C + c] - mean) / ROWS;
    double gain = 1 / sqrt(variance + 1e-5);
    for (int i = 0; i < ROWS; i++) {
      double hat = (x[i * C + c] - mean) * gain, out = hat * weight[c] + bias[c];
      double dy = 2 * (out - target[i * C + c]);
      assert_true(fabs(out - y[i * C + c]) < 2e-6);
      sum_dy += dy;
      sum_dyx += dy * hat;
    }
    assert_true(fabs(sum_dy - dbias[c]) < 1e-4 && fabs(sum_dyx - dweight[c]) < 1e-4);
    for (int i = 0; i < ROWS; i++) {
      double hat = (x[i * C + c] - mean) * gain;
      double dy = 2 * (hat * weight[c] + bias[c] - target[i * C + c]);
      double expected = weight[c] * gain * (dy - sum_dy / ROWS - hat * sum_dyx / ROWS);
      assert_true(fabs(expected - dx[i * C + c]) < 1e-5);
    }
    // what PyTorch and others keep: the mean, and the variance over n - 1
    double kept[2] = {mean, variance * ROWS / (ROWS - 1)};
    for (int k = 0; k < 2; k++) {
      assert_true(l.refresh.rate[k] == 0.25);
      assert_true(fabs(coh_workspace_data(l.workspace[0], l.refresh.value[k])[c] - kept[k]) <
                  1e-5);
    }
    for (int k = 2; k < 4; k++)
      assert_true(coh_workspace_data(l.workspace[0], l.gradient[k])[c] == 0);
  }
  lanes_clear(&l);
  coh_network_destroy(&network);
  coh_free(block);
  choice_holder_clear(&holder);
}

// the norm of the difference between the summed gradients of lanes and those of the whole
// batch, over the norm of the latter
static double difference(lanes *whole, lanes *parts) {
  double wrong = 0, norm = 0;
  for (int64_t k = 0; k < whole->n_parameters; k++) {
    const float *expected = coh_workspace_data(whole->workspace[0], whole->gradient[k]);
    for (int64_t i = 0; i < coh_graph_parameter_at(whole->graph, k).count; i++) {
      double sum = 0;
      for (int64_t j = 0; j < parts->n_lanes; j++)
        sum += (double)coh_workspace_data(parts->workspace[j], parts->gradient[k])[i];
      wrong += (sum - (double)expected[i]) * (sum - (double)expected[i]);
      norm += (double)expected[i] * (double)expected[i];
    }
  }
  return sqrt(wrong / norm);
}

static void lanes_have_the_gradients_of_one_large_batch(void **state) {
  (void)state;
  static const struct {
    const char *layers;
    double penalty, most;
  } cases[] = {
      {"[dense: 12, batch_norm, tanh, dense: 7, batch_norm, silu]", 0, 1e-6},
      {"[conv: {channels: 6, kernel: 3, bias: false}, batch_norm, {leaky_relu: 0.2}, "
       "conv: {channels: 8, kernel: 2, stride: 2}, batch_norm: {affine: false}, relu, "
       "residual: {body: [conv: {channels: 8, kernel: 1}, batch_norm, tanh]}]",
       0, 1e-6},
      // the penalty on the slope passes every sum over lanes twice
      {"[conv: {channels: 6, kernel: 3}, batch_norm, softplus, dense: 5, batch_norm, tanh]",
       0.1, 3e-6},
  };
  enum { N = 48, H = 5, W = 4, C = 2, OUT = 3 };
  int64_t live = coh_alloc_live();
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    choice_holder holder = {0};
    coh_network *network;
    float *block, *x = coh_alloc_array(N * H * W * C, sizeof *x), target[N * OUT];
    network_make(cases[c].layers, COH_SHAPE(H, W, C), OUT, &holder, &network, &block);
    fill(x, N * H * W * C, 2, 1);
    fill(target, N * OUT, 3, 0);
    lanes whole;
    lanes_make(&whole, network, COH_SHAPE(N, H, W, C), 1, cases[c].penalty, block);
    lanes_run(&whole, x, target);
    for (int64_t n = 2; n <= MAX_LANES; n += n < 4 ? 1 : 4) {
      lanes parts;
      lanes_make(&parts, network, COH_SHAPE(N, H, W, C), n, cases[c].penalty, block);
      assert_true(coh_program_n_cuts(parts.program) > 0);
      lanes_run(&parts, x, target);
      double worst = difference(&whole, &parts);
      if (!(worst <= cases[c].most))
        fail_msg("%s on %d lanes: %g", cases[c].layers, (int)n, worst);
      // all lanes see the same statistics, those of the batch
      for (int64_t k = 0; k < whole.refresh.n; k++)
        for (int64_t j = 0; j < n; j++)
          assert_true(fabsf(coh_workspace_data(parts.workspace[j], parts.refresh.value[k])[1] -
                            coh_workspace_data(whole.workspace[0], whole.refresh.value[k])[1]) <
                      1e-5f);
      lanes_clear(&parts);
    }
    lanes_clear(&whole);
    coh_network_destroy(&network);
    coh_free(block), coh_free(x);
    choice_holder_clear(&holder);
  }
  assert_int_equal(coh_alloc_live(), live);
}

static void a_lane_alone_takes_its_own_statistics(void **state) {
  (void)state;
  choice_holder holder = {0};
  coh_network *network;
  float *block, x[8 * 2], target[8 * 2];
  network_make("[batch_norm: {over: lane}]", COH_SHAPE(2), 0, &holder, &network, &block);
  fill(x, 16, 4, 0);
  fill(target, 16, 5, 0);
  lanes parts;
  lanes_make(&parts, network, COH_SHAPE(8, 2), 2, 0, block);
  assert_int_equal(coh_program_n_cuts(parts.program), 0);
  lanes_run(&parts, x, target);
  for (int i = 0; i < 2; i++) {
    const float *y = coh_workspace_data(parts.workspace[i], parts.y);
    assert_true(fabsf(y[0] + y[2] + y[4] + y[6]) < 1e-5f);
  }
  lanes_clear(&parts);
  coh_network_destroy(&network);
  coh_free(block);
  choice_holder_clear(&holder);
}

static void in_use_it_is_a_map_of_each_row(void **state) {
  (void)state;
  choice_holder holder = {0};
  coh_network *network;
  float *block, x[4] = {1, 2, 3, 4}, y[4];
  network_make("[batch_norm]", COH_SHAPE(2), 0, &holder, &network, &block);
  coh_graph *g;
  assert_ok(coh_graph_create(&g));
  coh_value in = coh_graph_input(g, "x", COH_SHAPE(2, 2)), out;
  const coh_network_use use = {.inference = true, .n_lanes = 4};
  assert_ok(coh_network_build_for(network, g, in, &use, NULL, &out));
  float *mean = block + coh_graph_parameter_at(g, 2).offset;
  float *variance = block + coh_graph_parameter_at(g, 3).offset;
  mean[0] = 1, mean[1] = -2, variance[0] = 4, variance[1] = 0.25f;
  graph_run_once(g, block, &(graph_io){in, x}, 1, &(graph_io){out, y}, 1);
  const float expected[4] = {0, 8, 1, 12};
  for (int i = 0; i < 4; i++)
    assert_true(fabsf(y[i] - expected[i]) < 1e-3f);
  coh_graph_destroy(&g);
  coh_network_destroy(&network);
  coh_free(block);
  choice_holder_clear(&holder);
}

static void mistakes_are_named(void **state) {
  (void)state;
  choice_holder holder = {0};
  coh_network *network;
  float *block;
  network_make("[batch_norm]", COH_SHAPE(2), 0, &holder, &network, &block);
  coh_graph *g;
  assert_ok(coh_graph_create(&g));
  coh_network_refresh refresh = {0};
  coh_value in = coh_graph_input(g, "x", COH_SHAPE(1, 2)), out;
  assert_int_equal(coh_network_build_for(network, g, in, &(coh_network_use){0}, &refresh, &out),
                   COH_E_CONFIG);
  assert_non_null(strstr(coh_error_message(), "a single row has no variance"));
  in = coh_graph_input(g, "more", COH_SHAPE(4, 2));
  assert_int_equal(coh_network_build(network, g, in, &out), COH_E_CONFIG);
  assert_non_null(strstr(coh_error_message(), "does not renew"));
  // a program with cuts does not run through them unseen
  const coh_network_use use = {.n_lanes = 3};
  assert_ok(coh_network_build_for(network, g, in, &use, &refresh, &out));
  coh_program *program;
  coh_workspace *workspace;
  assert_ok(coh_program_compile(g, &out, 1, NULL, &program));
  assert_ok(coh_workspace_create(program, &workspace));
  assert_ok(coh_workspace_bind_parameters(workspace, block));
  assert_int_equal(coh_program_run(program, workspace), COH_E_CONFIG);
  coh_workspace_destroy(&workspace);
  coh_program_destroy(&program);
  coh_graph_destroy(&g);
  coh_network_destroy(&network);
  coh_free(block);
  choice_holder_clear(&holder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(batch_norm_follows_its_closed_form),
      cmocka_unit_test(lanes_have_the_gradients_of_one_large_batch),
      cmocka_unit_test(a_lane_alone_takes_its_own_statistics),
      cmocka_unit_test(in_use_it_is_a_map_of_each_row),
      cmocka_unit_test(mistakes_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
