/* Factorisations against their definitions. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "cohort_test.h"
#include "la/blas.h"
#include "la/lapack.h"

static double *random_matrix(int64_t n, int64_t m, uint32_t entity) {
  double *a = coh_alloc_array((size_t)(n * m), sizeof *a);
  assert_non_null(a);
  coh_stream stream = coh_stream_begin(coh_key_make(5, "test_lapack"), entity, 0);
  for (int64_t i = 0; i < n * m; i++)
    a[i] = coh_stream_normal(&stream);
  return a;
}

// A A^T / n, symmetric positive semidefinite
static double *random_covariance(int64_t n, uint32_t entity) {
  double *x = random_matrix(n, 2 * n, entity);
  double *a = coh_alloc_array((size_t)(n * n), sizeof *a);
  coh_la_dgemm(false, true, n, n, 2 * n, 1 / (double)n, x, 2 * n, x, 2 * n, 0, a, n);
  coh_free(x);
  return a;
}

static void test_lapack_eigen_gives_the_known_spectrum(void **state) {
  (void)state;
  // the second difference matrix has the eigenvalues 2 - 2 cos(j pi / (n + 1))
  enum { N = 40, K = 7 };
  double a[N * N] = {0}, values[K], vectors[K * N];
  for (int64_t i = 0; i < N; i++) {
    a[i * N + i] = 2;
    if (i) a[i * N + i - 1] = -1; // the lower triangle only
  }
  assert_ok(coh_la_eigen_symmetric(N, a, K, values, vectors));
  for (int64_t k = 0; k < K; k++) {
    double angle = (double)(N - k) * acos(-1.0) / (N + 1);
    assert_within(values[k], 2 - 2 * cos(angle), 1e-13);
    coh_la_fix_sign(N, vectors + k * N);
    for (int64_t i = 0; i < N; i++)
      assert_within(fabs(vectors[k * N + i]),
                    sqrt(2.0 / (N + 1)) * fabs(sin(angle * (double)(i + 1))), 1e-12);
  }
  a[3] = a[3 * N] = NAN;
  assert_fails(coh_la_eigen_symmetric(N, a, K, values, vectors), COH_E_DATA, "3, 0");
}

static void test_lapack_qr_is_orthonormal_and_multiplies_back(void **state) {
  (void)state;
  enum { M = 61, N = 17 };
  double *a = random_matrix(M, N, 1), *q = random_matrix(M, N, 1), r[N * N], back[M * N],
         one[N * N];
  assert_ok(coh_la_qr(M, N, q, r));
  coh_la_dgemm(false, false, M, N, N, 1, q, N, r, N, 0, back, N);
  coh_la_dgemm(true, false, N, N, M, 1, q, N, q, N, 0, one, N);
  for (int64_t i = 0; i < M * N; i++)
    assert_within(back[i], a[i], 1e-12);
  for (int64_t i = 0; i < N; i++)
    for (int64_t j = 0; j < N; j++) {
      assert_within(one[i * N + j], i == j, 1e-13);
      assert_true(j < i ? r[i * N + j] == 0 : j > i || r[i * N + j] >= 0);
    }
  coh_free(a);
  coh_free(q);
}

static void test_lapack_ridge_solves_the_normal_equations(void **state) {
  (void)state;
  enum { P = 23, M = 4 };
  double *xtx = random_covariance(P, 2), *kept = random_covariance(P, 2);
  double *xty = random_matrix(P, M, 3), *w = random_matrix(P, M, 3), left[P * M];
  assert_ok(coh_la_ridge_solve(P, M, 0.5, xtx, w));
  for (int64_t i = 0; i < P; i++)
    kept[i * P + i] += 0.5;
  coh_la_dgemm(false, false, P, M, P, 1, kept, P, w, M, 0, left, M);
  for (int64_t i = 0; i < P * M; i++)
    assert_within(left[i], xty[i], 1e-11);
  double singular[4] = {1, 1, 1, 1}, y[2] = {1, 2};
  assert_fails(coh_la_ridge_solve(2, 1, 0, singular, y), COH_E_DATA, "not positive definite");
  coh_free(xtx);
  coh_free(kept);
  coh_free(xty);
  coh_free(w);
}

static void test_lapack_roots(void **state) {
  (void)state;
  enum { N = 12 };
  double *a = random_covariance(N, 4), *root = random_covariance(N, 4), square[N * N], trace;
  assert_ok(coh_la_square_root(N, root));
  coh_la_dgemm(false, false, N, N, N, 1, root, N, root, N, 0, square, N);
  double sum = 0;
  for (int64_t i = 0; i < N * N; i++)
    assert_within(square[i], a[i], 1e-12);
  for (int64_t i = 0; i < N; i++)
    sum += a[i * N + i];
  // the root of A A is A; of commuting diagonals the roots multiply
  assert_ok(coh_la_trace_of_root(N, a, a, &trace));
  assert_within(trace, sum, 1e-11);
  double x[9] = {4, 0, 0, 0, 9, 0, 0, 0, 0}, y[9] = {1, 0, 0, 0, 16, 0, 0, 0, 5};
  assert_ok(coh_la_trace_of_root(3, x, y, &trace));
  assert_within(trace, 2 * 1 + 3 * 4, 1e-12);
  coh_free(a);
  coh_free(root);
  assert_int_equal(coh_alloc_live(), 0);
}

static void test_lapack_factors_solve_a_general_system(void **state) {
  (void)state;
  enum { N = 70 };
  double *a = random_matrix(N, N, 9), *kept = random_matrix(N, N, 9), x[N], b[N] = {0};
  int32_t pivot[N];
  for (int64_t i = 0; i < N; i++)
    x[i] = sin((double)i);
  for (int64_t i = 0; i < N; i++)
    for (int64_t j = 0; j < N; j++)
      b[i] += kept[i * N + j] * x[j];
  assert_ok(coh_la_factorise(N, a, pivot));
  coh_la_factors_solve(N, a, pivot, b);
  for (int64_t i = 0; i < N; i++)
    assert_within(b[i], x[i], 1e-10);
  memset(kept + 3 * N, 0, N * sizeof *kept);
  assert_fails(coh_la_factorise(N, kept, pivot), COH_E_DATA, "singular");
  coh_free(a);
  coh_free(kept);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lapack_eigen_gives_the_known_spectrum),
      cmocka_unit_test(test_lapack_qr_is_orthonormal_and_multiplies_back),
      cmocka_unit_test(test_lapack_ridge_solves_the_normal_equations),
      cmocka_unit_test(test_lapack_factors_solve_a_general_system),
      cmocka_unit_test(test_lapack_roots),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
