/* Reports: everything escaped, everything inside, written whole. */
#include "scratch.h"

#include "io/image.h"
#include "run/report.h"

static char *page_of(coh_report **report) {
  assert_ok(coh_report_end(report, "report.html"));
  assert_null(*report);
  return scratch_read("report.html", NULL);
}

static coh_report *begin(const char *title) {
  coh_report *report;
  coh_report_head head = {.title = title, .task = "dqn", .status = "finished"};
  assert_ok(coh_report_begin(&head, &report));
  return report;
}

static void report_escapes_every_text(void **state) {
  (void)state;
  static const char evil[] = "<script>alert('x')</script> & \"y\"\x01";
  static const char escaped[] =
      "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;";
  coh_report *report = begin(evil);
  coh_report_number(report, evil, evil, evil);
  coh_report_section(report, evil);
  coh_report_text(report, evil);
  coh_report_warning(report, evil);
  const char *cells[2] = {evil, NULL};
  coh_report_table(report, evil, cells, cells, 1, 2);
  coh_report_listing(report, evil, evil, 1);
  scratch_write("x.png", "foobar", 6);
  coh_report_picture picture = {.path = "x.png", .caption = evil};
  assert_ok(coh_report_figure(report, &picture));
  char *page = page_of(&report);
  assert_null(strstr(page, "<script"));
  assert_null(strchr(page, 1));
  int n = 0;
  for (const char *at = page; (at = strstr(at, escaped)); at++)
    n++;
  assert_int_equal(n, 15);
  assert_non_null(strstr(page, "data:image/png;base64,Zm9vYmFy\"")); // RFC 4648
  coh_free(page);
}

static void report_needs_nothing_else(void **state) {
  (void)state;
  coh_report *report = begin("t");
  coh_report_picture missing = {.path = "absent.svg", .caption = "c"};
  assert_ok(coh_report_figure(report, &missing));
  char *page = page_of(&report);
  assert_non_null(strstr(page, "could not be read"));
  assert_null(strstr(page, "http"));
  assert_null(strstr(page, "src=\"absent"));
  assert_non_null(strstr(page, "</html>"));
  coh_free(page);
}

static void report_widens_a_lonely_half_figure(void **state) {
  (void)state;
  coh_report *report = begin("t");
  scratch_write("a.svg", "<svg/>", 6);
  coh_report_picture half = {.path = "a.svg", .half = 1}, whole = {.path = "a.svg"};
  assert_ok(coh_report_figure(report, &half));
  assert_ok(coh_report_figure(report, &half));
  assert_ok(coh_report_figure(report, &half));
  assert_ok(coh_report_figure(report, &whole));
  assert_ok(coh_report_figure(report, &half));
  char *page = page_of(&report);
  int n_half = 0, n_wide = 0;
  for (const char *at = page; (at = strstr(at, "\"half chart\"")); at++)
    n_half++;
  for (const char *at = page; (at = strstr(at, "\"wide chart\"")); at++)
    n_wide++;
  assert_int_equal(n_half, 2);
  assert_int_equal(n_wide, 2);
  coh_free(page);
}

static void report_enlarges_small_game_frames(void **state) {
  (void)state;
  coh_report *report = begin("t");
  coh_image image;
  assert_ok(coh_image_make(84, 10, 3, &image));
  assert_ok(coh_png_write("frame.png", &image));
  coh_image_clear(&image);
  coh_report_picture picture = {.path = "frame.png", .pixelated = 1};
  assert_ok(coh_report_figure(report, &picture));
  char *page = page_of(&report);
  assert_non_null(strstr(page, " width=\"336\"")); // four times 84
  coh_free(page);
}

static void report_sets_numbers_flush_right(void **state) {
  (void)state;
  coh_report *report = begin("t");
  static const char *const header[2] = {"name", "value"};
  static const char *const cells[4] = {"a", "-1.5", "b", "12%"};
  coh_report_table(report, NULL, header, cells, 2, 2);
  char *page = page_of(&report);
  assert_non_null(strstr(page, "<td>a</td><td class=\"right\">-1.5</td>"));
  assert_non_null(strstr(page, "<th class=\"right\">value</th>"));
  coh_free(page);
}

static void report_that_cannot_be_written_says_so(void **state) {
  (void)state;
  coh_report *report = begin("t");
  assert_fails(coh_report_end(&report, "no/where/report.html"), COH_E_IO, "no/where");
  assert_null(report);
  coh_report_discard(&report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(report_escapes_every_text),
      cmocka_unit_test(report_needs_nothing_else),
      cmocka_unit_test(report_widens_a_lonely_half_figure),
      cmocka_unit_test(report_enlarges_small_game_frames),
      cmocka_unit_test(report_sets_numbers_flush_right),
      cmocka_unit_test(report_that_cannot_be_written_says_so),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
