/* Breadth-first order over reversed transitions, then Gauss-Seidel sweeps along it. */
#include "mdp/mdp_wave.h"

#include <math.h>

#include "base/alloc.h"
#include "mdp/mdp_incoming.h"
#include "mdp/mdp_kernel.h"

enum { MAX_SWEEPS = 1000 };

/* The reward that most rows pay; false where less than 95% of the rows do. */
static bool common_reward(const coh_mdp *mdp, double *common) {
  double candidate = 0.0;
  int64_t lead = 0, n = 0;
  for (int64_t r = 0; r < mdp->n_rows; r++) {
    if (lead == 0) candidate = mdp->reward[r];
    lead += mdp->reward[r] == candidate ? 1 : -1;
  }
  for (int64_t r = 0; r < mdp->n_rows; r++)
    n += mdp->reward[r] == candidate;
  *common = candidate;
  return n < mdp->n_rows && (double)n >= 0.95 * (double)mdp->n_rows;
}

/* order: states by distance, those that no such row can be reached from last. Returns how many
 * are reached. */
static int64_t order_states(const coh_mdp *mdp, const coh_mdp_incoming *back, double common,
                            uint8_t *seen, uint32_t *order) {
  int64_t n = 0;
  for (int64_t s = 0; s < mdp->n_states; s++)
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
      if (mdp->reward[r] != common && !seen[s]) {
        seen[s] = 1;
        order[n++] = (uint32_t)s;
      }
  for (int64_t k = 0; k < n; k++)
    for (int64_t i = back->first[order[k]]; i < back->first[order[k] + (int64_t)1]; i++) {
      uint32_t from = back->state[back->row[i]];
      if (seen[from]) continue;
      seen[from] = 1;
      order[n++] = from;
    }
  return n;
}

/* One sweep in place; returns the largest change. */
static double sweep_along(const coh_mdp *mdp, bool minimize, const uint32_t *order, int64_t n,
                          double *values) {
  double largest = 0.0, sign = minimize ? -1.0 : 1.0;
  for (int64_t k = 0; k < n; k++) {
    int64_t s = order[k];
    double best = -INFINITY;
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
      int64_t e = mdp->first_entry[r];
      double q =
          mdp->reward[r] + mdp->discount * coh_mdp_row_sum(mdp->next + e, mdp->probability + e,
                                                           mdp->first_entry[r + 1] - e, values);
      if (sign * q > best) best = sign * q;
    }
    double change = fabs(sign * best - values[s]);
    if (change > largest) largest = change;
    values[s] = sign * best;
  }
  return largest;
}

static void sweep_until_still(const coh_mdp *mdp, bool minimize, const uint32_t *order,
                              int64_t n, double *values, int64_t *n_sweeps) {
  double greatest = 0.0;
  for (int k = 1; k <= MAX_SWEEPS; k++) {
    double change = sweep_along(mdp, minimize, order, n, values);
    ++*n_sweeps;
    if (change > greatest) greatest = change;
    if (!(change > 1e-12 * greatest)) break;
  }
}

coh_status coh_mdp_wave(const coh_mdp *mdp, bool minimize, double *values, int64_t *n_sweeps) {
  double common;
  if (!common_reward(mdp, &common)) return COH_OK;
  coh_mdp_incoming *back = NULL;
  uint8_t *seen = coh_alloc_array((size_t)mdp->n_states, 1);
  uint32_t *order = coh_alloc_array((size_t)mdp->n_states, sizeof *order);
  coh_status status = seen && order ? coh_mdp_incoming_create(mdp, &back)
                                    : coh_fail(COH_E_MEMORY, "out of memory for an order");
  if (status == COH_OK) {
    for (int64_t s = 0; s < mdp->n_states; s++)
      values[s] = common / (1.0 - mdp->discount);
    int64_t n = order_states(mdp, back, common, seen, order);
    sweep_until_still(mdp, minimize, order, n, values, n_sweeps);
  }
  coh_mdp_incoming_destroy(&back);
  coh_free(seen);
  coh_free(order);
  return status;
}
