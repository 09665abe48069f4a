/* Exact neighbours against all distances in double precision. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "cohort_test.h"
#include "neighbors/neighbors.h"

static float *random_rows(int64_t n, int64_t n_values, uint32_t entity, double offset) {
  float *x = coh_alloc_array((size_t)(n * n_values), sizeof *x);
  assert_non_null(x);
  coh_stream stream = coh_stream_begin(coh_key_make(7, "test_neighbors"), entity, 0);
  for (int64_t i = 0; i < n * n_values; i++)
    x[i] = (float)(offset + coh_stream_normal(&stream));
  return x;
}

static double distance_of(const coh_neighbor_search *s, int64_t query, int64_t reference) {
  double sum = 0;
  for (int64_t j = 0; j < s->n_values; j++) {
    double d = (double)s->queries[query * s->n_values + j] -
               (double)s->references[reference * s->n_values + j];
    sum += d * d;
  }
  return sum;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// the distances are the k smallest, and belong to the rows that are named
static void check(const coh_neighbor_search *s) {
  int32_t *index = coh_alloc_array((size_t)(s->n_queries * s->k), sizeof *index);
  float *distance = coh_alloc_array((size_t)(s->n_queries * s->k), sizeof *distance);
  double *all = coh_alloc_array((size_t)s->n_references, sizeof *all);
  assert_ok(coh_neighbors_exact(s, index, distance));
  for (int64_t q = 0; q < s->n_queries; q++) {
    int64_t n = 0;
    for (int64_t r = 0; r < s->n_references; r++)
      if (s->self < 0 || r != s->self + q) all[n++] = distance_of(s, q, r);
    qsort(all, (size_t)n, sizeof *all, compare_doubles);
    for (int64_t i = 0; i < s->k; i++) {
      int32_t row = index[q * s->k + i];
      assert_true(s->self < 0 || row != s->self + q);
      double tolerance = 1e-5 * (1e-3 + all[i]);
      assert_within(distance[q * s->k + i], all[i], tolerance);
      assert_within(distance_of(s, q, row), all[i], tolerance);
      for (int64_t other = 0; other < i; other++)
        assert_int_not_equal(row, index[q * s->k + other]);
    }
  }
  coh_free(index);
  coh_free(distance);
  coh_free(all);
}

static void test_neighbors_exact_are_the_nearest(void **state) {
  (void)state;
  static const int64_t shapes[][4] = {// references, queries, values, k
                                      {3000, 300, 50, 90},
                                      {1025, 129, 3, 1},
                                      {40, 7, 784, 40},
                                      {1, 5, 2, 1},
                                      {500, 128, 1, 20}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    coh_neighbor_search s = {.n_references = shapes[i][0],
                             .n_queries = shapes[i][1],
                             .n_values = shapes[i][2],
                             .k = shapes[i][3],
                             .self = -1,
                             .n_threads = 2};
    // far from the origin, where products alone would cancel
    float *references = random_rows(s.n_references, s.n_values, 1, 100);
    float *queries = random_rows(s.n_queries, s.n_values, 2, 100);
    s.references = references;
    s.queries = queries;
    check(&s);
    coh_free(references);
    coh_free(queries);
  }
}

static void test_neighbors_exact_leave_out_the_row_itself(void **state) {
  (void)state;
  float *x = random_rows(700, 8, 3, 0);
  coh_neighbor_search s = {700, 700, 8, x, x, 12, 0, 1};
  check(&s);
  s = (coh_neighbor_search){700, 200, 8, x, x + 256 * 8, 12, 256, 1};
  check(&s);
  coh_free(x);
}

static void test_neighbors_exact_take_ties_in_order(void **state) {
  (void)state;
  enum { N = 16, K = 5 };
  float x[N * 2];
  for (int64_t i = 0; i < N; i++)
    x[2 * i] = x[2 * i + 1] = 3;
  coh_neighbor_search s = {N, N, 2, x, x, K, 0, 1};
  int32_t index[N * K];
  float distance[N * K];
  assert_ok(coh_neighbors_exact(&s, index, distance));
  for (int64_t q = 0; q < N; q++)
    for (int64_t i = 0; i < K; i++) {
      assert_int_equal(index[q * K + i], i < q ? i : i + 1);
      assert_true(distance[q * K + i] == 0);
    }
}

static void test_neighbors_exact_do_not_depend_on_threads_or_parts(void **state) {
  (void)state;
  enum { N = 1000, D = 10, K = 15 };
  float *x = random_rows(N, D, 4, 0);
  static int32_t one[N * K], two[N * K];
  static float near[N * K], near_two[N * K];
  coh_neighbor_search s = {N, N, D, x, x, K, 0, 1};
  assert_ok(coh_neighbors_exact(&s, one, near));
  s.n_threads = 2;
  assert_ok(coh_neighbors_exact(&s, two, near_two));
  assert_memory_equal(one, two, sizeof one);
  assert_memory_equal(near, near_two, sizeof near);
  // in two calls, cut at a whole block
  enum { CUT = 3 * COH_NEIGHBOR_BLOCK };
  s.n_queries = CUT;
  assert_ok(coh_neighbors_exact(&s, two, near_two));
  s = (coh_neighbor_search){N, N - CUT, D, x, x + CUT * D, K, CUT, 1};
  assert_ok(coh_neighbors_exact(&s, two + CUT * K, near_two + CUT * K));
  assert_memory_equal(one, two, sizeof one);
  assert_memory_equal(near, near_two, sizeof near);
  coh_free(x);
}

static void test_neighbors_exact_say_when_there_are_too_few(void **state) {
  (void)state;
  float x[6] = {0};
  int32_t index[12];
  coh_neighbor_search s = {3, 3, 2, x, x, 3, 0, 1};
  assert_fails(coh_neighbors_exact(&s, index, NULL), COH_E_CONFIG, "only 2 other rows");
  s.self = -1;
  assert_ok(coh_neighbors_exact(&s, index, NULL));
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_neighbors_exact_are_the_nearest),
      cmocka_unit_test(test_neighbors_exact_leave_out_the_row_itself),
      cmocka_unit_test(test_neighbors_exact_take_ties_in_order),
      cmocka_unit_test(test_neighbors_exact_do_not_depend_on_threads_or_parts),
      cmocka_unit_test(test_neighbors_exact_say_when_there_are_too_few),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
