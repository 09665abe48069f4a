/* Strict conversions: what must be read, and above all what must be refused. */
#include "cohort_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

static void numbers_are_read_whole_or_not_at_all(void **state) {
  (void)state;
  int64_t whole;
  double real;
  assert_true(coh_text_to_int("-12", &whole) && whole == -12);
  assert_true(coh_text_to_int("5_000_000", &whole) && whole == 5000000);
  static const char *const not_int[] = {"",     "32abc", " 3",  "3 ",
                                        "0x10", "1.0",   "1e3", "_1",
                                        "1_",   "1__0",  "-",   "9223372036854775808",
                                        "nan"};
  for (size_t i = 0; i < sizeof not_int / sizeof *not_int; i++)
    assert_false(coh_text_to_int(not_int[i], &whole));
  assert_true(coh_text_to_real("1e-3", &real) && real == 1e-3);
  assert_true(coh_text_to_real(".5", &real) && real == 0.5);
  static const char *const not_real[] = {"",      "nan",   "inf", "-inf", "1e-3x", "1,5",
                                         "0x1p3", "1e999", ".",   "e5",   "1 2"};
  for (size_t i = 0; i < sizeof not_real / sizeof *not_real; i++)
    assert_false(coh_text_to_real(not_real[i], &real));
}

static void sizes_know_their_units(void **state) {
  (void)state;
  int64_t bytes;
  assert_true(coh_text_to_bytes("512MiB", &bytes) && bytes == 512ll << 20);
  assert_true(coh_text_to_bytes("1.5 GiB", &bytes) && bytes == 3ll << 29);
  assert_true(coh_text_to_bytes("77", &bytes) && bytes == 77);
  assert_false(coh_text_to_bytes("1MB", &bytes));
  assert_false(coh_text_to_bytes("-1", &bytes));
  assert_false(coh_text_to_bytes("99999999TiB", &bytes));
}

static void reals_round_trip_at_their_shortest(void **state) {
  (void)state;
  static const double values[] = {0, 0.1, 1e-3, 1.0 / 3, 2.3e-3, 1e300, -5e-324, 12345678.9};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    char buffer[32];
    coh_text_from_real(values[i], buffer);
    assert_true(strtod(buffer, NULL) == values[i]);
  }
  char buffer[32];
  coh_text_from_real(0.1, buffer);
  assert_string_equal(buffer, "0.1");
}

static void nearest_finds_typos_and_nothing_else(void **state) {
  (void)state;
  static const char *const names[] = {"cartpole", "acrobot", "mountain_car"};
  assert_string_equal(coh_text_nearest("cartpoel", names, 3), "cartpole");
  assert_string_equal(coh_text_nearest("mountaincar", names, 3), "mountain_car");
  assert_null(coh_text_nearest("breakout", names, 3));
  assert_int_equal(coh_text_distance("cartpoel", "cartpole"), 1); // one transposition
  assert_int_equal(coh_text_distance("", "abc"), 3);
  assert_int_equal(coh_text_distance("kitten", "sitting"), 3);
}

static void a_text_grows_and_is_handed_over(void **state) {
  (void)state;
  int64_t live = coh_alloc_live();
  coh_text text = {0};
  for (int i = 0; i < 1000; i++)
    coh_text_add(&text, "%d,", i % 10);
  char *out = NULL;
  assert_ok(coh_text_take(&text, &out));
  assert_int_equal(strlen(out), 2000);
  coh_free(out);
  assert_ok(coh_text_take(&text, &out));
  assert_string_equal(out, "");
  coh_free(out);
  assert_int_equal(coh_alloc_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
      cmocka_unit_test(sizes_know_their_units),
      cmocka_unit_test(reals_round_trip_at_their_shortest),
      cmocka_unit_test(nearest_finds_typos_and_nothing_else),
      cmocka_unit_test(a_text_grows_and_is_handed_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
