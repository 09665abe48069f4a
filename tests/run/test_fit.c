/* Curves of loss whose verdict is known, and Student's quantile against published tables. */
#include "cohort_test.h"

#include <string.h>

#include "run/fit.h"

enum { N = 20 };

static coh_fit judge(const double *train, const double *held_out, int64_t n) {
  double step[N];
  for (int i = 0; i < N; i++)
    step[i] = 100 * (i + 1);
  return coh_fit_judge(&(coh_fit_curves){step, train, held_out, n});
}

static void fit_names_overfitting_and_where_it_begins(void **state) {
  (void)state;
  double train[N], held_out[N]; // training falls for ever, the others turn at the eighth
  for (int i = 0; i < N; i++) {
    train[i] = 1.0 / (i + 1);
    held_out[i] = 0.5 + 0.01 * (i - 7) * (i - 7);
  }
  coh_fit fit = judge(train, held_out, N);
  assert_int_equal(fit.kind, COH_FIT_OVER);
  assert_within(fit.lowest_at, 800, 0);
  assert_within(fit.lowest, 0.5, 1e-15);
  assert_within(fit.last, 0.5 + 0.01 * (11 * 11 + 12 * 12) / 2, 1e-12);
  char text[400];
  coh_fit_describe(&fit, "updates", text);
  assert_non_null(strstr(text, "Overfitting from update 800"));
}

static void fit_names_underfitting(void **state) {
  (void)state;
  double train[N], held_out[N];
  for (int i = 0; i < N; i++)
    train[i] = 2 - 0.04 * i, held_out[i] = 1.01 * train[i];
  assert_int_equal(judge(train, held_out, N).kind, COH_FIT_UNDER);
}

static void fit_is_content_with_a_plateau_and_with_noise(void **state) {
  (void)state;
  double train[N], held_out[N];
  for (int i = 0; i < N; i++) {
    train[i] = 0.3 + exp(-i);
    held_out[i] = 0.4 + exp(-i) + (i % 2 ? 0.005 : -0.005);
  }
  assert_int_equal(judge(train, held_out, N).kind, COH_FIT_GOOD);
  // both losses rise: that is divergence, not overfitting
  for (int i = 0; i < N; i++)
    train[i] = 0.3 + 0.1 * i, held_out[i] = 0.3 + 0.1 * i;
  assert_int_not_equal(judge(train, held_out, N).kind, COH_FIT_OVER);
  assert_int_equal(judge(train, held_out, 2).kind, COH_FIT_UNKNOWN);
  char text[400];
  coh_fit none = {0};
  coh_fit_describe(&none, "updates", text);
  assert_string_equal(text, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fit_names_overfitting_and_where_it_begins),
      cmocka_unit_test(fit_names_underfitting),
      cmocka_unit_test(fit_is_content_with_a_plateau_and_with_noise),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
