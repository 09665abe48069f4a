/* Inexact policy iteration by corrections over coarser chains.
 *
 * Plain sweeps go first, and on, while each narrows the bound well. Where they do not, the
 * greedy policy is taken and its equations are solved to a few hundredths of the residual
 * (policy_chain.h). Where rewards are rare, a start from them outward (mdp_wave.h) spares the
 * sweeps that news would need to cross the model. */
#include <math.h>

#include "base/alloc.h"
#include "mdp/mdp_blocks.h"
#include "mdp/mdp_wave.h"
#include "mdp/plan.h"
#include "mdp/policy_chain.h"

enum { MAX_PRODUCTS = 400 };
static const double GOOD_RATE = 0.6;       /* of plain sweeps that are worth going on with */
static const double RESIDUAL_RATIO = 0.02; /* of a correction */

typedef struct multilevel_state {
  coh_mdp_dots *dots;
  coh_policy_chain *chain;   /* made when first needed */
  double before;             /* the spread of the last change */
  int64_t n_plain, patience; /* plain sweeps done, and to do before the next correction */
  double numbers[3];         /* that a checkpoint borrows */
} multilevel_state;

static coh_status create(coh_mdp_plan *plan) {
  multilevel_state *own;
  COH_NEW(own, 1);
  plan->own = own;
  own->before = INFINITY;
  COH_TRY(coh_mdp_dots_create(plan->mdp->n_states, plan->shard->n_threads, &own->dots));
  int64_t n_sweeps = 0;
  COH_TRY(coh_mdp_wave(plan->mdp, plan->minimize, plan->values, &n_sweeps));
  plan->n_transitions += n_sweeps * plan->mdp->n_entries;
  return COH_OK;
}

static void destroy(coh_mdp_plan *plan) {
  multilevel_state *own = plan->own;
  if (!own) return;
  coh_policy_chain_destroy(&own->chain);
  coh_mdp_dots_destroy(&own->dots);
  coh_free(own);
}

typedef struct mean_job {
  const double *from, *to;
  coh_mdp_dots *dots;
} mean_job;

static void mean_block(void *given, int64_t first, int64_t end) {
  const mean_job *job = given;
  double sum[4] = {0.0};
  for (int64_t s = first; s < end; s++)
    sum[s & 3] += job->to[s] - job->from[s];
  coh_mdp_dots_put(job->dots, first, 0, (sum[0] + sum[2]) + (sum[1] + sum[3]));
}

/* Approach the value of the greedy policy. */
static coh_status correct(coh_mdp_plan *plan, multilevel_state *own) {
  const coh_mdp *mdp = plan->mdp;
  int n_threads = plan->shard->n_threads;
  if (!own->chain) COH_TRY(coh_policy_chain_create(mdp, n_threads, &own->chain));
  mean_job job = {plan->values, plan->next, own->dots};
  double sum;
  coh_mdp_blocks_run(mdp->n_states, n_threads, mean_block, &job);
  coh_mdp_dots_total(own->dots, 1, &sum);
  coh_policy_residual residual = {sum / (double)mdp->n_states, plan->high - plan->low};
  coh_policy_chain_set(own->chain, plan->choice);
  int64_t n = coh_policy_chain_correct(own->chain, residual, RESIDUAL_RATIO, MAX_PRODUCTS,
                                       plan->next, plan->values);
  plan->n_products += n;
  // a product reads one row of each state
  plan->n_transitions += (int64_t)((double)n * (double)mdp->n_entries * (double)mdp->n_states /
                                   (double)mdp->n_rows);
  return COH_OK;
}

static coh_status advance(coh_mdp_plan *plan) {
  multilevel_state *own = plan->own;
  double spread = plan->high - plan->low;
  // a correction that made things worse is followed by a few sweeps
  if (own->n_plain == 0 && spread > own->before) own->patience = 4;
  if (own->n_plain == 0 && spread < 0.5 * own->before) own->patience = 0;
  bool is_plain =
      plan->n_rounds < 3 ||
      (spread < GOOD_RATE * own->before ? own->n_plain > 0 : own->n_plain < own->patience);
  own->before = spread;
  if (!is_plain) {
    own->n_plain = 0;
    return correct(plan, own);
  }
  double *swap = plan->values;
  plan->values = plan->next;
  plan->next = swap;
  own->n_plain++;
  return COH_OK;
}

static coh_status visit(coh_mdp_plan *plan, coh_mdp_visit *visitor, void *context) {
  multilevel_state *own = plan->own;
  double *numbers = own->numbers;
  numbers[0] = own->before;
  numbers[1] = (double)own->n_plain;
  numbers[2] = (double)own->patience;
  COH_TRY(visitor(context, "multilevel", false, &(coh_array){COH_DTYPE_F64, 1, {3}, numbers}));
  own->before = numbers[0];
  own->n_plain = (int64_t)numbers[1];
  own->patience = (int64_t)numbers[2];
  return COH_OK;
}

const coh_mdp_method coh_mdp_multilevel = {
    .kind = {"multilevel",
             "Inexact policy iteration by corrections over coarser chains: for models that are "
             "slow to mix (Bertsekas and Castanon 1989).",
             NULL, 0},
    .whole = true,
    .by_policy = true,
    .create = create,
    .destroy = destroy,
    .advance = advance,
    .visit = visit};
