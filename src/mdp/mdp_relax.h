/* Sweeps in place, for methods: Gauss-Seidel and over-relaxation by blocks.
 *
 * A block of states reads its own newest values and the others' from before the sweep (Jacobi
 * between blocks), so that blocks are independent and the bits depend on lanes only, not on
 * ranks and threads; a model of one block has plain Gauss-Seidel. What such sweeps reach is
 * only believed after a Jacobi sweep. */
#ifndef COHORT_MDP_MDP_RELAX_H
#define COHORT_MDP_MDP_RELAX_H

#include "mdp/mdp_shard.h"

typedef enum coh_mdp_order { COH_MDP_JACOBI, COH_MDP_GAUSS_SEIDEL, COH_MDP_SOR } coh_mdp_order;
#define COH_MDP_ORDER_CHOICES "jacobi|gauss_seidel|sor"

typedef struct coh_mdp_relaxation {
  coh_mdp_shard *shard;
  bool minimize;
  const int32_t *choice; /* rows of a policy; NULL: the best row */
  coh_mdp_order order;
  double omega;  /* of sor: v += omega (T v - v) */
  bool backward; /* states in falling order */
} coh_mdp_relaxation;

/* A stretch of states whose newest values are read; elsewhere those of before. */
typedef struct coh_mdp_scope {
  const coh_mdp_relaxation *how;
  double *values;
  const double *old;
  int64_t first, length;
} coh_mdp_scope;

/* T of one state. */
double coh_mdp_relax_state(const coh_mdp_scope *scope, int64_t s);

/* values: own, in/out; old: own and ghosts, scratch; change: out, the largest |T v - v| met on
 * any rank, DBL_MAX where it is no number. Collective, as the shard is. */
coh_status coh_mdp_relax(const coh_mdp_relaxation *relaxation, double *values, double *old,
                         double *change);

#endif
