/* Linear programs with solutions known by hand. */
#include "cohort_test.h"

#include <string.h>

#include "la/linear_program.h"

// Dantzig's classroom example: 3x + 5y, x <= 4, 2y <= 12, 3x + 2y <= 18: 36 at (2, 6)
static void the_textbook_example_is_solved(void **state) {
  (void)state;
  if (!coh_linear_program_available()) skip();
  double objective[] = {3, 5}, low[] = {0, 0}, high[] = {INFINITY, INFINITY};
  double row_low[] = {-INFINITY, -INFINITY, -INFINITY}, row_high[] = {4, 12, 18};
  int64_t first[] = {0, 1, 2, 4};
  int32_t variable[] = {0, 1, 0, 1};
  double factor[] = {1, 2, 3, 2}, x[2], best;
  coh_linear_program program = {2,       3,        objective, low,      high,
                                row_low, row_high, first,     variable, factor};
  assert_ok(coh_linear_program_solve(&program, x, &best, NULL));
  assert_within(best, 36, 1e-9);
  assert_within(x[0], 2, 1e-9);
  assert_within(x[1], 6, 1e-9);
}

static void no_point_and_no_bound_are_said(void **state) {
  (void)state;
  if (!coh_linear_program_available()) skip();
  double objective[] = {1}, low[] = {0}, high[] = {INFINITY};
  double row_low[] = {-INFINITY}, row_high[] = {-1}, factor[] = {1}, x[1], best;
  int64_t first[] = {0, 1};
  int32_t variable[] = {0};
  coh_linear_program program = {1,       1,        objective, low,      high,
                                row_low, row_high, first,     variable, factor};
  assert_fails(coh_linear_program_solve(&program, x, &best, NULL), COH_E_DATA, "no solution");
  row_low[0] = 0, row_high[0] = INFINITY;
  assert_fails(coh_linear_program_solve(&program, x, &best, NULL), COH_E_DATA, "unbounded");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_textbook_example_is_solved),
      cmocka_unit_test(no_point_and_no_bound_are_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
