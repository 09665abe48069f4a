/* Plain sweeps first, and on, while each narrows the bound well. Where they do not, the greedy
 * policy's equations are solved to a few hundredths of the residual, by BiCGStab that coarser
 * chains precondition (policy_chain.h). Where rewards are rare, a start from them outward
 * (mdp_wave.h) spares the sweeps that news would need to cross the model. Sources: Bertsekas
 * and Castanon 1989; Gargiani et al. 2024. */
#include <math.h>

#include "base/alloc.h"
#include "mdp/mdp_wave.h"
#include "mdp/plan.h"
#include "mdp/policy_chain.h"

enum { MAX_PRODUCTS = 400, FIRST_SWEEPS = 3 };
static const double GOOD_RATE = 0.6;       /* of plain sweeps that are worth going on with */
static const double RESIDUAL_RATIO = 0.02; /* of a correction */

typedef struct aggregation_state {
  coh_policy_chain *chain; /* made when first needed */
  double before;           /* the spread of the round before */
  int64_t n_plain;         /* plain sweeps since the last correction */
  int64_t patience;        /* how many there are to be before the next one */
  int64_t n_begun;         /* sweeps of the start */
  double numbers[4];       /* that a checkpoint borrows */
} aggregation_state;

// there is nothing to choose
static const coh_option table[] = {{0}};
typedef struct no_options {
  char unused;
} no_options;

static coh_status create(coh_mdp_plan *plan) {
  aggregation_state *own;
  COH_NEW(own, 1);
  plan->own = own;
  own->before = INFINITY;
  return COH_OK;
}

static void destroy(coh_mdp_plan *plan) {
  aggregation_state *own = plan->own;
  if (own) coh_policy_chain_destroy(&own->chain);
  coh_free(own);
}

static coh_status begin(coh_mdp_plan *plan) {
  aggregation_state *own = plan->own;
  return coh_mdp_wave(plan->shard, plan->minimize, plan->values, plan->next, &own->n_begun,
                      &plan->n_transitions);
}

static coh_status correct(coh_mdp_plan *plan, aggregation_state *own) {
  if (!own->chain) COH_TRY(coh_policy_chain_create(plan->shard, &own->chain));
  int64_t n_products, entries;
  COH_TRY(coh_policy_chain_set(own->chain, plan->choice));
  COH_TRY(coh_policy_chain_correct(own->chain, plan->high - plan->low, RESIDUAL_RATIO,
                                   MAX_PRODUCTS, plan->next, plan->values, &n_products));
  COH_TRY(coh_mdp_policy_entries(plan->shard, plan->choice, &entries));
  plan->n_products += n_products;
  plan->n_transitions += n_products * entries;
  return COH_OK;
}

static coh_status advance(coh_mdp_plan *plan) {
  aggregation_state *own = plan->own;
  double spread = plan->high - plan->low;
  // a correction that made things worse is followed by a few sweeps
  if (own->n_plain == 0 && spread > own->before) own->patience = 4;
  if (own->n_plain == 0 && spread < 0.5 * own->before) own->patience = 0;
  bool narrows = spread < GOOD_RATE * own->before;
  bool is_plain = own->n_begun + plan->n_rounds < FIRST_SWEEPS ||
                  (narrows ? own->n_plain > 0 : own->n_plain < own->patience);
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
  aggregation_state *own = plan->own;
  double *numbers = own->numbers;
  numbers[0] = own->before;
  numbers[1] = (double)own->n_plain;
  numbers[2] = (double)own->patience;
  numbers[3] = (double)own->n_begun;
  COH_TRY(visitor(context, "aggregation", false, &(coh_array){COH_DTYPE_F64, 1, {4}, numbers}));
  own->before = numbers[0];
  own->n_plain = (int64_t)numbers[1];
  own->patience = (int64_t)numbers[2];
  own->n_begun = (int64_t)numbers[3];
  return COH_OK;
}

const coh_mdp_method coh_mdp_aggregation = {
    .kind =
        {"aggregation",
         "Sweeps, and inexact policy iteration preconditioned by coarser chains over groups of "
         "states (Bertsekas and Castanon 1989).",
         table, sizeof(no_options)},
    .by_policy = true,
    .create = create,
    .begin = begin,
    .destroy = destroy,
    .advance = advance,
    .visit = visit};
