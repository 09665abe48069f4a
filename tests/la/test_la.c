/* Kernels over flat arrays, products and elementary functions against double precision. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "la/blas.h"
#include "la/elementary.h"
#include "la/product.h"
#include "la/vector.h"

static float *random_array(int64_t n, uint32_t entity) {
  float *x = coh_alloc_array((size_t)n, sizeof *x);
  assert_non_null(x);
  coh_stream stream = coh_stream_begin(coh_key_make(11, "test_la"), entity, 0);
  for (int64_t i = 0; i < n; i++)
    x[i] = (float)coh_stream_normal(&stream);
  return x;
}

static void test_la_sums_are_close_to_double_for_every_length(void **state) {
  (void)state;
  enum { N = 9000 };
  float *x = random_array(N, 1), *y = random_array(N, 2);
  for (int64_t n = 0; n <= N; n += n < 100 ? 1 : 557) {
    double sum = 0, dot = 0, squares = 0, size = 0, dot_size = 0;
    for (int64_t i = 0; i < n; i++) {
      sum += (double)x[i];
      size += fabs((double)x[i]);
      dot += (double)x[i] * (double)y[i];
      dot_size += fabs((double)x[i] * (double)y[i]);
      squares += (double)x[i] * (double)x[i];
    }
    // at most 64 additions in single precision in a row: (64 + 5) 2^-24 of the sum of sizes
    assert_true(fabs((double)coh_la_sum(n, x) - sum) <= 5e-6 * size);
    assert_true(fabs((double)coh_la_dot(n, x, y) - dot) <= 5e-6 * dot_size);
    assert_true(fabs(coh_la_sum_squares(n, x) - squares) <= 5e-6 * squares);
  }
  coh_free(x);
  coh_free(y);
}

static void test_la_sum_rows_adds_columns(void **state) {
  (void)state;
  static const int64_t shapes[][2] = {{1, 1}, {3, 5}, {200, 16}, {65, 33}, {700, 100}, {64, 6}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    int64_t m = shapes[s][0], n = shapes[s][1];
    float *x = random_array(m * n, 3), *y = random_array(n, 4);
    coh_la_sum_rows(m, n, x, y);
    for (int64_t j = 0; j < n; j++) {
      double sum = 0, size = 0;
      for (int64_t i = 0; i < m; i++) {
        sum += (double)x[i * n + j];
        size += fabs((double)x[i * n + j]);
      }
      assert_true(fabs((double)y[j] - sum) <= 5e-6 * size);
    }
    coh_free(x);
    coh_free(y);
  }
}

static void test_la_axpy_and_scale_work_in_place(void **state) {
  (void)state;
  float x[37], y[37];
  for (int i = 0; i < 37; i++) {
    x[i] = (float)i;
    y[i] = 1.0f;
  }
  coh_la_axpy(37, 2.0f, x, y);
  coh_la_scale(37, 0.5f, y);
  coh_la_axpy(37, 1.0f, x, x); // the same array
  for (int i = 0; i < 37; i++) // exact in binary
    assert_true(y[i] == (float)i + 0.5f && x[i] == (float)(2 * i));
}

static void test_la_all_finite_finds_one_bad_element_anywhere(void **state) {
  (void)state;
  enum { N = 5000 };
  float *x = random_array(N, 5);
  assert_true(coh_la_all_finite(N, x));
  assert_true(coh_la_all_finite(0, x));
  const float bad[] = {NAN, INFINITY, -INFINITY};
  for (int64_t i = 0; i < N; i += 83) {
    float kept = x[i];
    x[i] = bad[i % 3];
    assert_false(coh_la_all_finite(N, x));
    x[i] = kept;
  }
  x[7] = 3.4028234e38f;
  assert_true(coh_la_all_finite(N, x));
  coh_free(x);
}

// op(A) op(B) in double
static double product_at(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const float *a,
                         const float *b, int64_t i, int64_t j, double *size) {
  double sum = 0;
  *size = 0;
  for (int64_t p = 0; p < k; p++) {
    double term = (double)a[ta ? p * m + i : i * k + p] * (double)b[tb ? j * k + p : p * n + j];
    sum += term;
    *size += fabs(term);
  }
  return sum;
}

static void test_la_matmul_matches_its_definition_for_every_kernel(void **state) {
  (void)state;
  // small ones go to OpenBLAS, the last ones to oneDNN
  static const int64_t shapes[][3] = {{1, 1, 1},       {3, 2, 5},     {64, 2, 84},
                                      {17, 33, 9},     {1, 40, 7},    {64, 120, 130},
                                      {130, 128, 127}, {32, 200, 300}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int t = 0; t < 4; t++) {
      bool ta = t & 1, tb = t & 2;
      int64_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
      float *a = random_array(m * k, 6), *b = random_array(k * n, 7),
            *c = random_array(m * n, 8);
      for (int64_t i = 0; i < m * n; i++) c[i] = NAN; // old content does not matter
      coh_la_matmul(ta, tb, m, n, k, a, b, c);
      for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
          double size, expected = product_at(ta, tb, m, n, k, a, b, i, j, &size);
          assert_true(fabs((double)c[i * n + j] - expected) <= 2e-6 * size);
        }
      coh_free(a);
      coh_free(b);
      coh_free(c);
    }
}

static void test_la_blas_is_row_major_and_scales(void **state) {
  (void)state;
  const float a[] = {1, 2, 3, 4, 5, 6}; // (2,3)
  const float x[] = {1, 0, -1};
  float y[] = {10, 20};
  coh_la_sgemv(false, 2, 3, 2.0f, a, 3, x, 1.0f, y);
  assert_true(y[0] == 6.0f && y[1] == 16.0f); // exact small integers
  const double ad[] = {1, 2, 3, 4, 5, 6}, xd[] = {1, -1};
  double yd[3] = {0};
  coh_la_dgemv(true, 2, 3, 1.0, ad, 3, xd, 0.0, yd);
  assert_true(yd[0] == -3.0 && yd[1] == -3.0 && yd[2] == -3.0);
  float c[4] = {1, 1, 1, 1};
  coh_la_sgemm(false, true, 2, 2, 3, 1.0f, a, 3, a, 3, -1.0f, c, 2);
  assert_true(c[0] == 13.0f && c[1] == 31.0f && c[2] == 31.0f && c[3] == 76.0f);
  double cd[4] = {0};
  coh_la_dgemm(false, true, 2, 2, 3, 1.0, ad, 3, ad, 3, 0.0, cd, 2);
  assert_true(cd[0] == 14.0 && cd[3] == 77.0);
}

static void test_la_products_do_not_depend_on_the_thread_count(void **state) {
  (void)state;
  enum { M = 256, N = 256, K = 256 };
  float *a = random_array(M * K, 9), *b = random_array(K * N, 10);
  float *one = random_array(M * N, 11), *two = random_array(M * N, 12);
  omp_set_num_threads(1);
  coh_la_matmul(false, true, M, N, K, a, b, one);
  omp_set_num_threads(2);
  coh_la_matmul(false, true, M, N, K, a, b, two);
  assert_memory_equal(one, two, M * N * sizeof(float));
  coh_la_sgemm(true, false, M, N, K, 1.0f, a, M, b, N, 0.0f, two, N);
  omp_set_num_threads(1);
  coh_la_sgemm(true, false, M, N, K, 1.0f, a, M, b, N, 0.0f, one, N);
  assert_memory_equal(one, two, M * N * sizeof(float));
  coh_free(a);
  coh_free(b);
  coh_free(one);
  coh_free(two);
}

static void test_la_products_do_not_depend_on_where_operands_lie(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {
      {64, 84, 120}, {32, 128, 1024}, {128, 300, 77}, {5, 7, 9}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int t = 0; t < 4; t++) {
      bool ta = t & 1, tb = t & 2;
      int64_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
      float *a = random_array(m * k + 64, 13), *b = random_array(k * n + 64, 14);
      float *c = random_array(m * n, 15), *moved = random_array(m * n + 64, 16);
      coh_la_matmul(ta, tb, m, n, k, a, b, c);
      for (int64_t shift = 1; shift < 64; shift += 6) {
        memmove(a + shift, a + (shift > 6 ? shift - 6 : 0), (size_t)(m * k) * sizeof *a);
        memmove(b + shift, b + (shift > 6 ? shift - 6 : 0), (size_t)(k * n) * sizeof *b);
        coh_la_matmul(ta, tb, m, n, k, a + shift, b + shift, moved + shift);
        assert_memory_equal(moved + shift, c, (size_t)(m * n) * sizeof *c);
      }
      coh_free(a);
      coh_free(b);
      coh_free(c);
      coh_free(moved);
    }
}

/* ---- elementary functions */

typedef struct elementary {
  const char *name;
  float (*f)(float);
  double (*reference)(double);
  double low, high;
  double relative, absolute; /* bounds of the error */
} elementary;

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}
static double softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static void test_la_elementary_functions_are_accurate_over_their_range(void **state) {
  (void)state;
  static const elementary table[] = {
      {"exp", coh_expf, exp, -87.0, 88.7, 2.5e-7, 0},
      {"log", coh_logf, log, 1e-3, 1e4, 2e-7, 1e-7},
      {"sigmoid", coh_sigmoidf, sigmoid, -80, 80, 4e-7, 0},
      {"tanh", coh_tanhf, tanh, -12, 12, 5e-7, 0},
      {"softplus", coh_softplusf, softplus, -60, 60, 6e-7, 0},
      {"erf", coh_erff, erf, -5, 5, 8e-7, 0},
  };
  for (size_t t = 0; t < sizeof table / sizeof *table; t++) {
    const elementary *e = &table[t];
    for (int i = 0; i <= 200000; i++) {
      float x = (float)(e->low + (e->high - e->low) * i / 200000);
      double expected = e->reference((double)x), got = (double)e->f(x);
      if (!(fabs(got - expected) <= e->relative * fabs(expected) + e->absolute))
        fail_msg("%s(%.9g) is %.9g, not %.9g", e->name, (double)x, got, expected);
    }
  }
}

static void test_la_elementary_functions_hold_at_the_ends(void **state) {
  (void)state;
  assert_true(coh_expf(-INFINITY) == 0.0f && isinf(coh_expf(INFINITY)) && isinf(coh_expf(100)));
  assert_true(coh_expf(0.0f) == 1.0f && coh_tanhf(0.0f) == 0.0f && coh_erff(0.0f) == 0.0f);
  assert_true(isinf(coh_logf(0.0f)) && isinf(coh_logf(-0.0f)) && isnan(coh_logf(-1.0f)) &&
              coh_logf(1.0f) == 0.0f);
  assert_true(isinf(coh_logf(INFINITY)));
  assert_true(coh_tanhf(100.0f) == 1.0f && coh_tanhf(-INFINITY) == -1.0f);
  assert_true(coh_erff(30.0f) == 1.0f && coh_sigmoidf(200.0f) == 1.0f);
  assert_true(coh_sigmoidf(-200.0f) == 0.0f && coh_softplusf(200.0f) == 200.0f);
  assert_true(isnan(coh_expf(NAN)) && isnan(coh_logf(NAN)) && isnan(coh_tanhf(NAN)));
  assert_true(isnan(coh_sigmoidf(NAN)) && isnan(coh_softplusf(NAN)) && isnan(coh_erff(NAN)));
}

static void test_la_leaves_no_allocation(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_la_sums_are_close_to_double_for_every_length),
      cmocka_unit_test(test_la_sum_rows_adds_columns),
      cmocka_unit_test(test_la_axpy_and_scale_work_in_place),
      cmocka_unit_test(test_la_all_finite_finds_one_bad_element_anywhere),
      cmocka_unit_test(test_la_matmul_matches_its_definition_for_every_kernel),
      cmocka_unit_test(test_la_blas_is_row_major_and_scales),
      cmocka_unit_test(test_la_products_do_not_depend_on_the_thread_count),
      cmocka_unit_test(test_la_products_do_not_depend_on_where_operands_lie),
      cmocka_unit_test(test_la_elementary_functions_are_accurate_over_their_range),
      cmocka_unit_test(test_la_elementary_functions_hold_at_the_ends),
      cmocka_unit_test(test_la_leaves_no_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
