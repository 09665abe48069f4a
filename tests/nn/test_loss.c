/* Losses against closed forms of their values and gradients. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "choice_text.h"
#include "cohort/nn.h"
#include "graph_run.h"

enum { ROWS = 6, WIDTH = 3, N = ROWS * WIDTH };

typedef struct loss_result {
  float loss[ROWS], gradient[N], target_gradient[N];
} loss_result;

// per-row losses of a (ROWS) or (ROWS, WIDTH) prediction, and the gradients of their sum
static loss_result evaluate(const char *config, int rank, const float *prediction,
                            const float *target) {
  loss_result result;
  float x[N], t[N];
  memcpy(x, prediction, sizeof(float) * (rank == 1 ? ROWS : N));
  memcpy(t, target, sizeof(float) * (rank == 1 ? ROWS : N));
  choice_holder holder = {0};
  coh_graph *graph = NULL;
  assert_ok(choice_from(&coh_loss_kinds, config, false, &holder));
  assert_ok(coh_graph_create(&graph));
  coh_shape shape = rank == 1 ? COH_SHAPE(ROWS) : COH_SHAPE(ROWS, WIDTH);
  coh_value in[2] = {coh_graph_input(graph, "prediction", shape),
                     coh_graph_input(graph, "target", shape)};
  coh_value per_row, gradient[2];
  assert_ok(coh_loss_build(&holder.one, graph, in[0], in[1], &per_row));
  assert_true(coh_shape_equal(coh_graph_shape(graph, per_row), COH_SHAPE(ROWS)));
  assert_ok(coh_gradient(graph, coh_op_sum_all(graph, per_row), in, 2, gradient));
  graph_run_once(graph, NULL, (graph_io[]){{in[0], x}, {in[1], t}}, 2,
                 (graph_io[]){{per_row, result.loss},
                              {gradient[0], result.gradient},
                              {gradient[1], result.target_gradient}},
                 3);
  for (int i = 0; i < (rank == 1 ? ROWS : N); i++)
    assert_true(result.target_gradient[i] == 0);
  coh_graph_destroy(&graph);
  choice_holder_clear(&holder);
  return result;
}

#define assert_near(a, b) assert_true(fabs((double)(a) - (b)) < 2e-6 * (1 + fabs(b)))

static const float zeros[N];
static const float errors[ROWS] = {-4, -1, -0.5f, 0, 1.5f, 3};

static void huber_is_a_parabola_and_two_lines(void **state) {
  (void)state;
  for (int k = 0; k < 2; k++) {
    double delta = k ? 2 : 1;
    loss_result r = evaluate(k ? "huber: 2" : "huber", 1, errors, zeros);
    for (int i = 0; i < ROWS; i++) {
      double e = errors[i], a = fabs(e);
      assert_near(r.loss[i], a <= delta ? e * e / 2 : delta * (a - delta / 2));
      assert_near(r.gradient[i], fmin(fmax(e, -delta), delta));
    }
  }
}

static void squared_is_the_square_and_averages_a_row(void **state) {
  (void)state;
  loss_result r = evaluate("squared", 1, errors, zeros);
  for (int i = 0; i < ROWS; i++) {
    assert_near(r.loss[i], (double)errors[i] * (double)errors[i]);
    assert_near(r.gradient[i], 2 * (double)errors[i]);
  }
  float x[N];
  for (int i = 0; i < N; i++)
    x[i] = (float)i;
  r = evaluate("squared", 2, x, zeros);
  for (int i = 0; i < ROWS; i++) {
    double sum = 0;
    for (int j = 0; j < WIDTH; j++)
      sum += (double)x[WIDTH * i + j] * (double)x[WIDTH * i + j];
    assert_near(r.loss[i], sum / WIDTH);
  }
}

static void cross_entropy_is_its_sum_with_smoothing(void **state) {
  (void)state;
  static const float logits[N] = {0, 0, 0,   1,   2,    3,   -1, 4, 0.5f,
                                  9, 9, -90, 100, -100, 0.f, 2,  2, 1};
  float target[N] = {0};
  for (int i = 0; i < ROWS; i++)
    target[WIDTH * i + i % WIDTH] = 1;
  for (int k = 0; k < 2; k++) {
    double smoothing = k ? 0.1 : 0;
    loss_result r = evaluate(k ? "cross_entropy: 0.1" : "cross_entropy", 2, logits, target);
    for (int i = 0; i < ROWS; i++) {
      const float *x = logits + WIDTH * i, *t = target + WIDTH * i;
      double top = fmax(x[0], fmax(x[1], x[2])), sum = 0, loss = 0;
      for (int j = 0; j < WIDTH; j++)
        sum += exp(x[j] - top);
      for (int j = 0; j < WIDTH; j++) {
        double smooth = (1 - smoothing) * t[j] + smoothing / WIDTH;
        loss -= smooth * (x[j] - top - log(sum));
        assert_near(r.gradient[WIDTH * i + j], exp(x[j] - top) / sum - smooth);
      }
      assert_near(r.loss[i], loss);
    }
  }
}

static void bce_with_logits_neither_overflows_nor_cancels(void **state) {
  (void)state;
  static const float logits[ROWS] = {-200, -2, 0, 1, 30, 200};
  static const float target[ROWS] = {0, 1, 0.5f, 0.25f, 0, 1};
  loss_result r = evaluate("bce_with_logits", 1, logits, target);
  for (int i = 0; i < ROWS; i++) {
    double x = logits[i], t = target[i], s = 1 / (1 + exp(-x));
    double log_one = -log1p(exp(-fabs(x))) + fmin(x, 0); // log s
    assert_near(r.loss[i], -t * log_one - (1 - t) * (log_one - x));
    assert_near(r.gradient[i], s - t);
  }
}

static void shapes_that_do_not_fit_are_refused(void **state) {
  (void)state;
  choice_holder huber = {0}, entropy = {0};
  coh_graph *graph = NULL;
  coh_value out;
  assert_ok(choice_from(&coh_loss_kinds, "huber", false, &huber));
  assert_ok(choice_from(&coh_loss_kinds, "cross_entropy", false, &entropy));
  assert_ok(coh_graph_create(&graph));
  coh_value a = coh_graph_input(graph, "a", COH_SHAPE(4)),
            b = coh_graph_input(graph, "b", COH_SHAPE(4, 1));
  assert_fails(coh_loss_build(&huber.one, graph, a, b, &out), COH_E_CONFIG,
               "loss huber: predictions 4 and targets 4 x 1 differ in shape");
  assert_fails(coh_loss_build(&entropy.one, graph, a, a, &out), COH_E_CONFIG,
               "loss cross_entropy: needs a rank of at least 2, not 1");
  coh_graph_destroy(&graph);
  choice_holder_clear(&huber);
  choice_holder_clear(&entropy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(huber_is_a_parabola_and_two_lines),
      cmocka_unit_test(squared_is_the_square_and_averages_a_row),
      cmocka_unit_test(cross_entropy_is_its_sum_with_smoothing),
      cmocka_unit_test(bce_with_logits_neither_overflows_nor_cancels),
      cmocka_unit_test(shapes_that_do_not_fit_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
