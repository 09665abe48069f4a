/* Student's intervals against published quantiles and a case worked by hand. */
#include <math.h>

#include "cohort_test.h"
#include "task/mean_interval.h"

static void student_quantiles_are_the_published_ones(void **state) {
  (void)state;
  assert_within(coh_student_quantile(1), 12.706, 1e-9);
  assert_within(coh_student_quantile(2), 4.303, 1e-9);
  assert_within(coh_student_quantile(9), 2.262, 1e-9);
  assert_within(coh_student_quantile(30), 2.042, 1e-9);
  assert_within(coh_student_quantile(60), 2.000, 1e-3);
  assert_within(coh_student_quantile(120), 1.980, 1e-3);
  assert_true(isnan(coh_student_quantile(0)));
}

static void an_interval_is_the_one_worked_by_hand(void **state) {
  (void)state;
  const double values[] = {1, 2, 3};
  double mean, low, high;
  // deviation 1, two degrees of freedom
  coh_mean_interval(3, 1, values, &mean, &low, &high);
  assert_within(mean, 2, 1e-12);
  assert_within(high - mean, 4.303 / sqrt(3), 1e-9);
  assert_within(mean - low, 4.303 / sqrt(3), 1e-9);
  coh_mean_interval(1, 1, values, &mean, &low, &high);
  assert_true(low == 1 && mean == 1 && high == 1);
  const double apart[] = {1, 9, 2, 9, 3};
  coh_mean_interval(3, 2, apart, &mean, &low, &high);
  assert_within(mean, 2, 1e-12);
  assert_within(high - mean, 4.303 / sqrt(3), 1e-9);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(student_quantiles_are_the_published_ones),
      cmocka_unit_test(an_interval_is_the_one_worked_by_hand),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
