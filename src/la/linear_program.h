/* Sparse linear programs, solved by COIN-OR Clp where the library was built with it.
 *
 *     maximise c x   subject to   row_low <= A x <= row_high,   low <= x <= high
 *
 * Infinite bounds are +-INFINITY. Source: Forrest, Hall, "CLP user guide", COIN-OR (EPL). */
#ifndef COHORT_LA_LINEAR_PROGRAM_H
#define COHORT_LA_LINEAR_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"

/* A by rows; all arrays borrowed. */
typedef struct coh_linear_program {
  int64_t n_variables, n_rows;
  const double *objective, *low, *high; /* (n_variables) */
  const double *row_low, *row_high;     /* (n_rows) */
  const int64_t *first;                 /* (n_rows + 1) */
  const int32_t *variable;              /* (entries) */
  const double *factor;                 /* (entries) */
} coh_linear_program;

/* Whether this library can solve linear programs. */
bool coh_linear_program_available(void);

/* Solve in the calling thread. x: out, n_variables; objective: out; n_iterations: out, may be
 * NULL. Fails: COH_E_CONFIG when built without Clp, COH_E_DATA when the program has no point or
 * no bound, COH_E_DIVERGED when the solver gives up, COH_E_MEMORY. */
coh_status coh_linear_program_solve(const coh_linear_program *program, double *x,
                                    double *objective, int64_t *n_iterations);

#endif
