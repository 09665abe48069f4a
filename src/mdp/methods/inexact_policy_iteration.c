/* Inexact policy iteration: a policy's equations are solved to a share of the residual that the
 * improvement left; the share falls where the bound stalls. */
#include <math.h>

#include "base/alloc.h"
#include "mdp/method_options.h"
#include "mdp/policy_solver.h"

typedef struct inexact_options {
  int solver;
  double share, omega;
} inexact_options;

static const coh_option table[] = {
    COH_MDP_SOLVER_ROW(inexact_options),
    {.name = "share",
     .type = COH_REAL,
     .offset = offsetof(inexact_options, share),
     .initial = "0.05",
     .min = 1e-12,
     .max = 0.999,
     .doc = "Of the residual after an improvement, what may be left (Eisenstat and Walker's "
            "forcing term)."},
    COH_MDP_OMEGA_ROW(inexact_options),
    {0},
};

typedef struct inexact_state {
  coh_mdp_policy_solver *solver;
  double share, narrowest;
  double numbers[2]; /* that a checkpoint borrows */
} inexact_state;

static coh_status create(coh_mdp_plan *plan) {
  const inexact_options *options = plan->options;
  inexact_state *own;
  COH_NEW(own, 1);
  plan->own = own;
  own->share = options->share;
  own->narrowest = INFINITY;
  return coh_mdp_policy_solver_create(plan, (coh_mdp_solver)options->solver, options->omega,
                                      &own->solver);
}

static void destroy(coh_mdp_plan *plan) {
  inexact_state *own = plan->own;
  if (own) coh_mdp_policy_solver_destroy(&own->solver);
  coh_free(own);
}

static coh_status advance(coh_mdp_plan *plan) {
  inexact_state *own = plan->own;
  if (plan->width > 0.9 * own->narrowest && own->share > 1e-6) own->share *= 0.1;
  own->narrowest = fmin(own->narrowest, plan->width);
  double spread = 0.5 * (plan->high - plan->low);
  return coh_mdp_policy_solver_run(own->solver, plan, own->share * spread, 1000);
}

static coh_status visit(coh_mdp_plan *plan, coh_mdp_visit *visitor, void *context) {
  inexact_state *own = plan->own;
  double *numbers = own->numbers;
  numbers[0] = own->share;
  numbers[1] = own->narrowest;
  COH_TRY(visitor(context, "forcing", false, &(coh_array){COH_DTYPE_F64, 1, {2}, numbers}));
  own->share = numbers[0];
  own->narrowest = numbers[1];
  return COH_OK;
}

const coh_mdp_method coh_mdp_inexact_policy_iteration = {
    .kind = {"inexact_policy_iteration",
             "Solve for the greedy policy only as far as it pays (Gargiani et al. 2024).",
             table, sizeof(inexact_options)},
    .by_policy = true,
    .create = create,
    .destroy = destroy,
    .advance = advance,
    .visit = visit};
