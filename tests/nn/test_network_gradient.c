/* Gradients of whole networks against finite differences, and networks that learn. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "choice_text.h"
#include "cohort/nn.h"
#include "cohort/random.h"
#include "graph_run.h"

enum { BATCH = 4, MAX_PARAMETERS = 16 };

/* A network with a loss, its gradient, and everything bound to flat blocks. */
typedef struct trainer {
  choice_holder layers, loss;
  coh_network *network;
  coh_graph *graph;
  coh_value out, in[2], gradient[MAX_PARAMETERS], total;
  float *block, *grads, *x, *target, loss_value;
  int64_t n_floats, n_x, n_target;
  graph_run run;
} trainer;

static trainer *trainer_make(const char *layers, const char *loss, coh_shape input,
                             int64_t batch, int64_t n_outputs) {
  trainer *t = coh_alloc_array(1, sizeof *t);
  assert_non_null(t);
  assert_ok(choice_from(&coh_layer_kinds, layers, true, &t->layers));
  assert_ok(choice_from(&coh_loss_kinds, loss, false, &t->loss));
  coh_network_config config = {
      .layers = t->layers.list, .input = input, .n_outputs = n_outputs};
  assert_ok(coh_network_create(&config, &t->network));
  assert_ok(coh_graph_create(&t->graph));
  coh_shape shape = {.rank = input.rank + 1, .size = {batch}};
  memcpy(shape.size + 1, input.size, (size_t)input.rank * sizeof *shape.size);
  t->in[0] = coh_graph_input(t->graph, "x", shape);
  t->in[1] = coh_graph_input(t->graph, "target", COH_SHAPE(batch, n_outputs));
  coh_value per_row;
  assert_ok(coh_network_build(t->network, t->graph, t->in[0], &t->out));
  assert_ok(coh_loss_build(&t->loss.one, t->graph, t->out, t->in[1], &per_row));
  t->total = coh_op_mean_all(t->graph, per_row);
  int64_t n = coh_graph_n_parameters(t->graph);
  assert_true(n <= MAX_PARAMETERS);
  assert_ok(coh_gradient_parameters(t->graph, t->total, t->gradient));
  t->n_floats = coh_network_floats(t->network);
  t->n_x = coh_shape_count(shape);
  t->n_target = batch * n_outputs;
  t->block = coh_alloc_array((size_t)t->n_floats, sizeof(float));
  t->grads = coh_alloc_array((size_t)t->n_floats, sizeof(float));
  t->x = coh_alloc_array((size_t)t->n_x, sizeof(float));
  t->target = coh_alloc_array((size_t)t->n_target, sizeof(float));
  assert_true(t->block && t->grads && t->x && t->target);
  assert_ok(coh_network_initialize(t->network, 1, t->block));

  coh_value outputs[MAX_PARAMETERS + 1];
  memcpy(outputs, t->gradient, (size_t)n * sizeof *outputs);
  outputs[n] = t->total;
  assert_ok(coh_program_compile(t->graph, outputs, n + 1, NULL, &t->run.program));
  assert_ok(coh_workspace_create(t->run.program, &t->run.workspace));
  assert_ok(coh_workspace_bind_parameters(t->run.workspace, t->block));
  assert_ok(coh_workspace_bind_const(t->run.workspace, t->in[0], t->x));
  assert_ok(coh_workspace_bind_const(t->run.workspace, t->in[1], t->target));
  assert_ok(coh_workspace_bind_flat(t->run.workspace, t->gradient, n, t->grads));
  assert_ok(coh_workspace_bind(t->run.workspace, t->total, &t->loss_value));
  return t;
}

static void trainer_destroy(trainer *t) {
  graph_run_end(&t->run);
  coh_graph_destroy(&t->graph);
  coh_network_destroy(&t->network);
  choice_holder_clear(&t->layers);
  choice_holder_clear(&t->loss);
  coh_free(t->block);
  coh_free(t->grads);
  coh_free(t->x);
  coh_free(t->target);
  coh_free(t);
}

static double loss_of(trainer *t) {
  assert_ok(coh_program_run(t->run.program, t->run.workspace));
  return (double)t->loss_value;
}

static void gradients_of_networks_match_differences(void **state) {
  (void)state;
  // smooth layers, so that a difference in single precision means something
  const struct {
    const char *layers, *loss;
    coh_shape input;
    int64_t n_outputs;
  } cases[] = {
      {"[dense: 7, tanh, dense: 5, silu]", "squared", COH_SHAPE(6), 3},
      {"[dense: 9, layer_norm, gelu]", "cross_entropy: 0.1", COH_SHAPE(6), 4},
      {"[conv: 3, softplus, conv: {channels: 4, kernel: 2, stride: 2, padding: same}, elu]",
       "squared", COH_SHAPE(6, 5, 2), 3},
      {"[conv: {channels: 4, kernel: [3, 1]}, mish, avg_pool: {kernel: 2, stride: 1}, "
       "dueling]",
       "bce_with_logits", COH_SHAPE(5, 4, 3), 3},
      {"[conv: {channels: 4, kernel: 2}, sigmoid, max_pool: 2, dense: 4, selu]", "squared",
       COH_SHAPE(5, 5, 1), 2},
      {"[dense: 12, tanh, reshape: [2, 2, 3], conv_transpose: 2, silu, enlarge: 2, conv: "
       "{channels: 2, kernel: 3, padding: same}]",
       "squared", COH_SHAPE(4), 3},
      {"[conv: {channels: 4, kernel: 1}, residual: {body: [silu, conv: {channels: 4, kernel: "
       "3, "
       "padding: same, groups: 2}], shortcut: [conv: {channels: 4, kernel: 1, bias: false}]}, "
       "shrink: {method: binomial}, tanh]",
       "squared", COH_SHAPE(6, 4, 2), 2},
  };
  int64_t live = coh_alloc_live();
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    trainer *t =
        trainer_make(cases[c].layers, cases[c].loss, cases[c].input, BATCH, cases[c].n_outputs);
    coh_stream stream = coh_stream_begin(coh_key_make(2, "data"), (uint32_t)c, 0);
    for (int64_t i = 0; i < t->n_x; i++)
      t->x[i] = (float)coh_stream_normal(&stream);
    for (int64_t i = 0; i < t->n_target; i++)
      t->target[i] = (float)coh_stream_uniform(&stream);
    loss_of(t);
    float *start = coh_alloc_array((size_t)t->n_floats, sizeof *start);
    double *slope = coh_alloc_array((size_t)t->n_floats, sizeof *slope);
    double norm = 0;
    memcpy(start, t->block, (size_t)t->n_floats * sizeof *start);
    for (int64_t i = 0; i < t->n_floats; i++) {
      slope[i] = t->grads[i];
      norm += slope[i] * slope[i];
    }
    norm = sqrt(norm);
    assert_true(norm > 1e-3);
    // along the gradient, then along random directions, parameter by parameter
    int64_t n = coh_graph_n_parameters(t->graph);
    for (int64_t d = -1; d < n; d++) {
      double expected = 0, difference = 0;
      const double h = 4e-3;
      for (int sign = -1; sign <= 1; sign += 2) {
        coh_stream direction = coh_stream_begin(coh_key_make(3, "direction"), (uint32_t)c, 9);
        memcpy(t->block, start, (size_t)t->n_floats * sizeof *start);
        expected = 0;
        for (int64_t k = 0; k < n; k++) {
          coh_parameter_view view = coh_graph_parameter_at(t->graph, k);
          if (d >= 0 && k != d) continue;
          for (int64_t i = view.offset; i < view.offset + view.count; i++) {
            double step = d < 0 ? slope[i] / norm
                                : coh_stream_normal(&direction) / sqrt((double)view.count);
            t->block[i] += (float)(sign * h * step);
            expected += slope[i] * step;
          }
        }
        difference += sign * loss_of(t) / (2 * h);
      }
      if (!(fabs(difference - expected) < 1e-3 * norm + 5e-5))
        fail_msg("%s: direction %lld: gradient %g, difference %g, norm %g", cases[c].layers,
                 (long long)d, expected, difference, norm);
    }
    coh_free(start);
    coh_free(slope);
    trainer_destroy(t);
  }
  assert_int_equal(coh_alloc_live(), live);
}

static void train(trainer *t, const char *optimizer, int n_steps) {
  choice_holder holder = {0};
  coh_optimizer *o = NULL;
  assert_ok(choice_from(&coh_optimizer_kinds, optimizer, false, &holder));
  assert_ok(coh_optimizer_create(&holder.one, t->n_floats, &o));
  int64_t allocations = coh_alloc_total();
  for (int step = 0; step < n_steps; step++) {
    loss_of(t);
    assert_ok(coh_optimizer_step(o, t->block, t->grads, 1));
  }
  assert_int_equal(coh_alloc_total(), allocations);
  coh_optimizer_destroy(&o);
  choice_holder_clear(&holder);
}

static void least_squares_finds_the_weights_that_made_the_data(void **state) {
  (void)state;
  enum { N_ROWS = 64, N_IN = 3, N_OUT = 2 };
  static const float weight[N_IN][N_OUT] = {{1, -2}, {0.5f, 3}, {-1.5f, 0.25f}},
                     bias[N_OUT] = {0.75f, -1};
  trainer *t = trainer_make("[]", "squared", COH_SHAPE(N_IN), N_ROWS, N_OUT);
  coh_stream stream = coh_stream_begin(coh_key_make(4, "data"), 0, 0);
  for (int64_t i = 0; i < t->n_x; i++)
    t->x[i] = (float)coh_stream_normal(&stream);
  for (int row = 0; row < N_ROWS; row++)
    for (int o = 0; o < N_OUT; o++) {
      t->target[row * N_OUT + o] = bias[o];
      for (int i = 0; i < N_IN; i++)
        t->target[row * N_OUT + o] += t->x[row * N_IN + i] * weight[i][o];
    }
  train(t, "sgd: {learning_rate: 0.3, momentum: 0.5}", 200);
  for (int i = 0; i < N_IN; i++)
    for (int o = 0; o < N_OUT; o++)
      assert_true(fabsf(t->block[i * N_OUT + o] - weight[i][o]) < 1e-4f);
  for (int o = 0; o < N_OUT; o++)
    assert_true(fabsf(t->block[coh_graph_parameter_at(t->graph, 1).offset + o] - bias[o]) <
                1e-4f);
  trainer_destroy(t);
}

static void every_optimizer_learns_exclusive_or(void **state) {
  (void)state;
  static const char *const optimizers[] = {"adam: 0.03", "rmsprop: 0.01",
                                           "rmsprop: {learning_rate: 0.01, centered: true}",
                                           "sgd: {learning_rate: 0.3, momentum: 0.9}", "rprop"};
  static const float corners[8] = {0, 0, 0, 1, 1, 0, 1, 1}, target[4] = {0, 1, 1, 0};
  for (size_t k = 0; k < sizeof optimizers / sizeof *optimizers; k++) {
    trainer *t = trainer_make("[dense: 16, tanh]", "bce_with_logits", COH_SHAPE(2), 4, 1);
    memcpy(t->x, corners, sizeof corners);
    memcpy(t->target, target, sizeof target);
    train(t, optimizers[k], 800);
    double loss = loss_of(t);
    if (!(loss < 0.02)) fail_msg("%s: loss %g", optimizers[k], loss);
    trainer_destroy(t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gradients_of_networks_match_differences),
      cmocka_unit_test(least_squares_finds_the_weights_that_made_the_data),
      cmocka_unit_test(every_optimizer_learns_exclusive_or),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
