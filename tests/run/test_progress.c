/* The progress line: formats, widths, and that updating allocates nothing. */
#include "scratch.h"

#include <fcntl.h>

#include "run/progress.h"

static void expect_count(double value, const char *expected) {
  char text[16];
  coh_progress_count(value, text);
  assert_string_equal(text, expected);
}

static void expect_time(double seconds, const char *expected) {
  char text[16];
  coh_progress_time(seconds, text);
  assert_string_equal(text, expected);
}

static void progress_formats_are_short(void **state) {
  (void)state;
  expect_count(0, "0");
  expect_count(7, "7");
  expect_count(2.5, "2.5");
  expect_count(999, "999");
  expect_count(1000, "1.00k");
  expect_count(12345, "12.3k");
  expect_count(999600, "1.00M");
  expect_count(5e6, "5.00M");
  expect_count(123e9, "123G");
  expect_time(0, "0:00");
  expect_time(245, "4:05");
  expect_time(3723, "1:02:03");
  expect_time(1e6, "11d 13h");
  expect_time(1e30, "999d 00h");
  expect_time(-5, "0:00");
}

static coh_progress sample(void) {
  return (coh_progress){.label = "dqn-minatar-breakout",
                        .unit = "steps",
                        .total = 5000000,
                        .done = 1250000,
                        .rate = 12345,
                        .begun = 0};
}

static const coh_metric metrics[3] = {
    {"eval/return", 11.25}, {"train/loss", 0.03125}, {"epsilon", 0.1}};

static void progress_line_fits_every_width(void **state) {
  (void)state;
  coh_progress p = sample();
  char text[COH_PROGRESS_BYTES];
  for (int columns = 20; columns <= 300; columns++)
    assert_in_range(coh_progress_line(&p, 100, columns, metrics, 3, text), 1, columns);
  coh_progress_line(&p, 100, 0, metrics, 3, text);
  assert_string_equal(text,
                      "dqn-minatar-breakout   25%  1.25M/5.00M steps  12.3k steps/s  5:04 left"
                      "  return 11.2  loss 0.0312  epsilon 0.1");
  p.total = 0;
  coh_progress_line(&p, 100, 0, NULL, 0, text);
  assert_string_equal(text, "dqn-minatar-breakout  1.25M steps  12.3k steps/s  in 1:40");
}

static void progress_in_a_log_is_rare_and_plain(void **state) {
  (void)state;
  int file = open("log", O_WRONLY | O_CREAT, 0600);
  coh_progress p;
  int64_t before = coh_alloc_total();
  coh_progress_begin(&p, file, "run", "steps", 0, 1000);
  for (int i = 0; i < 1000; i++)
    coh_progress_update(&p, i, metrics, 3);
  coh_progress_clear(&p);
  p.done = 1000;
  coh_progress_end(&p, metrics, 3);
  assert_int_equal(coh_alloc_total(), before);
  close(file);
  char *text = scratch_read("log", NULL);
  assert_null(strchr(text, '\033'));
  assert_null(strchr(text, '\r'));
  assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); // one line: the last
  assert_non_null(strstr(text, "run  100%  1.00k/1.00k steps"));
  coh_free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(progress_formats_are_short),
      cmocka_unit_test(progress_line_fits_every_width),
      cmocka_unit_test(progress_in_a_log_is_rare_and_plain),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
