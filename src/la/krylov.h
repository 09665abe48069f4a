/* Krylov solvers for A x = b where A is only known by its product: BiCGStab and restarted
 * GMRES.
 *
 * Vectors are this process's share; sums over all of it come from the caller's passes, so that
 * the same code solves on one rank or many. All memory is allocated at create.
 * Sources: van der Vorst 1992 (BiCGStab); Saad, Schultz 1986 (GMRES). */
#ifndef COHORT_LA_KRYLOV_H
#define COHORT_LA_KRYLOV_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"

enum { COH_KRYLOV_SUMS = 64 }; /* most that a pass takes */

/* Work on components [first, end), and its n_sums partial sums, if any; sums: out. */
typedef void (*coh_krylov_work)(void *job, int64_t first, int64_t end, double *sums);

typedef struct coh_krylov_system {
  void *context;
  int64_t n;    /* components of this process */
  int64_t room; /* components behind them that the product may write to, in x too */

  /* y = A x; where `with` is not NULL, sums: out, with . y and y . y. */
  coh_status (*product)(void *context, double *x, double *y, const double *with, double *sums);

  /* Call `work` over stretches that cover [0, n), from many threads perhaps; sums: out, over
   * all stretches of all processes, in an order that threads and processes do not change. */
  coh_status (*pass)(void *context, int n_sums, coh_krylov_work work, void *job, double *sums);

  /* z about A^-1 x, linear or nearly so; NULL: z = x. BiCGStab only. */
  coh_status (*precondition)(void *context, const double *x, double *z);
} coh_krylov_system;

typedef struct coh_krylov coh_krylov;

/* restart: the length of GMRES's basis, 2 .. 60; 0: BiCGStab only. *krylov: caller destroys.
 * Fails: COH_E_MEMORY. */
coh_status coh_krylov_create(const coh_krylov_system *system, int restart, coh_krylov **krylov);
void coh_krylov_destroy(coh_krylov **krylov);

/* How a solve ended. */
typedef struct coh_krylov_outcome {
  double start;    /* Euclidean norm of b - A x before */
  double residual; /* and after; of coh_krylov_settle the largest component */
  int64_t n_products;
  bool reached;
} coh_krylov_outcome;

/* Improve x until the residual's Euclidean norm is at most `target` or max_products are done.
 * A breakdown restarts from the true residual. Not reaching is not a failure: see outcome.
 * Fails: what the callbacks fail with. */
coh_status coh_krylov_bicgstab(coh_krylov *krylov, const double *b, double target,
                               int64_t max_products, double *x, coh_krylov_outcome *outcome);
coh_status coh_krylov_gmres(coh_krylov *krylov, const double *b, double target,
                            int64_t max_products, double *x, coh_krylov_outcome *outcome);

/* Richardson's iteration x += b - A x, until the largest component of the residual is at most
 * `tolerance`: slow, but with A = I - c P, P stochastic or its transpose and c < 1, certain.
 * For systems of one process. */
coh_status coh_krylov_richardson(coh_krylov *krylov, const double *b, double tolerance,
                                 int64_t max_products, double *x, coh_krylov_outcome *outcome);

/* The same until the largest component of the residual is at most `tolerance`, by Euclidean
 * targets that fall. For systems of one process. */
coh_status coh_krylov_settle(coh_krylov *krylov, bool gmres, const double *b, double tolerance,
                             int64_t max_products, double *x, coh_krylov_outcome *outcome);

/* A few digits of x, from 0: BiCGStab to a residual of `ratio` of |b| by its recurrence alone,
 * with no restart; given up where the residual has grown 10,000 times. */
coh_status coh_krylov_correct(coh_krylov *krylov, const double *b, double ratio,
                              int64_t max_products, double *x, coh_krylov_outcome *outcome);

/* The work of a pass whose sums are x[k] . y[k], k < n; each in an order fixed by the length.
 */
typedef struct coh_krylov_dots {
  int n;
  const double *const *x, *const *y;
} coh_krylov_dots;
void coh_krylov_dots_work(void *dots, int64_t first, int64_t end, double *sums);

#endif
