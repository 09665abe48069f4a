/* Krylov solvers or sweeps for one policy. */
#include "mdp/policy_solver.h"

#include <float.h>
#include <math.h>

#include "base/alloc.h"
#include "mdp/mdp_policy.h"

static bool is_krylov(coh_mdp_solver by) {
  return by == COH_MDP_BY_BICGSTAB || by == COH_MDP_BY_GMRES;
}

static coh_mdp_krylov krylov_of(coh_mdp_solver by) {
  return by == COH_MDP_BY_GMRES ? COH_MDP_GMRES : COH_MDP_BICGSTAB;
}

static coh_status fill(const coh_mdp_plan *plan, coh_mdp_policy_solver *solver) {
  if (solver->by == COH_MDP_BY_AGGREGATION) return COH_OK;
  if (!is_krylov(solver->by)) {
    COH_NEW(solver->old, coh_mdp_shard_room(plan->shard));
    return COH_OK;
  }
  COH_NEW(solver->reward, plan->shard->n_own);
  return coh_mdp_evaluator_create(plan->shard, NULL, krylov_of(solver->by), &solver->evaluator);
}

coh_status coh_mdp_policy_solver_create(const coh_mdp_plan *plan, coh_mdp_solver by,
                                        double omega, coh_mdp_policy_solver **out) {
  coh_mdp_policy_solver *solver;
  COH_NEW(solver, 1);
  solver->by = by;
  solver->omega = omega;
  coh_status status = fill(plan, solver);
  if (status != COH_OK) {
    coh_mdp_policy_solver_destroy(&solver);
    return status;
  }
  *out = solver;
  return COH_OK;
}

void coh_mdp_policy_solver_destroy(coh_mdp_policy_solver **solver) {
  if (!*solver) return;
  coh_mdp_evaluator_destroy(&(*solver)->evaluator);
  coh_policy_chain_destroy(&(*solver)->chain);
  coh_free((*solver)->reward);
  coh_free((*solver)->old);
  COH_DELETE(*solver);
}

static coh_status run_krylov(coh_mdp_policy_solver *solver, coh_mdp_plan *plan, double target,
                             int64_t most, int64_t entries) {
  coh_mdp_policy policy = {.choice = plan->choice};
  coh_krylov_outcome outcome;
  coh_mdp_policy_reward(plan->mdp, policy, plan->shard->n_threads, solver->reward);
  COH_TRY(coh_mdp_evaluator_run(solver->evaluator, policy, krylov_of(solver->by),
                                solver->reward, target * sqrt((double)plan->shard->n_states),
                                most, plan->values, &outcome));
  plan->n_products += outcome.n_products;
  plan->n_transitions += outcome.n_products * entries;
  return COH_OK;
}

/* values: as they were before the sweep; the correction takes the mean of the change as known
 */
static coh_status run_chain(coh_mdp_policy_solver *solver, coh_mdp_plan *plan, double target,
                            int64_t most, int64_t entries) {
  double spread = plan->high - plan->low;
  int64_t n_products;
  if (!(spread > 0.0)) return COH_OK;
  if (!solver->chain) COH_TRY(coh_policy_chain_create(plan->shard, &solver->chain));
  COH_TRY(coh_policy_chain_set(solver->chain, plan->choice));
  COH_TRY(coh_policy_chain_correct(solver->chain, spread, fmin(target / spread, 0.5), most,
                                   plan->next, plan->values, &n_products));
  plan->n_products += n_products;
  plan->n_transitions += n_products * entries;
  return COH_OK;
}

static coh_status run_sweeps(const coh_mdp_policy_solver *solver, coh_mdp_plan *plan,
                             coh_mdp_relaxation *how, double target, int64_t most,
                             int64_t entries) {
  double change = INFINITY, before = INFINITY;
  for (int64_t k = 0; k < most && change > target; k++) {
    COH_TRY(coh_mdp_relax(how, plan->values, solver->old, &change));
    if (!(change < DBL_MAX)) break; // the next certificate says so
    plan->n_products++;
    plan->n_transitions += entries;
    how->backward = !how->backward;
    // over-relaxation that does not pay here
    if (how->order == COH_MDP_SOR && change > 2.0 * before)
      how->omega = 1.0 + 0.5 * (how->omega - 1.0);
    before = fmin(before, change);
  }
  return COH_OK;
}

coh_status coh_mdp_policy_solver_run(coh_mdp_policy_solver *solver, coh_mdp_plan *plan,
                                     double target, int64_t most) {
  coh_mdp_relaxation how = {.shard = plan->shard,
                            .minimize = plan->minimize,
                            .choice = plan->choice,
                            .omega = solver->omega};
  int64_t entries;
  COH_TRY(coh_mdp_policy_entries(plan->shard, plan->choice, &entries));
  if (solver->by == COH_MDP_BY_AGGREGATION)
    return run_chain(solver, plan, target, most, entries);
  double middle = 0.5 * (plan->lower + plan->upper);
  for (int64_t s = 0; s < plan->mdp->n_states; s++)
    plan->values[s] = plan->next[s] + middle;
  if (is_krylov(solver->by)) return run_krylov(solver, plan, target, most, entries);
  how.order = solver->by == COH_MDP_BY_JACOBI         ? COH_MDP_JACOBI
              : solver->by == COH_MDP_BY_GAUSS_SEIDEL ? COH_MDP_GAUSS_SEIDEL
                                                      : COH_MDP_SOR;
  return run_sweeps(solver, plan, &how, target, most, entries);
}
