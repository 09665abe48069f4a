/* Approaching the value of a greedy policy, for the methods of policy iteration. */
#ifndef COHORT_MDP_POLICY_SOLVER_H
#define COHORT_MDP_POLICY_SOLVER_H

#include "mdp/mdp_evaluate.h"
#include "mdp/mdp_relax.h"
#include "mdp/plan.h"
#include "mdp/policy_chain.h"

typedef enum coh_mdp_solver {
  COH_MDP_BY_BICGSTAB,
  COH_MDP_BY_GMRES,
  COH_MDP_BY_AGGREGATION,
  COH_MDP_BY_JACOBI,
  COH_MDP_BY_GAUSS_SEIDEL,
  COH_MDP_BY_SOR
} coh_mdp_solver;
#define COH_MDP_SOLVER_CHOICES "bicgstab|gmres|aggregation|jacobi|gauss_seidel|sor"

typedef struct coh_mdp_policy_solver {
  coh_mdp_solver by;
  double omega; /* of sor */
  double *reward, *old;
  coh_mdp_evaluator *evaluator; /* of Krylov solvers */
  coh_policy_chain *chain;      /* of aggregation; made in the first run */
} coh_mdp_policy_solver;

coh_status coh_mdp_policy_solver_create(const coh_mdp_plan *plan, coh_mdp_solver by,
                                        double omega, coh_mdp_policy_solver **solver);
void coh_mdp_policy_solver_destroy(coh_mdp_policy_solver **solver);

/* plan->values: out, an approximate value of plan->choice from next, shifted to the middle of
 * its bound. Ends at a residual (by component) of about `target`, or after `most` passes. */
coh_status coh_mdp_policy_solver_run(coh_mdp_policy_solver *solver, coh_mdp_plan *plan,
                                     double target, int64_t most);

#endif
