/* The optimum, of a whole model or over shares of rows: rounds of a plan. */
#include "base/alloc.h"
#include "base/choice.h"
#include "mdp/mdp_shard.h"
#include "mdp/plan.h"

static coh_status finish(coh_mdp_plan *plan, coh_mdp_solution *solution) {
  while (!plan->is_done)
    COH_TRY(coh_mdp_plan_step(plan));
  *solution = (coh_mdp_solution){plan->values, plan->choice, plan->width, plan->n_rounds,
                                 plan->n_products};
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
  if (status == COH_OK) status = finish(plan, solution);
  coh_mdp_plan_destroy(&plan);
  coh_choice_clear(&choice);
  return status;
}

coh_status coh_mdp_solve(const coh_mdp *mdp, const coh_mdp_solve_options *options,
                         coh_mdp_solution *solution) {
  coh_choice choice = {0};
  coh_mdp_plan *plan = NULL;
  COH_TRY(coh_choice_parse("method", &coh_mdp_method_kinds, COH_MDP_METHOD_DEFAULT, &choice));
  coh_status status = coh_mdp_plan_create(mdp, &choice, options, &plan);
  if (status == COH_OK) status = finish(plan, solution);
  coh_mdp_plan_destroy(&plan);
  coh_choice_clear(&choice);
  return status;
}

void coh_mdp_solution_clear(coh_mdp_solution *solution) {
  COH_DELETE(solution->values);
  COH_DELETE(solution->choice);
}
