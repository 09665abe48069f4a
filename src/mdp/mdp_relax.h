/* Sweeps in place, for methods: Gauss-Seidel and over-relaxation by blocks.
 *
 * A block of states reads its own newest values and the others' from before the sweep, so that
 * blocks are independent and the bits do not depend on threads; a model of one block has plain
 * Gauss-Seidel. What such sweeps reach is only believed after a Jacobi sweep. */
#ifndef COHORT_MDP_MDP_RELAX_H
#define COHORT_MDP_MDP_RELAX_H

#include "cohort/mdp.h"

typedef enum coh_mdp_order { COH_MDP_JACOBI, COH_MDP_GAUSS_SEIDEL, COH_MDP_SOR } coh_mdp_order;
#define COH_MDP_ORDER_CHOICES "jacobi|gauss_seidel|sor"

typedef struct coh_mdp_relaxation {
  const coh_mdp *mdp;
  bool minimize;
  const int32_t *choice; /* rows of a policy; NULL: the best row */
  coh_mdp_order order;
  double omega;  /* of sor: v += omega (T v - v) */
  bool backward; /* states in falling order */
  int n_threads;
} coh_mdp_relaxation;

/* values: n_states, in/out; old: n_states, scratch; change: out, the largest |T v - v| met. */
void coh_mdp_relax(const coh_mdp_relaxation *relaxation, double *values, double *old,
                   double *change);

/* Entries that one such sweep reads. */
int64_t coh_mdp_relax_entries(const coh_mdp_relaxation *relaxation);

#endif
