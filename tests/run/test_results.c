/* Results: what a task says is what a report reads back; a damaged summary is refused. */
#include "scratch.h"

#include "run/results.h"

static void fill(coh_results *results) {
  *results = (coh_results){.active = true};
  coh_results_number(results, "eval_return", 487.25, "487.2", "mean return",
                     "95% \"interval\"");
  coh_results_number(results, "level", NAN, "none", "level", "");
  coh_results_picture(results, "figures/agent.png", "The agent,\nplaying.", true);
  coh_results_text(results, "A sentence with \xc3\xa9 and <tags>.");
  coh_results_warning(results, "A warning.");
  static const char *const header[] = {"method", "sweeps"};
  static const char *const cells[] = {"jacobi", "120", "gauss \"seidel\"", NULL};
  coh_results_table(results, "Methods", header, cells, 2, 2);
}

static void results_come_back_as_they_were(void **state) {
  (void)state;
  coh_results results, read;
  fill(&results);
  assert_ok(coh_folder_make("run/results"));
  assert_ok(coh_results_save(&results, "run"));
  assert_ok(coh_results_load("run", &read));
  assert_string_equal(read.status, "running");
  assert_int_equal(read.n_numbers, 2);
  assert_string_equal(read.number[0].key, "eval_return");
  assert_string_equal(read.number[0].text, "487.2");
  assert_string_equal(read.number[0].label, "mean return");
  assert_string_equal(read.number[0].note, "95% \"interval\"");
  assert_within(coh_results_value(&read, "eval_return"), 487.25, 0);
  assert_true(isnan(coh_results_value(&read, "level")));
  assert_true(isnan(coh_results_value(&read, "unknown")));
  assert_int_equal(read.n_pictures, 1);
  assert_string_equal(read.picture[0].path, "figures/agent.png");
  assert_string_equal(read.picture[0].caption, "The agent,\nplaying.");
  assert_true(read.picture[0].pixelated);
  assert_int_equal(read.n_tables, 1);
  assert_string_equal(read.table[0].caption, "Methods");
  assert_int_equal(read.table[0].n_rows, 2);
  assert_int_equal(read.table[0].n_columns, 2);
  static const char *const cells[] = {"method", "sweeps",           "jacobi",
                                      "120",    "gauss \"seidel\"", ""};
  for (int i = 0; i < 6; i++)
    assert_string_equal(read.table[0].text[i], cells[i]);
  assert_int_equal(read.n_lines, 2);
  assert_string_equal(read.line[0].text, "A sentence with \xc3\xa9 and <tags>.");
  assert_false(read.line[0].warning);
  assert_true(read.line[1].warning);
  coh_results_clear(&results);
  coh_results_clear(&read);
}

static void results_beyond_the_room_are_dropped(void **state) {
  (void)state;
  coh_results results = {.active = true};
  for (int i = 0; i < 2 * COH_MAX_RESULTS; i++) {
    coh_results_number(&results, "k", i, "t", "l", NULL);
    coh_results_picture(&results, "p", "c", false);
    coh_results_text(&results, "t");
  }
  assert_int_equal(results.n_numbers, COH_MAX_RESULTS);
  assert_int_equal(results.n_pictures, COH_MAX_RESULTS);
  assert_int_equal(results.n_lines, COH_MAX_RESULTS);
  coh_results_clear(&results);
  // ranks other than the first collect nothing
  coh_results_text(&results, "t");
  assert_int_equal(results.n_lines, 0);
}

static void results_refuse_what_is_no_summary(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",
      "null",
      "[]",
      "{}",
      "{\"status\": 3}",
      "{\"status\": \"x\", \"numbers\": [{}]}",
      "{\"status\": \"x\", \"numbers\": [3]}",
      "{\"status\": \"x\", \"numbers\": [{\"key\": \"k\", \"text\": \"t\", \"label\": 1}]}",
      "{\"status\": \"x\", \"pictures\": [{\"path\": \"/etc/passwd\", \"caption\": \"\"}]}",
      "{\"status\": \"x\", \"pictures\": [{\"path\": \"../x.png\", \"caption\": \"\"}]}",
      "{\"status\": \"x\", \"lines\": [{\"text\": null}]}",
      "{\"status\": \"x\"",
      "{\"status\": \"x\"} trailing",
  };
  assert_ok(coh_folder_make("bad/results"));
  coh_results results;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    scratch_write("bad/results/summary.json", texts[i], strlen(texts[i]));
    if (coh_results_load("bad", &results) != COH_E_DATA) fail_msg("taken: %s", texts[i]);
    assert_non_null(strstr(coh_error_message(), "summary.json"));
  }
  assert_int_equal(coh_results_load("nowhere", &results), COH_E_DATA);
  // every cut of a good one
  fill(&results);
  assert_ok(coh_results_save(&results, "bad"));
  coh_results_clear(&results);
  size_t n;
  char *whole = scratch_read("bad/results/summary.json", &n);
  while (n > 0 && (whole[n - 1] == '\n' || whole[n - 1] == '}'))
    n--;
  for (size_t cut = 0; cut <= n; cut += 7) {
    scratch_write("bad/results/summary.json", whole, cut);
    assert_int_equal(coh_results_load("bad", &results), COH_E_DATA);
  }
  coh_free(whole);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results_come_back_as_they_were),
      cmocka_unit_test(results_beyond_the_room_are_dropped),
      cmocka_unit_test(results_refuse_what_is_no_summary),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
