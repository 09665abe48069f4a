/* Initialisers: bounds and moments of their distributions, orthogonality, determinism. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "choice_text.h"
#include "nn/initializer_type.h"

enum { FAN_IN = 288, FAN_OUT = 200, N = FAN_IN * FAN_OUT };

static coh_status fill_with(const char *config, int64_t rows, int64_t columns, uint64_t seed,
                            bool bias, float *data) {
  choice_holder holder = {0};
  assert_ok(choice_from(&coh_initializer_kinds, config, false, &holder));
  const coh_initializer_type *type = (const void *)holder.one.kind;
  coh_stream stream = coh_stream_begin(coh_key_make(seed, "init"), 0, 0);
  coh_fill fill = {.data = data,
                   .n = bias ? columns : rows * columns,
                   .n_rows = bias ? 1 : rows,
                   .n_columns = columns,
                   .fan_in = rows,
                   .fan_out = columns};
  coh_status status = COH_OK;
  if (!bias) status = type->weight(holder.one.options, &fill, &stream);
  if (bias && type->bias) status = type->bias(holder.one.options, &fill, &stream);
  choice_holder_clear(&holder);
  return status;
}

// mean, variance and kurtosis of n draws lie within five standard errors of the distribution's
static void assert_moments(const char *config, const float *x, int64_t n, double variance,
                           bool uniform) {
  double sum = 0, square = 0, fourth = 0, largest = 0;
  for (int64_t i = 0; i < n; i++) {
    double v = x[i];
    sum += v;
    square += v * v;
    fourth += v * v * v * v;
    largest = fmax(largest, fabs(v));
  }
  double kurtosis = uniform ? 1.8 : 3, count = (double)n;
  if (fabs(sum / count) > 5 * sqrt(variance / count)) fail_msg("%s: mean", config);
  if (fabs(square / count / variance - 1) > 5 * sqrt((kurtosis - 1) / count))
    fail_msg("%s: variance %g, not %g", config, square / count, variance);
  // the fourth moment tells a uniform from a normal distribution
  if (fabs(fourth / count / (variance * variance) - kurtosis) > 0.15)
    fail_msg("%s: kurtosis %g", config, fourth / count / (variance * variance));
  if (uniform) {
    double bound = sqrt(3 * variance);
    if (largest > bound * (1 + 1e-6) || largest < bound * 0.999)
      fail_msg("%s: largest %g of %g", config, largest, bound);
  }
}

static void distributions_have_their_moments_and_bounds(void **state) {
  (void)state;
  const double in = FAN_IN, out = FAN_OUT;
  const struct {
    const char *config;
    double variance;
    bool uniform;
  } cases[] = {
      {"pytorch", 1 / in / 3, true},
      {"he_uniform", 2 / in, true},
      {"he_uniform: {slope: 2.23606797749979}", 2 / in / 6, true}, // PyTorch's a = sqrt(5)
      {"he_normal", 2 / in, false},
      {"he_normal: {fan: out}", 2 / out, false},
      {"glorot_uniform", 2 / (in + out), true},
      {"glorot_normal: {gain: 2}", 8 / (in + out), false},
      {"lecun_uniform", 1 / in, true},
      {"lecun_normal", 1 / in, false},
      {"uniform: 0.3", 0.03, true},
      {"normal", 0.0004, false},
  };
  int64_t live = coh_alloc_live();
  float *x = coh_alloc_array(N, sizeof *x);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    assert_ok(fill_with(cases[k].config, FAN_IN, FAN_OUT, 5, false, x));
    assert_moments(cases[k].config, x, N, cases[k].variance, cases[k].uniform);
  }
  assert_ok(fill_with("constant: -1.5", FAN_IN, FAN_OUT, 5, false, x));
  assert_true(x[0] == -1.5f && x[N - 1] == -1.5f);
  assert_ok(fill_with("zeros", FAN_IN, FAN_OUT, 5, false, x));
  assert_true(x[0] == 0 && x[N - 1] == 0);
  coh_free(x);
  assert_int_equal(coh_alloc_live(), live);
}

static void only_pytorch_draws_biases(void **state) {
  (void)state;
  float bias[FAN_OUT] = {0};
  for (int64_t k = 0; k < coh_initializer_kinds.n_kinds; k++) {
    const char *name = coh_initializer_kinds.kinds[k]->name;
    memset(bias, 0, sizeof bias);
    assert_ok(fill_with(name, FAN_IN, FAN_OUT, 5, true, bias));
    float largest = 0;
    for (int i = 0; i < FAN_OUT; i++)
      largest = fmaxf(largest, fabsf(bias[i]));
    double bound = 1 / sqrt(FAN_IN);
    if (strcmp(name, "pytorch") == 0)
      assert_true(largest <= bound * (1 + 1e-6) && largest > 0.9 * bound);
    else
      assert_true(largest == 0);
  }
}

static void orthogonal_matrices_are_orthogonal(void **state) {
  (void)state;
  static const int64_t shapes[][2] = {{48, 20}, {20, 48}, {30, 30}, {7, 1}};
  int64_t live = coh_alloc_live();
  for (int s = 0; s < 4; s++) {
    int64_t rows = shapes[s][0], columns = shapes[s][1];
    float *w = coh_alloc_array((size_t)(rows * columns), sizeof *w);
    assert_ok(fill_with("orthogonal: 1.5", rows, columns, 3, false, w));
    // the shorter side's vectors, in either direction
    bool wide = rows <= columns;
    int64_t n = wide ? rows : columns, length = wide ? columns : rows;
    for (int64_t a = 0; a < n; a++)
      for (int64_t b = 0; b <= a; b++) {
        double dot = 0;
        for (int64_t i = 0; i < length; i++)
          dot += wide ? (double)w[a * columns + i] * (double)w[b * columns + i]
                      : (double)w[i * columns + a] * (double)w[i * columns + b];
        assert_true(fabs(dot - (a == b ? 2.25 : 0)) < 1e-6);
      }
    coh_free(w);
  }
  assert_int_equal(coh_alloc_live(), live);
}

static void draws_are_a_function_of_the_seed(void **state) {
  (void)state;
  static float a[N], b[N];
  for (int64_t k = 0; k < coh_initializer_kinds.n_kinds; k++) {
    const char *name = coh_initializer_kinds.kinds[k]->name;
    if (strcmp(name, "orthogonal") == 0) continue; // large ones take their time
    assert_ok(fill_with(name, FAN_IN, FAN_OUT, 11, false, a));
    assert_ok(fill_with(name, FAN_IN, FAN_OUT, 11, false, b));
    assert_memory_equal(a, b, sizeof a);
    assert_ok(fill_with(name, FAN_IN, FAN_OUT, 12, false, b));
    bool random = strcmp(name, "constant") != 0 && strcmp(name, "zeros") != 0;
    assert_int_equal(memcmp(a, b, sizeof a) != 0, random);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(distributions_have_their_moments_and_bounds),
      cmocka_unit_test(only_pytorch_draws_biases),
      cmocka_unit_test(orthogonal_matrices_are_orthogonal),
      cmocka_unit_test(draws_are_a_function_of_the_seed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
