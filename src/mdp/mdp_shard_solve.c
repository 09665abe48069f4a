/* The optimum over shares of rows: rounds of a plan. */
#include "base/alloc.h"
#include "base/choice.h"
#include "mdp/mdp_shard.h"
#include "mdp/plan.h"

static coh_status solve(coh_mdp_plan *plan, coh_mdp_solution *solution) {
  while (!plan->is_done)
    COH_TRY(coh_mdp_plan_step(plan));
  *solution = (coh_mdp_solution){plan->values, plan->choice, plan->width, plan->n_rounds,
                                 plan->n_transitions / plan->shard->n_entries};
  plan->values = NULL;
  plan->choice = NULL;
  return COH_OK;
}

coh_status coh_mdp_shard_solve(coh_mdp_shard *shard, const char *method,
                               const coh_mdp_solve_options *options,
                               coh_mdp_solution *solution) {
  coh_choice choice = {0};
  coh_mdp_plan *plan = NULL;
  COH_TRY(coh_choice_parse("method", &coh_mdp_method_kinds,
                           method ? method : COH_MDP_METHOD_DEFAULT, &choice));
  coh_status status = coh_mdp_plan_create_on(shard, &choice, options, &plan);
  if (status == COH_OK) status = solve(plan, solution);
  coh_mdp_plan_destroy(&plan);
  coh_choice_clear(&choice);
  return status;
}
