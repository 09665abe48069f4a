/* The metric sink: exact lines, exact resumption, and reading back. */
#include "scratch.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#include "run/metrics.h"

static void write_rows(coh_metrics *metrics, int from, int to) {
  for (int i = from; i < to; i++) {
    coh_metric row[] = {{"train/loss", 1.0 / (i + 1)}, {"eval/return", (double)i}};
    coh_metric timing[] = {{"rate/steps", 1000.5}};
    assert_ok(coh_metrics_write(metrics, COH_METRIC_EXACT, i * 10, row, i % 3 == 0 ? 2 : 1));
    assert_ok(coh_metrics_write(metrics, COH_METRIC_TIMING, i * 10, timing, 1));
  }
}

static void metrics_lines_are_exact(void **state) {
  (void)state;
  coh_metrics *metrics;
  assert_ok(coh_folder_make("lines"));
  assert_ok(coh_metrics_open("lines", NULL, &metrics));
  coh_metric row[] = {{"b", 0.1}, {"a/x", -3}, {"n", NAN}, {"i", -INFINITY}, {"t", 1.0 / 3}};
  assert_ok(coh_metrics_write(metrics, COH_METRIC_EXACT, 1200, row, 5));
  coh_metrics_close(&metrics);
  char *text = scratch_read("lines/metrics.jsonl", NULL);
  assert_string_equal(text, "{\"step\":1200,\"b\":0.1,\"a/x\":-3,\"n\":\"nan\",\"i\":\"-inf\","
                            "\"t\":0.3333333333333333}\n");
  coh_free(text);
  text = scratch_read("lines/timing.jsonl", NULL);
  assert_string_equal(text, "");
  coh_free(text);
}

static void metrics_resume_to_the_same_bytes(void **state) {
  (void)state;
  coh_metrics *metrics;
  assert_ok(coh_folder_make("whole"));
  assert_ok(coh_folder_make("resumed"));
  assert_ok(coh_metrics_open("whole", NULL, &metrics));
  write_rows(metrics, 0, 50);
  coh_metrics_close(&metrics);

  // checkpoint at 20, killed at 33, resumed from the checkpoint; then once more within the run
  coh_metrics_position position, later;
  assert_ok(coh_metrics_open("resumed", NULL, &metrics));
  write_rows(metrics, 0, 20);
  assert_ok(coh_metrics_sync(metrics, &position));
  write_rows(metrics, 20, 33);
  coh_metrics_close(&metrics);
  assert_ok(coh_metrics_open("resumed", &position, &metrics));
  assert_ok(coh_metrics_sync(metrics, &later));
  assert_memory_equal(&later, &position, sizeof position);
  write_rows(metrics, 20, 40);
  assert_ok(coh_metrics_rewind(metrics, &position));
  write_rows(metrics, 20, 50);
  coh_metrics_close(&metrics);

  char *whole = scratch_read("whole/metrics.jsonl", NULL);
  char *resumed = scratch_read("resumed/metrics.jsonl", NULL);
  assert_string_equal(whole, resumed);
  coh_free(whole);
  coh_free(resumed);
  assert_true(coh_file_exists("resumed/events.out.tfevents.cohort"));

  // a file that lost its end is kept and gone on with
  assert_int_equal(truncate("resumed/metrics.jsonl", 10), 0);
  assert_ok(coh_metrics_open("resumed", &position, &metrics));
  assert_ok(coh_metrics_sync(metrics, &later));
  assert_int_equal(later.metrics_bytes, 10);
  coh_metrics_close(&metrics);
}

static void metrics_survive_a_full_disk(void **state) {
  (void)state;
  coh_metrics *metrics;
  assert_ok(coh_folder_make("full"));
  assert_ok(coh_metrics_open("full", NULL, &metrics));
  write_rows(metrics, 0, 2);
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  signal(SIGXFSZ, SIG_IGN);
  limit.rlim_cur = 90;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  coh_metric row[] = {{"train/loss", 0.123456789}, {"eval/return", 12345678}};
  coh_status status = coh_metrics_write(metrics, COH_METRIC_EXACT, 20, row, 2);
  limit.rlim_cur = limit.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  assert_int_equal(status, COH_E_IO);
  write_rows(metrics, 3, 4);
  coh_metrics_close(&metrics);
  coh_metrics_table table;
  assert_ok(coh_metrics_read("full/metrics.jsonl", &table));
  assert_int_equal(table.n_rows, 3);
  assert_int_equal(table.step[2], 30);
  coh_metrics_clear(&table);
}

static void metrics_refuse_bad_names(void **state) {
  (void)state;
  coh_metrics *metrics;
  assert_ok(coh_folder_make("names"));
  assert_ok(coh_metrics_open("names", NULL, &metrics));
  coh_metric twice[] = {{"a", 1}, {"a", 2}}, step[] = {{"step", 1}}, empty[] = {{"", 1}};
  assert_int_equal(coh_metrics_write(metrics, COH_METRIC_EXACT, 1, twice, 2), COH_E_INTERNAL);
  assert_int_equal(coh_metrics_write(metrics, COH_METRIC_EXACT, 1, step, 1), COH_E_INTERNAL);
  assert_int_equal(coh_metrics_write(metrics, COH_METRIC_EXACT, 1, empty, 1), COH_E_INTERNAL);
  coh_metrics_close(&metrics);
  coh_metrics_close(&metrics);
}

static void metrics_are_read_as_columns(void **state) {
  (void)state;
  static const char lines[] = "{\"step\":1,\"a\":0.5}\n{\"step\":2,\"b\":\"nan\",\"a\":1}\n"
                              "{\"step\":3,\"b\":null}\n{\"step\":4,\"a\":2";
  scratch_write("t.jsonl", lines, sizeof lines - 1);
  coh_metrics_table table;
  assert_ok(coh_metrics_read("t.jsonl", &table));
  assert_int_equal(table.n_rows, 3); // the torn last line is not a row
  assert_int_equal(table.n_columns, 2);
  double *x, *y;
  int64_t n;
  assert_ok(coh_metrics_column(&table, "a", &x, &y, &n));
  assert_int_equal(n, 2);
  assert_true(x[1] == 2 && y[0] == 0.5); // small whole and binary numbers are exact
  coh_free(x);
  coh_free(y);
  assert_ok(coh_metrics_column(&table, "b", NULL, &y, &n));
  assert_true(n == 2 && isnan(y[0]) && isnan(y[1]));
  coh_free(y);
  assert_ok(coh_metrics_column(&table, "c", &x, &y, &n));
  assert_int_equal(n, 0);
  coh_free(x);
  coh_free(y);
  assert_ok(coh_metrics_write_csv(&table, "t.csv"));
  char *csv = scratch_read("t.csv", NULL);
  assert_string_equal(csv, "step,a,b\n1,0.5,\n2,1,nan\n3,,nan\n");
  coh_free(csv);
  coh_metrics_clear(&table);
  static const char *const bad[] = {"{\"a\":1}\n",
                                    "[]\n",
                                    "{\"step\":1,\"a\":[]}\n",
                                    "{\"step\":1.5}\n",
                                    "{\"step\":1,\"a\":\"x\"}\n",
                                    "\n"};
  for (int i = 0; i < 6; i++) {
    scratch_write("bad.jsonl", bad[i], strlen(bad[i]));
    assert_fails(coh_metrics_read("bad.jsonl", &table), COH_E_DATA, "bad.jsonl:1");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(metrics_lines_are_exact),
      cmocka_unit_test(metrics_resume_to_the_same_bytes),
      cmocka_unit_test(metrics_survive_a_full_disk),
      cmocka_unit_test(metrics_refuse_bad_names),
      cmocka_unit_test(metrics_are_read_as_columns),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
