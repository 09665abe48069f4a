/* Dense factorisations in double precision, row-major, by LAPACK. Each runs in the calling
 * thread alone, so its bits do not depend on the number of threads. Arrays are borrowed. Not
 * collective. A matrix that is said to be symmetric is read in its lower triangle only. */
#ifndef COHORT_LA_LAPACK_H
#define COHORT_LA_LAPACK_H

#include <stdint.h>

#include "cohort/status.h"

/* The k largest eigenvalues of a symmetric matrix, largest first, and their vectors.
 * a: (n,n), destroyed; values: out, k; vectors: out, (k,n), one unit vector a row, or NULL.
 * The sign of a vector is LAPACK's: fix it where it is shown (coh_la_fix_sign).
 * Fails: COH_E_DATA (a is not finite), COH_E_MEMORY, COH_E_INTERNAL. Method: dsyevr (MRRR). */
coh_status coh_la_eigen_symmetric(int64_t n, double *a, int64_t k, double *values,
                                  double *vectors);

/* Turn a vector so that its entry of the largest magnitude is positive; the first one where
 * several are equal. */
void coh_la_fix_sign(int64_t n, double *vector);

/* A = Q R with orthonormal columns in Q and R upper triangular with a diagonal >= 0, m >= n.
 * a: (m,n), in: A, out: Q; r: out, (n,n), or NULL.
 * Fails: COH_E_MEMORY, COH_E_INTERNAL. */
coh_status coh_la_qr(int64_t m, int64_t n, double *a, double *r);

/* A = L L^T of a symmetric positive definite matrix. a: (n,n), out: L in the lower triangle,
 * zero above. Fails: COH_E_DATA when A is not positive definite, with the row it was seen at.
 */
coh_status coh_la_cholesky(int64_t n, double *a);

/* Solve L L^T X = B. l: (n,n) from coh_la_cholesky; b: (n,m), in: B, out: X. */
void coh_la_cholesky_solve(int64_t n, int64_t m, const double *l, double *b);

/* L U of a general matrix with pivots. a: (n,n), out: the factors; pivot: out, n.
 * Allocates nothing. Fails: COH_E_DATA when a pivot is 0. */
coh_status coh_la_factorise(int64_t n, double *a, int32_t *pivot);

/* Solve A x = b with the factors. b: n, in: b, out: x. */
void coh_la_factors_solve(int64_t n, const double *factors, const int32_t *pivot, double *b);

/* Solve A X = B by elimination with partial pivoting, for small general matrices. a: (n,n),
 * destroyed; b: (n,m), in: B, out: X. Allocates nothing. Fails: COH_E_DATA when a pivot is 0 or
 * not finite. */
coh_status coh_la_solve(int64_t n, int64_t m, double *a, double *b);

/* Ridge regression: the W (p,m) that minimises |X W - Y|^2 + ridge |W|^2, from the products
 * X^T X (p,p; destroyed) and X^T Y (p,m; out: W). ridge >= 0.
 * Fails: COH_E_DATA when the system is singular: give a larger ridge. */
coh_status coh_la_ridge_solve(int64_t p, int64_t m, double ridge, double *xtx, double *xty);

/* The symmetric square root of a symmetric positive semidefinite matrix, S S = A; eigenvalues
 * below zero (rounding) count as zero. a: (n,n), in: A, out: S.
 * Fails: as coh_la_eigen_symmetric. */
coh_status coh_la_square_root(int64_t n, double *a);

/* The trace of the square root of A B, both symmetric positive semidefinite: the sum of the
 * roots of the eigenvalues of A^1/2 B A^1/2 (the cross term of the Frechet distance between
 * Gaussians: Heusel et al., NeurIPS 2017). a, b: (n,n), not written. *trace: out. Fails: as
 * coh_la_eigen_symmetric. */
coh_status coh_la_trace_of_root(int64_t n, const double *a, const double *b, double *trace);

#endif
