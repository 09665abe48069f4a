/* MacQueen's and Porteus's bound: with TV - V within [low, high] the optimum lies within TV +
 * beta / (1 - beta) [low, high] (beta: discount times a row's sum). What rounding, or a compact
 * form of the rows, may have done to TV widens it. */
#include <float.h>
#include <math.h>

#include "mdp/mdp_bound.h"
#include "mdp/mdp_compact.h"

void coh_mdp_rows_measure(const coh_mdp *mdp, coh_mdp_rows *rows) {
  *rows = (coh_mdp_rows){.least_sum = INFINITY};
  for (int64_t r = 0; r < mdp->n_rows; r++) {
    double sum = 0.0;
    for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++)
      sum += mdp->probability[e];
    int64_t n = mdp->first_entry[r + 1] - mdp->first_entry[r];
    if (n > rows->longest) rows->longest = n;
    if (sum < rows->least_sum) rows->least_sum = sum;
    if (sum > rows->greatest_sum) rows->greatest_sum = sum;
    if (fabs(mdp->reward[r]) > rows->greatest_reward)
      rows->greatest_reward = fabs(mdp->reward[r]);
  }
  double slack = (double)(rows->longest + 1) * DBL_EPSILON;
  rows->least_sum -= slack;
  rows->greatest_sum += slack;
  rows->error = mdp->compact ? mdp->compact->error : 0.0;
}

double coh_mdp_rounding(const coh_mdp_rows *rows, double discount, double largest_value) {
  return (double)(rows->longest + 4) * DBL_EPSILON *
             (rows->greatest_reward +
              discount * (rows->greatest_sum + rows->error) * largest_value) +
         discount * rows->error * (1.0 + 4.0 * DBL_EPSILON) * largest_value;
}

void coh_mdp_macqueen(const coh_mdp_rows *rows, double discount, double rounding, double low,
                      double high, double *lower, double *upper) {
  double least = discount * rows->least_sum, greatest = discount * rows->greatest_sum;
  double short_run = least / (1.0 - least), long_run = greatest / (1.0 - greatest);
  low -= rounding;
  high += rounding;
  *lower = low * (low >= 0.0 ? short_run : long_run) - rounding;
  *upper = high * (high >= 0.0 ? long_run : short_run) + rounding;
  // the few operations above round as well
  *lower -= fabs(*lower) * 8.0 * DBL_EPSILON;
  *upper += fabs(*upper) * 8.0 * DBL_EPSILON;
}
