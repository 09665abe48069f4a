/* LAPACK speaks column-major: a symmetric matrix is the same in both orders, with "U" for the
 * lower triangle of a row-major one; A = Q R row by row is the LQ factorisation of A^T. */
#include "la/lapack.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "la/blas.h"

typedef blasint lapack_int;

// the Fortran interface: lengths of strings come last
extern void dsyevr_(const char *job, const char *range, const char *uplo, const lapack_int *n,
                    double *a, const lapack_int *lda, const double *vl, const double *vu,
                    const lapack_int *il, const lapack_int *iu, const double *abstol,
                    lapack_int *m, double *w, double *z, const lapack_int *ldz,
                    lapack_int *isuppz, double *work, const lapack_int *lwork,
                    lapack_int *iwork, const lapack_int *liwork, lapack_int *info, size_t,
                    size_t, size_t);
extern void dgelqf_(const lapack_int *m, const lapack_int *n, double *a, const lapack_int *lda,
                    double *tau, double *work, const lapack_int *lwork, lapack_int *info);
extern void dorglq_(const lapack_int *m, const lapack_int *n, const lapack_int *k, double *a,
                    const lapack_int *lda, const double *tau, double *work,
                    const lapack_int *lwork, lapack_int *info);
extern void dpotrf_(const char *uplo, const lapack_int *n, double *a, const lapack_int *lda,
                    lapack_int *info, size_t);

extern void dgetrf_(const lapack_int *m, const lapack_int *n, double *a, const lapack_int *lda,
                    lapack_int *pivot, lapack_int *info);
extern void dgetrs_(const char *trans, const lapack_int *n, const lapack_int *n_sides,
                    const double *a, const lapack_int *lda, const lapack_int *pivot, double *b,
                    const lapack_int *ldb, lapack_int *info, size_t);
_Static_assert(sizeof(lapack_int) == sizeof(int32_t), "pivots are 32-bit integers");

static coh_status check_finite(int64_t n, const double *a) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j <= i; j++)
      COH_CHECK(isfinite(a[i * n + j]), COH_E_DATA,
                "eigenvalues: entry %lld, %lld of the matrix is not finite", (long long)i,
                (long long)j);
  return COH_OK;
}

typedef struct eigen_work {
  double *values, *vectors, *work;
  lapack_int *support, *iwork;
} eigen_work;

// ascending values and vectors of the k largest, into work
static coh_status call_dsyevr(int64_t n, double *a, int64_t k, const char *job,
                              eigen_work *space) {
  lapack_int size = (lapack_int)n, first = (lapack_int)(n - k + 1), last = size, found = 0;
  lapack_int ask = -1, lwork, liwork, info = 0;
  double none = 0, best = 0;
  COH_NEW(space->values, n);
  COH_NEW(space->vectors, *job == 'V' ? n * k : 1);
  COH_NEW(space->support, 2 * k);
  for (int pass = 0; pass < 2; pass++) {
    lapack_int best_int = 0;
    lwork = pass ? (lapack_int)best : ask;
    liwork = pass ? (lapack_int)(10 * n) : ask;
    dsyevr_(job, k < n ? "I" : "A", "U", &size, a, &size, &none, &none, &first, &last, &none,
            &found, space->values, space->vectors, &size, space->support,
            pass ? space->work : &best, &lwork, pass ? space->iwork : &best_int, &liwork, &info,
            1, 1, 1);
    COH_CHECK(info == 0, COH_E_INTERNAL, "dsyevr of order %lld: info %lld", (long long)n,
              (long long)info);
    if (pass) break;
    COH_NEW(space->work, (int64_t)best + 1);
    COH_NEW(space->iwork, 10 * n);
  }
  COH_CHECK(found == (lapack_int)k, COH_E_INTERNAL, "dsyevr found %lld of %lld eigenvalues",
            (long long)found, (long long)k);
  return COH_OK;
}

coh_status coh_la_eigen_symmetric(int64_t n, double *a, int64_t k, double *values,
                                  double *vectors) {
  COH_CHECK(n >= 1 && k >= 1 && k <= n, COH_E_INTERNAL, "%lld eigenvalues of order %lld",
            (long long)k, (long long)n);
  COH_TRY(check_finite(n, a));
  eigen_work space = {0};
  int before = coh_la_serial_begin();
  coh_status status = call_dsyevr(n, a, k, vectors ? "V" : "N", &space);
  coh_la_serial_end(before);
  if (status == COH_OK) {
    for (int64_t i = 0; i < k; i++)
      values[i] = space.values[k - 1 - i];
    for (int64_t i = 0; vectors && i < k; i++)
      memcpy(vectors + i * n, space.vectors + (k - 1 - i) * n, (size_t)n * sizeof *vectors);
  }
  coh_free(space.values);
  coh_free(space.vectors);
  coh_free(space.support);
  coh_free(space.work);
  coh_free(space.iwork);
  return status;
}

void coh_la_fix_sign(int64_t n, double *vector) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (fabs(vector[i]) > fabs(vector[best])) best = i;
  if (vector[best] >= 0) return;
  for (int64_t i = 0; i < n; i++)
    vector[i] = -vector[i];
}

coh_status coh_la_qr(int64_t m, int64_t n, double *a, double *r) {
  COH_CHECK(m >= n && n >= 1, COH_E_INTERNAL, "QR of %lld x %lld", (long long)m, (long long)n);
  enum { BLOCK = 64 };
  lapack_int rows = (lapack_int)n, columns = (lapack_int)m, info = 0;
  lapack_int lwork = (lapack_int)(n * BLOCK);
  double *tau = coh_alloc_array((size_t)n, sizeof *tau);
  double *work = coh_alloc_array((size_t)(n * BLOCK), sizeof *work);
  double *sign = coh_alloc_array((size_t)n, sizeof *sign);
  coh_status status = tau && work && sign ? COH_OK : coh_fail(COH_E_MEMORY, "QR: no memory");
  if (status == COH_OK) {
    int before = coh_la_serial_begin();
    dgelqf_(&rows, &columns, a, &rows, tau, work, &lwork, &info);
    // column i of L, column-major, is row i of R, row-major
    for (int64_t i = 0; i < n; i++)
      sign[i] = a[i * n + i] < 0 ? -1 : 1;
    for (int64_t i = 0; r && i < n; i++)
      for (int64_t j = 0; j < n; j++)
        r[i * n + j] = j < i ? 0 : sign[i] * a[i * n + j];
    if (info == 0) dorglq_(&rows, &columns, &rows, a, &rows, tau, work, &lwork, &info);
    coh_la_serial_end(before);
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++)
        a[i * n + j] *= sign[j];
    if (info != 0) status = coh_fail(COH_E_INTERNAL, "QR: info %lld", (long long)info);
  }
  coh_free(tau);
  coh_free(work);
  coh_free(sign);
  return status;
}

coh_status coh_la_cholesky(int64_t n, double *a) {
  lapack_int size = (lapack_int)n, info = 0;
  int before = coh_la_serial_begin();
  dpotrf_("U", &size, a, &size, &info, 1);
  coh_la_serial_end(before);
  COH_CHECK(info == 0, COH_E_DATA,
            "the matrix of order %lld is not positive definite (row %lld)", (long long)n,
            (long long)info - 1);
  for (int64_t i = 0; i < n; i++)
    memset(a + i * n + i + 1, 0, (size_t)(n - i - 1) * sizeof *a);
  return COH_OK;
}

void coh_la_cholesky_solve(int64_t n, int64_t m, const double *l, double *b) {
  int before = coh_la_serial_begin();
  for (int pass = 0; pass < 2; pass++)
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, pass ? CblasTrans : CblasNoTrans,
                CblasNonUnit, (blasint)n, (blasint)m, 1, l, (blasint)n, b, (blasint)m);
  coh_la_serial_end(before);
}

// a row-major A is A^T to LAPACK: its factors are those of A^T, and A x = b asks for "T"
coh_status coh_la_factorise(int64_t n, double *a, int32_t *pivot) {
  lapack_int size = (lapack_int)n, info = 0;
  int before = coh_la_serial_begin();
  dgetrf_(&size, &size, a, &size, pivot, &info);
  coh_la_serial_end(before);
  COH_CHECK(info == 0, COH_E_DATA, "the matrix of order %lld is singular (column %lld)",
            (long long)n, (long long)info - 1);
  return COH_OK;
}

void coh_la_factors_solve(int64_t n, const double *factors, const int32_t *pivot, double *b) {
  lapack_int size = (lapack_int)n, one = 1, info = 0;
  int before = coh_la_serial_begin();
  dgetrs_("T", &size, &one, factors, &size, pivot, b, &size, &info, 1);
  coh_la_serial_end(before);
}

static void swap_rows(int64_t n, double *a, int64_t i, int64_t j) {
  for (int64_t k = 0; k < n && i != j; k++) {
    double kept = a[i * n + k];
    a[i * n + k] = a[j * n + k];
    a[j * n + k] = kept;
  }
}

coh_status coh_la_solve(int64_t n, int64_t m, double *a, double *b) {
  for (int64_t k = 0; k < n; k++) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; i++)
      if (fabs(a[i * n + k]) > fabs(a[pivot * n + k])) pivot = i;
    double size = fabs(a[pivot * n + k]);
    COH_CHECK(size > 0 && isfinite(size), COH_E_DATA,
              "the matrix of order %lld is singular (row %lld)", (long long)n, (long long)k);
    swap_rows(n, a, k, pivot);
    swap_rows(m, b, k, pivot);
    for (int64_t i = k + 1; i < n; i++) {
      double factor = a[i * n + k] / a[k * n + k];
      if (factor == 0) continue;
      for (int64_t j = k; j < n; j++)
        a[i * n + j] -= factor * a[k * n + j];
      for (int64_t j = 0; j < m; j++)
        b[i * m + j] -= factor * b[k * m + j];
    }
  }
  for (int64_t k = n - 1; k >= 0; k--)
    for (int64_t j = 0; j < m; j++) {
      double sum = b[k * m + j];
      for (int64_t i = k + 1; i < n; i++)
        sum -= a[k * n + i] * b[i * m + j];
      b[k * m + j] = sum / a[k * n + k];
    }
  return COH_OK;
}

coh_status coh_la_ridge_solve(int64_t p, int64_t m, double ridge, double *xtx, double *xty) {
  for (int64_t i = 0; i < p; i++)
    xtx[i * p + i] += ridge;
  coh_status status = coh_la_cholesky(p, xtx);
  if (status != COH_OK)
    return coh_fail_within(status, "ridge regression with ridge %g: a larger one would do",
                           ridge);
  coh_la_cholesky_solve(p, m, xtx, xty);
  return COH_OK;
}

// A = V diag(values) V^T becomes V diag(sqrt) V^T; work: (n,n) twice and n
static void recompose(int64_t n, const double *values, double *vectors, double *scaled,
                      double *a) {
  for (int64_t i = 0; i < n; i++) {
    double root = values[i] > 0 ? sqrt(values[i]) : 0;
    for (int64_t j = 0; j < n; j++)
      scaled[i * n + j] = root * vectors[i * n + j];
  }
  coh_la_dgemm(true, false, n, n, n, 1, vectors, n, scaled, n, 0, a, n);
}

coh_status coh_la_square_root(int64_t n, double *a) {
  double *values = coh_alloc_array((size_t)n, sizeof *values);
  double *vectors = coh_alloc_array((size_t)(n * n), sizeof *vectors);
  double *scaled = coh_alloc_array((size_t)(n * n), sizeof *scaled);
  coh_status status =
      values && vectors && scaled ? COH_OK : coh_fail(COH_E_MEMORY, "square root: no memory");
  if (status == COH_OK) status = coh_la_eigen_symmetric(n, a, n, values, vectors);
  if (status == COH_OK) recompose(n, values, vectors, scaled, a);
  coh_free(values);
  coh_free(vectors);
  coh_free(scaled);
  return status;
}

coh_status coh_la_trace_of_root(int64_t n, const double *a, const double *b, double *trace) {
  size_t count = (size_t)(n * n);
  double *root = coh_alloc_array(count, sizeof *root);
  double *left = coh_alloc_array(count, sizeof *left);
  double *both = coh_alloc_array(count, sizeof *both);
  double *values = coh_alloc_array((size_t)n, sizeof *values);
  coh_status status = root && left && both && values
                          ? COH_OK
                          : coh_fail(COH_E_MEMORY, "trace of a root: no memory");
  if (status == COH_OK) {
    memcpy(root, a, count * sizeof *root);
    status = coh_la_square_root(n, root);
  }
  if (status == COH_OK) {
    coh_la_dgemm(false, false, n, n, n, 1, root, n, b, n, 0, left, n);
    coh_la_dgemm(false, false, n, n, n, 1, left, n, root, n, 0, both, n);
    status = coh_la_eigen_symmetric(n, both, n, values, NULL);
  }
  if (status == COH_OK) {
    *trace = 0;
    for (int64_t i = n - 1; i >= 0; i--)
      *trace += values[i] > 0 ? sqrt(values[i]) : 0;
  }
  coh_free(root);
  coh_free(left);
  coh_free(both);
  coh_free(values);
  return status;
}
