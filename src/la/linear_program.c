/* Linear programs through Clp's C interface. */
#include "la/linear_program.h"

#ifdef COHORT_HAS_CLP

#include <limits.h>
#include <math.h>
#include <string.h>

#include <coin/Clp_C_Interface.h>

#include "base/alloc.h"

bool coh_linear_program_available(void) {
  return true;
}

static double clp_bound(double x) {
  return x > 1e30 ? 1e31 : x < -1e30 ? -1e31 : x;
}

// Clp copies everything that it is given
static coh_status add_variables(Clp_Simplex *clp, const coh_linear_program *program) {
  int64_t n = program->n_variables;
  double *bounds;
  int *starts;
  COH_NEW(bounds, 2 * n);
  COH_NEW(starts, n + 1);
  for (int64_t i = 0; i < n; i++) {
    bounds[i] = clp_bound(program->low[i]);
    bounds[n + i] = clp_bound(program->high[i]);
  }
  Clp_addColumns(clp, (int)n, bounds, bounds + n, program->objective, starts, NULL, NULL);
  coh_free(bounds);
  coh_free(starts);
  return COH_OK;
}

static coh_status add_rows(Clp_Simplex *clp, const coh_linear_program *program) {
  int64_t n = program->n_rows;
  double *bounds;
  int *starts;
  COH_NEW(bounds, 2 * n);
  COH_NEW(starts, n + 1);
  for (int64_t i = 0; i < n; i++) {
    bounds[i] = clp_bound(program->row_low[i]);
    bounds[n + i] = clp_bound(program->row_high[i]);
    starts[i + 1] = (int)program->first[i + 1];
  }
  Clp_addRows(clp, (int)n, bounds, bounds + n, starts, program->variable, program->factor);
  coh_free(bounds);
  coh_free(starts);
  return COH_OK;
}

static coh_status solve(Clp_Simplex *clp, const coh_linear_program *program, double *x) {
  Clp_setLogLevel(clp, 0);
  Clp_setOptimizationDirection(clp, -1);
  COH_TRY(add_variables(clp, program));
  COH_TRY(add_rows(clp, program));
  Clp_initialSolve(clp);
  int status = Clp_status(clp);
  COH_CHECK(status != 1, COH_E_DATA, "the linear program has no solution");
  COH_CHECK(status != 2, COH_E_DATA, "the linear program is unbounded");
  COH_CHECK(status == 0, COH_E_DIVERGED, "the linear program's solver gave up (status %d)",
            status);
  memcpy(x, Clp_getColSolution(clp), (size_t)program->n_variables * sizeof *x);
  return COH_OK;
}

coh_status coh_linear_program_solve(const coh_linear_program *program, double *x,
                                    double *objective, int64_t *n_iterations) {
  COH_CHECK(program->first[program->n_rows] <= INT_MAX, COH_E_DATA,
            "the linear program has %lld entries, more than its solver can count",
            (long long)program->first[program->n_rows]);
  Clp_Simplex *clp = Clp_newModel();
  COH_CHECK(clp, COH_E_MEMORY, "out of memory for a linear program");
  coh_status status = solve(clp, program, x);
  if (status == COH_OK) {
    *objective = Clp_objectiveValue(clp);
    if (n_iterations) *n_iterations = Clp_numberIterations(clp);
  }
  Clp_deleteModel(clp);
  return status;
}

#else

bool coh_linear_program_available(void) {
  return false;
}

coh_status coh_linear_program_solve(const coh_linear_program *program, double *x,
                                    double *objective, int64_t *n_iterations) {
  (void)program, (void)x, (void)objective, (void)n_iterations;
  return coh_fail(COH_E_CONFIG, "this build has no linear programming: install "
                                "coinor-libclp-dev (launch/install-deps) and build again");
}

#endif
