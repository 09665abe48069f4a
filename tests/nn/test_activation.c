/* Every activation of the registry: the graph's value and gradient against the descriptor's
 * formulas in double precision, those against each other and against known values, ranges. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "choice_text.h"
#include "graph_run.h"
#include "nn/activation_type.h"

enum { N_GRID = 961, N_FAR = 6, N = N_GRID + N_FAR };

static const char *const optioned[] = {"leaky_relu: 0.2", "leaky_relu: 0", "elu: 0.5"};
enum { N_OPTIONED = sizeof optioned / sizeof *optioned };

static int64_t n_subjects(void) {
  return coh_activation_kinds.n_kinds + N_OPTIONED;
}

static const char *subject(int64_t k) {
  int64_t n = coh_activation_kinds.n_kinds;
  return k < n ? coh_activation_kinds.kinds[k]->name : optioned[k - n];
}

// -12 to 12 in steps of 1/40, with 0 and the kinks at 1 and 3 among them, then far out
static void grid(float x[N]) {
  static const float far_out[N_FAR] = {-1e4f, -88, -40, 40, 88, 1e4f};
  for (int i = 0; i < N_GRID; i++)
    x[i] = (float)(i - N_GRID / 2) / 40;
  memcpy(x + N_GRID, far_out, sizeof far_out);
}

static void values_and_gradients_follow_the_formulas(void **state) {
  (void)state;
  int64_t live = coh_alloc_live();
  static float x[N], y[N], dx[N];
  grid(x);
  for (int64_t k = 0; k < n_subjects(); k++) {
    choice_holder holder = {0};
    coh_graph *graph = NULL;
    assert_ok(choice_from(&coh_activation_kinds, subject(k), false, &holder));
    const coh_activation_type *type = (const void *)holder.one.kind;
    assert_ok(coh_graph_create(&graph));
    coh_value in = coh_graph_input(graph, "x", COH_SHAPE(N)), gradient;
    // twice the activation: linear would otherwise make the input its own output
    coh_value out = coh_op_scale(graph, type->apply(holder.one.options, graph, in), 2);
    assert_ok(coh_gradient(graph, coh_op_sum_all(graph, out), &in, 1, &gradient));
    graph_run_once(graph, NULL, &(graph_io){in, x}, 1, (graph_io[]){{out, y}, {gradient, dx}},
                   2);
    for (int i = 0; i < N; i++) {
      y[i] /= 2;
      dx[i] /= 2;
      double value = coh_activation_value(&holder.one, x[i]);
      double slope = coh_activation_derivative(&holder.one, x[i]);
      if (!(fabs(y[i] - value) <= 1e-6 * (1 + fabs(value))))
        fail_msg("%s(%g) = %.9g, formula %.9g", subject(k), (double)x[i], (double)y[i], value);
      if (!(fabs(dx[i] - slope) <= 4e-6))
        fail_msg("%s'(%g) = %.9g, formula %.9g", subject(k), (double)x[i], (double)dx[i],
                 slope);
    }
    coh_graph_destroy(&graph);
    choice_holder_clear(&holder);
  }
  assert_int_equal(coh_alloc_live(), live);
}

static void derivatives_are_those_of_the_values(void **state) {
  (void)state;
  const double h = 1e-6;
  for (int64_t k = 0; k < n_subjects(); k++) {
    choice_holder holder = {0};
    assert_ok(choice_from(&coh_activation_kinds, subject(k), false, &holder));
    for (int i = 0; i < 2001; i++) {
      double x = -10 + 0.01 * i + 0.0037; // off the kinks
      double difference = (coh_activation_value(&holder.one, x + h) -
                           coh_activation_value(&holder.one, x - h)) /
                          (2 * h);
      double slope = coh_activation_derivative(&holder.one, x);
      if (!(fabs(difference - slope) < 1e-7))
        fail_msg("%s'(%g) = %g, difference %g", subject(k), x, slope, difference);
    }
    choice_holder_clear(&holder);
  }
}

static void values_fill_their_range(void **state) {
  (void)state;
  for (int64_t k = 0; k < n_subjects(); k++) {
    choice_holder holder = {0};
    assert_ok(choice_from(&coh_activation_kinds, subject(k), false, &holder));
    coh_activation_facts facts = coh_activation_describe(&holder.one);
    assert_true(facts.formula && facts.derivative && facts.low < facts.high);
    double low = INFINITY, high = -INFINITY;
    for (int i = -400000; i <= 400000; i++) {
      double y = coh_activation_value(&holder.one, i * 1e-4);
      low = fmin(low, y);
      high = fmax(high, y);
    }
    // never outside, and as near to finite ends as the grid allows
    assert_true(low >= facts.low - 1e-15 && high <= facts.high + 1e-15);
    if (isfinite(facts.low) ? low > facts.low + 1e-8 : low > -0.3)
      fail_msg("%s reaches %.17g, not %.17g", subject(k), low, facts.low);
    if (isfinite(facts.high) ? high < facts.high - 1e-8 : high < 39)
      fail_msg("%s reaches %.17g, not %.17g", subject(k), high, facts.high);
    choice_holder_clear(&holder);
  }
}

static void known_values_are_met(void **state) {
  (void)state;
  static const struct {
    const char *name;
    double x, value;
  } known[] = {
      {"gelu", 1, 0.8413447460685429},
      {"silu", 1, 0.7310585786300049},
      {"mish", 1, 0.8650983882673103},
      {"selu", -1, -1.1113307378125625},
      {"elu", -1, -0.6321205588285577},
      {"softplus", 0, 0.6931471805599453},
      {"hard_swish", 1, 2.0 / 3},
      {"hard_sigmoid", 1, 2.0 / 3},
      {"hard_tanh", -7, -1},
      {"sigmoid", 2, 0.8807970779778823},
      {"tanh", 0.5, 0.46211715726000973},
      {"leaky_relu", -2, -0.02},
      {"relu", -2, 0},
      {"linear", -2, -2},
  };
  for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
    choice_holder holder = {0};
    assert_ok(choice_from(&coh_activation_kinds, known[k].name, false, &holder));
    double value = coh_activation_value(&holder.one, known[k].x);
    if (fabs(value - known[k].value) > 1e-14)
      fail_msg("%s(%g) = %.17g, known %.17g", known[k].name, known[k].x, value, known[k].value);
    choice_holder_clear(&holder);
  }
}

static void every_activation_is_a_layer(void **state) {
  (void)state;
  for (int64_t k = 0; k < coh_activation_kinds.n_kinds; k++)
    assert_ptr_equal(coh_kind_find(&coh_layer_kinds, coh_activation_kinds.kinds[k]->name),
                     coh_activation_kinds.kinds[k]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_and_gradients_follow_the_formulas),
      cmocka_unit_test(derivatives_are_those_of_the_values),
      cmocka_unit_test(values_fill_their_range),
      cmocka_unit_test(known_values_are_met),
      cmocka_unit_test(every_activation_is_a_layer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
