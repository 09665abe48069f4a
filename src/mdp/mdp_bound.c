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

/* How far a computed reward + discount P values can be from the true one. */
static double rounding_of(const coh_mdp_rows *rows, double discount, double largest_value) {
  return (double)(rows->longest + 4) * DBL_EPSILON *
             (rows->greatest_reward +
              discount * (rows->greatest_sum + rows->error) * largest_value) +
         discount * rows->error * (1.0 + 4.0 * DBL_EPSILON) * largest_value;
}

static void macqueen(const coh_mdp_rows *rows, double discount, double rounding, double low,
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

coh_mdp_certificate coh_mdp_certify(const coh_mdp_rows *rows, double discount, double low,
                                    double high, double largest, double tolerance) {
  coh_mdp_certificate said;
  double rounding = rounding_of(rows, discount, largest), least, most;
  macqueen(rows, discount, rounding, low, high, &said.lower, &said.upper);
  macqueen(rows, discount, rounding, 0.0, 0.0, &least, &most);
  said.floor = most - least;
  said.width = said.upper - said.lower;
  said.wanted = tolerance > 0.0 ? tolerance : 1e-9 * largest;
  return said;
}

enum { MOST_AT_FLOOR = 50, PATIENCE = 2000 }; // certificates that do not narrow the bound

coh_status coh_mdp_progress_note(coh_mdp_progress *progress, const coh_mdp_certificate *said) {
  COH_CHECK(isfinite(said->width), COH_E_DIVERGED, "values are not finite");
  progress->n_wider = said->width < progress->narrowest ? 0 : progress->n_wider + 1;
  progress->narrowest = fmin(progress->narrowest, said->width);
  COH_CHECK(said->width > 1.5 * said->floor || progress->n_wider < MOST_AT_FLOOR,
            COH_E_DIVERGED,
            "the bound stays %.3g wide, above the tolerance of %.3g: rounding alone makes %.3g",
            progress->narrowest, said->wanted, said->floor);
  COH_CHECK(progress->n_wider < PATIENCE, COH_E_DIVERGED,
            "the bound has stayed %.3g wide for %d rounds, above the tolerance of %.3g",
            progress->narrowest, PATIENCE, said->wanted);
  return COH_OK;
}
