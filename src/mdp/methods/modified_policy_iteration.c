/* Modified policy iteration: a fixed number of sweeps with the greedy policy. */
#include "mdp/method_options.h"
#include "mdp/policy_solver.h"

typedef struct modified_options {
  int order;
  int64_t sweeps;
  double omega;
} modified_options;

static const coh_option table[] = {
    COH_MDP_ORDER_ROW(modified_options, "gauss_seidel"),
    COH_MDP_SWEEPS_ROW(modified_options, "20", "Sweeps with a policy before it is improved."),
    COH_MDP_OMEGA_ROW(modified_options),
    {0},
};

static coh_status create(coh_mdp_plan *plan) {
  const modified_options *options = plan->options;
  coh_mdp_policy_solver *solver = NULL;
  COH_TRY(coh_mdp_policy_solver_create(
      plan, (coh_mdp_solver)(COH_MDP_BY_JACOBI + options->order), options->omega, &solver));
  plan->own = solver;
  return COH_OK;
}

static void destroy(coh_mdp_plan *plan) {
  coh_mdp_policy_solver *solver = plan->own;
  coh_mdp_policy_solver_destroy(&solver);
}

static coh_status advance(coh_mdp_plan *plan) {
  const modified_options *options = plan->options;
  return coh_mdp_policy_solver_run(plan->own, plan, 0.0, options->sweeps);
}

const coh_mdp_method coh_mdp_modified_policy_iteration = {
    .kind =
        {"modified_policy_iteration",
         "Some sweeps with the greedy policy between improvements (Puterman and Shin 1978).",
         table, sizeof(modified_options)},
    .by_policy = true,
    .create = create,
    .destroy = destroy,
    .advance = advance};
