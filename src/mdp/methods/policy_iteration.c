/* Policy iteration: each policy is evaluated as well as the tolerance needs. */
#include <math.h>

#include "mdp/method_options.h"
#include "mdp/policy_solver.h"

typedef struct exact_options {
  int solver;
  double omega;
} exact_options;

static const coh_option table[] = {
    COH_MDP_SOLVER_ROW(exact_options),
    COH_MDP_OMEGA_ROW(exact_options),
    {0},
};

static coh_status create(coh_mdp_plan *plan) {
  const exact_options *options = plan->options;
  coh_mdp_policy_solver *solver = NULL;
  COH_TRY(coh_mdp_policy_solver_create(plan, (coh_mdp_solver)options->solver, options->omega,
                                       &solver));
  plan->own = solver;
  return COH_OK;
}

static void destroy(coh_mdp_plan *plan) {
  coh_mdp_policy_solver *solver = plan->own;
  coh_mdp_policy_solver_destroy(&solver);
}

static coh_status advance(coh_mdp_plan *plan) {
  // a residual r makes a bound 2 r / (1 - discount) wide
  double target = 0.1 * fmax(plan->wanted, plan->floor) * (1.0 - plan->mdp->discount);
  if (plan->wanted == 0.0) target = 1e-12 * coh_mdp_plan_residual(plan);
  return coh_mdp_policy_solver_run(plan->own, plan, target, 1000000);
}

const coh_mdp_method coh_mdp_policy_iteration = {
    .kind = {"policy_iteration",
             "Evaluate the greedy policy to the tolerance, improve, repeat (Howard 1960).",
             table, sizeof(exact_options)},
    .by_policy = true,
    .create = create,
    .destroy = destroy,
    .advance = advance};
