/* L-BFGS that is asked for points instead of calling back: one evaluation an advance, so that a
 * fit can be an epoch of a task and be saved in between.
 *
 *     create -> evaluate f and gradient at x -> advance writes the next x -> evaluate ...
 *
 * Minimises f(x) + l1 |x|_1. The line search brackets weak Wolfe conditions by doubling and
 * halving. With l1 > 0 directions and points stay in one orthant at a time (OWL-QN), and the
 * search backtracks. Not parallel, not collective.
 * Sources: Nocedal 1980; Lewis and Overton 2013 (line search); Andrew and Gao 2007 (OWL-QN). */
#ifndef COHORT_LA_LBFGS_H
#define COHORT_LA_LBFGS_H

#include <stdint.h>

#include "cohort/status.h"

typedef struct coh_lbfgs coh_lbfgs;

/* n: variables; memory: pairs kept (5 to 20 is usual). Caller destroys. Fails: COH_E_MEMORY. */
coh_status coh_lbfgs_create(int64_t n, int64_t memory, double l1, coh_lbfgs **lbfgs);
void coh_lbfgs_destroy(coh_lbfgs **lbfgs);

typedef enum coh_lbfgs_event {
  COH_LBFGS_SEARCHING, /* x is another trial of the same line */
  COH_LBFGS_MOVED,     /* a step was accepted; x begins the next line */
  COH_LBFGS_DONE,      /* the gradient's largest component is within tolerance, or no step
                          gains any more; x is the best point */
} coh_lbfgs_event;

/* f (without the l1 term) and gradient at x, as evaluated; x: in/out (n), the next point. A
 * trial where f is not finite counts as too far. Once done it stays done.
 * Fails: COH_E_DIVERGED when the first point's values are not finite. */
coh_status coh_lbfgs_advance(coh_lbfgs *lbfgs, double f, const double *gradient,
                             double tolerance, double *x, coh_lbfgs_event *event);

/* Everything it knows, to be saved or overwritten by what was saved. */
double *coh_lbfgs_state(coh_lbfgs *lbfgs, int64_t *n_numbers);

#endif
