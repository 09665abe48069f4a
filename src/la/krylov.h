/* Krylov solvers for A x = b where A is only known by its product: BiCGStab and restarted
 * GMRES.
 *
 * Vectors are this process's share; sums over all of it come from the caller's `dots`, so that
 * the same code solves on one rank or many. All memory is allocated at create.
 * Sources: van der Vorst 1992 (BiCGStab); Saad, Schultz 1986 (GMRES). */
#ifndef COHORT_LA_KRYLOV_H
#define COHORT_LA_KRYLOV_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"

typedef struct coh_krylov_system {
  void *context;
  int64_t n;    /* components of this process */
  int64_t room; /* components behind them that the product may write to, in x too */

  /* y = A x. */
  coh_status (*product)(void *context, double *x, double *y);

  /* out[i] = sum of x[i] y[i] over all components of all processes, i < n_pairs <= 64. */
  coh_status (*dots)(void *context, int n_pairs, const double *const x[],
                     const double *const y[], double *out);

  /* Independent work on components [first, end): the caller may call `work` from many threads
   * over stretches that cover [0, n). */
  void (*stretches)(void *context, void (*work)(void *job, int64_t first, int64_t end),
                    void *job);
} coh_krylov_system;

typedef struct coh_krylov coh_krylov;

/* restart: the length of GMRES's basis, 2 .. 60; 0: BiCGStab only. *krylov: caller destroys.
 * Fails: COH_E_MEMORY. */
coh_status coh_krylov_create(const coh_krylov_system *system, int restart, coh_krylov **krylov);
void coh_krylov_destroy(coh_krylov **krylov);

/* How a solve ended. */
typedef struct coh_krylov_outcome {
  double residual; /* Euclidean norm of b - A x, by recurrence */
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

#endif
