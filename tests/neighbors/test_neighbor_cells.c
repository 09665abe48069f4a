/* Approximate neighbours: what is found, measured against the exact answer over all rows. */
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "cohort_test.h"
#include "neighbors/neighbors.h"

// clusters of very different sizes, some rows twice
static float *make_rows(int64_t n, int64_t d) {
  float *x = coh_alloc_array((size_t)(n * d), sizeof *x);
  assert_non_null(x);
  coh_key key = coh_key_make(13, "test_neighbor_cells");
  for (int64_t i = 0; i < n; i++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)(i % 10 ? i : i / 2), 0);
    int64_t cluster = i % 7 * (i % 11 == 0);
    for (int64_t j = 0; j < d; j++)
      x[i * d + j] = (float)((double)((cluster * 3 + j) % 5) + coh_stream_normal(&stream));
  }
  return x;
}

static void check(int64_t n, int64_t d, int64_t k, double recall) {
  float *x = make_rows(n, d);
  size_t many = (size_t)(n * k);
  int32_t *truth = coh_alloc_array(many, sizeof *truth);
  int32_t *index = coh_alloc_array(many, sizeof *index);
  float *near = coh_alloc_array(many, sizeof *near);
  float *distance = coh_alloc_array(many, sizeof *distance);
  coh_neighbor_search search = {n, n, d, x, x, k, 0, 2};
  assert_ok(coh_neighbors_exact(&search, truth, near));
  coh_neighbor_cells *cells = NULL;
  assert_ok(coh_neighbor_cells_create(n, d, x, k, recall, 1, 2, &cells));
  assert_ok(
      coh_neighbor_cells_search(cells, 0, coh_neighbor_cells_count(cells), 2, index, distance));

  const int32_t *row = coh_neighbor_cells_rows(cells);
  int64_t found = 0;
  uint8_t *seen = coh_alloc_array((size_t)n, 1);
  for (int64_t place = 0; place < n; place++) {
    int64_t i = row[place];
    assert_false(seen[i]);
    seen[i] = 1;
    for (int64_t a = 0; a < k; a++) {
      int32_t other = index[place * k + a];
      assert_true(other >= 0 && other < n && other != i);
      // never nearer than the truth, and in order
      assert_true(distance[place * k + a] >= near[i * k + a] * 0.9999f);
      assert_true(a == 0 || distance[place * k + a] >= distance[place * k + a - 1]);
      for (int64_t b = 0; b < k; b++)
        found += truth[i * k + b] == other;
    }
  }
  // over all rows, not over the sample that chose how much is read
  double share = (double)found / (double)(n * k);
  if (share < recall - 0.01) fail_msg("recall %g of %g asked for", share, recall);
  assert_within(coh_neighbor_cells_recall(cells), share, 0.02);
  assert_true(recall == 1 || coh_neighbor_cells_read(cells) < coh_neighbor_cells_count(cells));

  // one thread, and two calls: the same bits
  int64_t n_cells = coh_neighbor_cells_count(cells), cut = n_cells / 3;
  int64_t begin = coh_neighbor_cells_start(cells)[cut];
  assert_ok(coh_neighbor_cells_search(cells, 0, cut, 1, truth, near));
  assert_ok(coh_neighbor_cells_search(cells, cut, n_cells - cut, 1, truth + begin * k,
                                      near + begin * k));
  assert_memory_equal(truth, index, many * sizeof *index);
  assert_memory_equal(near, distance, many * sizeof *distance);
  coh_neighbor_cells_destroy(&cells);
  coh_free(seen);
  coh_free(x);
  coh_free(truth);
  coh_free(index);
  coh_free(near);
  coh_free(distance);
}

static void test_cells_find_the_share_asked_for(void **state) {
  (void)state;
  check(8000, 8, 30, 0.95);
  check(6000, 3, 10, 0.99);
  check(3000, 20, 15, 0.9);
}

static void test_cells_that_read_all_are_exact(void **state) {
  (void)state;
  check(600, 6, 20, 1);
  assert_int_equal(coh_alloc_live(), 0);
}

static void test_cells_say_when_there_are_too_few(void **state) {
  (void)state;
  float x[8] = {0};
  coh_neighbor_cells *cells = NULL;
  assert_fails(coh_neighbor_cells_create(4, 2, x, 4, 0.9, 1, 1, &cells), COH_E_CONFIG,
               "only 3 other rows");
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cells_find_the_share_asked_for),
      cmocka_unit_test(test_cells_that_read_all_are_exact),
      cmocka_unit_test(test_cells_say_when_there_are_too_few),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
