/* Bounds on the optimum that hold in floating point: rounding widens them, never narrows. */
#ifndef COHORT_MDP_MDP_BOUND_H
#define COHORT_MDP_MDP_BOUND_H

#include "cohort/mdp.h"

/* What bounds need to know of all rows. */
typedef struct coh_mdp_rows {
  double least_sum, greatest_sum; /* of probabilities, rounded outward */
  double greatest_reward;         /* absolute */
  int64_t longest;                /* entries */
  double error;                   /* of a row as sweeps read it: sum of |differences| */
} coh_mdp_rows;

void coh_mdp_rows_measure(const coh_mdp *mdp, coh_mdp_rows *rows);

/* How far a computed reward + discount P values can be from the true one. */
double coh_mdp_rounding(const coh_mdp_rows *rows, double discount, double largest_value);

/* From low <= TV - V <= high: TV + lower <= V* <= TV + upper. */
void coh_mdp_macqueen(const coh_mdp_rows *rows, double discount, double rounding, double low,
                      double high, double *lower, double *upper);

#endif
