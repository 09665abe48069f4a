/* L-BFGS on problems whose minima are known. */
#include "cohort_test.h"

#include <stdbool.h>
#include <string.h>

#include "la/lbfgs.h"

enum { N = 20 };

static double rosenbrock(const double *x, double *gradient) {
  double f = 0;
  memset(gradient, 0, N * sizeof *gradient);
  for (int i = 0; i + 1 < N; i++) {
    double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
    f += 100 * a * a + b * b;
    gradient[i] += -400 * a * x[i] - 2 * b;
    gradient[i + 1] += 200 * a;
  }
  return f;
}

static void rosenbrock_is_solved(void **state) {
  (void)state;
  coh_lbfgs *lbfgs = NULL;
  double x[N], gradient[N];
  for (int i = 0; i < N; i++)
    x[i] = i % 2 ? 1 : -1.2;
  assert_ok(coh_lbfgs_create(N, 8, 0, &lbfgs));
  coh_lbfgs_event event = COH_LBFGS_MOVED;
  int n = 0;
  for (; event != COH_LBFGS_DONE && n < 400; n++) {
    double f = rosenbrock(x, gradient);
    assert_ok(coh_lbfgs_advance(lbfgs, f, gradient, 1e-9, x, &event));
  }
  assert_int_equal(event, COH_LBFGS_DONE);
  for (int i = 0; i < N; i++)
    assert_within(x[i], 1, 1e-8);
  coh_lbfgs_destroy(&lbfgs);
}

// sum (x_i - c_i)^2 a_i / 2 + l1 |x|: soft thresholding by l1 / a_i
static void l1_gives_soft_thresholds(void **state) {
  (void)state;
  coh_lbfgs *lbfgs = NULL;
  double x[N] = {0}, gradient[N], l1 = 0.7;
  assert_ok(coh_lbfgs_create(N, 5, l1, &lbfgs));
  coh_lbfgs_event event = COH_LBFGS_MOVED;
  for (int n = 0; event != COH_LBFGS_DONE && n < 500; n++) {
    double f = 0;
    for (int i = 0; i < N; i++) {
      double a = 1 + i, c = 0.3 * (i - 10);
      f += a * (x[i] - c) * (x[i] - c) / 2;
      gradient[i] = a * (x[i] - c);
    }
    assert_ok(coh_lbfgs_advance(lbfgs, f, gradient, 1e-9, x, &event));
  }
  assert_int_equal(event, COH_LBFGS_DONE);
  for (int i = 0; i < N; i++) {
    double a = 1 + i, c = 0.3 * (i - 10), t = l1 / a;
    double wanted = c > t ? c - t : c < -t ? c + t : 0;
    assert_within(x[i], wanted, 1e-8);
    if (wanted == 0) assert_true(x[i] == 0);
  }
  coh_lbfgs_destroy(&lbfgs);
}

static void a_saved_state_goes_on_alike(void **state) {
  (void)state;
  coh_lbfgs *lbfgs[2] = {NULL, NULL};
  double x[2][N], gradient[N];
  coh_lbfgs_event event;
  assert_ok(coh_lbfgs_create(N, 4, 0, &lbfgs[0]));
  assert_ok(coh_lbfgs_create(N, 4, 0, &lbfgs[1]));
  memset(x, 0, sizeof x);
  for (int n = 0; n < 60; n++) {
    double f = rosenbrock(x[0], gradient);
    assert_ok(coh_lbfgs_advance(lbfgs[0], f, gradient, 1e-12, x[0], &event));
    if (n == 25) {
      int64_t size;
      double *from = coh_lbfgs_state(lbfgs[0], &size), *to = coh_lbfgs_state(lbfgs[1], &size);
      memcpy(to, from, (size_t)size * sizeof *to);
      memcpy(x[1], x[0], sizeof x[1]);
    } else if (n > 25) {
      f = rosenbrock(x[1], gradient);
      assert_ok(coh_lbfgs_advance(lbfgs[1], f, gradient, 1e-12, x[1], &event));
      assert_memory_equal(x[0], x[1], sizeof x[0]);
    }
  }
  coh_lbfgs_destroy(&lbfgs[0]);
  coh_lbfgs_destroy(&lbfgs[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rosenbrock_is_solved),
      cmocka_unit_test(l1_gives_soft_thresholds),
      cmocka_unit_test(a_saved_state_goes_on_alike),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
