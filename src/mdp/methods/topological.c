/* Topological value iteration: one strongly connected component after the other, each to a
 * share of the residual, every one after those it leads to. A round is one pass. Source: Dai,
 * Mausam, Weld, Goldsmith 2011. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "mdp/mdp_components.h"
#include "mdp/mdp_state.h"
#include "mdp/plan.h"

typedef struct topological_options {
  double share;
} topological_options;

static const coh_option table[] = {
    {.name = "share",
     .type = COH_REAL,
     .offset = offsetof(topological_options, share),
     .initial = "1e-3",
     .min = 1e-12,
     .max = 0.999,
     .doc = "Of the residual before a pass, what may be left in a component."},
    {0},
};

static coh_status create(coh_mdp_plan *plan) {
  coh_mdp_components *own;
  COH_NEW(own, 1);
  plan->own = own;
  return coh_mdp_components_find(plan->mdp, NULL, NULL, own);
}

static void destroy(coh_mdp_plan *plan) {
  if (plan->own) coh_mdp_components_clear(plan->own);
  coh_free(plan->own);
}

/* sweeps in place over one component, forward and backward in turn */
static void solve_component(coh_mdp_plan *plan, const uint32_t *state, int64_t n,
                            double target) {
  const coh_mdp *mdp = plan->mdp;
  double change = INFINITY;
  for (int64_t sweep = 0; change > target && sweep < 100000; sweep++) {
    change = 0.0;
    for (int64_t k = 0; k < n; k++) {
      int64_t s = state[sweep & 1 ? n - 1 - k : k];
      double value = coh_mdp_state_value(mdp, plan->minimize, s, plan->values);
      change = fmax(change, fabs(value - plan->values[s]));
      plan->values[s] = value;
      plan->n_transitions += coh_mdp_state_entries(mdp, s);
    }
  }
}

static coh_status advance(coh_mdp_plan *plan) {
  const topological_options *options = plan->options;
  const coh_mdp_components *own = plan->own;
  double least = 0.1 * plan->floor * (1.0 - plan->mdp->discount);
  double target = fmax(options->share * coh_mdp_plan_residual(plan), least);
  memcpy(plan->values, plan->next, (size_t)plan->mdp->n_states * sizeof(double));
  for (int64_t c = 0; c < own->n; c++)
    solve_component(plan, own->state + own->first[c], own->first[c + 1] - own->first[c],
                    target);
  return COH_OK;
}

const coh_mdp_method coh_mdp_topological = {
    .kind = {"topological",
             "Strongly connected components in the order in which they depend (Dai et al. "
             "2011). Every rank holds the whole model.",
             table, sizeof(topological_options)},
    .whole = true,
    .create = create,
    .destroy = destroy,
    .advance = advance};
