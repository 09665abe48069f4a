/* Bounds on the optimum that hold in floating point: rounding widens them, never narrows. */
#ifndef COHORT_MDP_MDP_BOUND_H
#define COHORT_MDP_MDP_BOUND_H

#include "cohort/mdp.h"
#include "cohort/status.h"

/* What bounds need to know of all rows. */
typedef struct coh_mdp_rows {
  double least_sum, greatest_sum; /* of probabilities, rounded outward */
  double greatest_reward;         /* absolute */
  int64_t longest;                /* entries */
  double error;                   /* of a row as sweeps read it: sum of |differences| */
} coh_mdp_rows;

void coh_mdp_rows_measure(const coh_mdp *mdp, coh_mdp_rows *rows);

/* What a Jacobi sweep says about the optimum: V* within TV + [lower, upper]. */
typedef struct coh_mdp_certificate {
  double lower, upper;
  double width, wanted; /* upper - lower, and where it is narrow enough */
  double floor;         /* the width that rounding alone makes */
} coh_mdp_certificate;

/* From low <= TV - V <= high, and the largest |V|. tolerance: 0: 1e-9 of the largest value. */
coh_mdp_certificate coh_mdp_certify(const coh_mdp_rows *rows, double discount, double low,
                                    double high, double largest, double tolerance);

/* Whether a solver gets anywhere. */
typedef struct coh_mdp_progress {
  double narrowest; /* INFINITY at first */
  int64_t n_wider;  /* certificates since it was that narrow */
} coh_mdp_progress;

/* Note one more certificate. Fails: COH_E_DIVERGED where values are not finite, or rounding, or
 * whatever else, keeps the bound wide. */
coh_status coh_mdp_progress_note(coh_mdp_progress *progress, const coh_mdp_certificate *said);

#endif
