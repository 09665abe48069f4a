/* What a table of counts says, by hand. */
#include "cohort_test.h"

#include "task/classify/classify.h"

enum { K = 3 };
// a class of each kind: often right, never answered, never there
static const int64_t counts[K * K] = {6, 0, 2, //
                                      4, 0, 1, //
                                      0, 0, 0};

static void confusion_scores_each_class(void **state) {
  (void)state;
  coh_classify_class score;
  coh_classify_class_score(counts, K, 0, &score);
  assert_int_equal(score.n_rows, 8);
  assert_within(score.precision, 0.6, 1e-15);
  assert_within(score.recall, 0.75, 1e-15);
  assert_within(score.f1, 2 * 0.6 * 0.75 / (0.6 + 0.75), 1e-15);
  coh_classify_class_score(counts, K, 1, &score);
  assert_true(isnan(score.precision));
  assert_within(score.recall, 0, 0);
  assert_within(score.f1, 0, 0);
  coh_classify_class_score(counts, K, 2, &score);
  assert_int_equal(score.n_rows, 0);
  assert_within(score.precision, 0, 0);
  assert_true(isnan(score.recall));
  assert_within(score.f1, 0, 0);
}

static void confusion_finds_the_pairs_confused_most(void **state) {
  (void)state;
  static const int64_t table[16] = {9, 1, 5, 0, //
                                    5, 9, 7, 2, //
                                    0, 2, 9, 8, //
                                    1, 0, 0, 9};
  coh_classify_pair pair[16];
  assert_int_equal(coh_classify_confused(table, 4, 16, pair), 8);
  static const coh_classify_pair right[8] = {{2, 3, 8}, {1, 2, 7}, {0, 2, 5}, {1, 0, 5},
                                             {1, 3, 2}, {2, 1, 2}, {0, 1, 1}, {3, 0, 1}};
  for (int n = 1; n <= 8; n++) {
    coh_classify_pair few[8];
    assert_int_equal(coh_classify_confused(table, 4, n, few), n);
    for (int i = 0; i < n; i++) {
      assert_int_equal(few[i].is, right[i].is);
      assert_int_equal(few[i].taken_for, right[i].taken_for);
      assert_int_equal(few[i].count, right[i].count);
    }
  }
  static const int64_t perfect[4] = {3, 0, 0, 4};
  assert_int_equal(coh_classify_confused(perfect, 2, 4, pair), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(confusion_scores_each_class),
      cmocka_unit_test(confusion_finds_the_pairs_confused_most),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
