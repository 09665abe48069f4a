/* Rounds of a method and their certificate: MacQueen 1966, Porteus 1971. */
#include "mdp/plan.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

#define X(name) extern const coh_mdp_method coh_mdp_##name;
#include "mdp/method.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_mdp_##name.kind,
#include "mdp/method.def"
#undef X
};

const coh_kind_set coh_mdp_method_kinds = {
    .noun = "method", .kinds = kinds, .n_kinds = sizeof kinds / sizeof *kinds};

static coh_status fill(coh_mdp_plan *plan) {
  const coh_mdp_shard *shard = plan->shard;
  int64_t room = coh_mdp_shard_room(shard);
  double discount = plan->mdp->discount;
  COH_CHECK(discount < 1.0, COH_E_DATA,
            "a discount below 1 is needed here; undiscounted objectives are reach and total");
  COH_CHECK(discount * shard->rows.greatest_sum < 1.0, COH_E_DATA,
            "discount %.17g leaves no room for rounding", discount);
  COH_CHECK(!plan->method->whole || !shard->world, COH_E_CONFIG,
            "method %s needs the whole model in one place, not shares of it",
            plan->method->kind.name);
  COH_NEW(plan->values, room);
  COH_NEW(plan->next, room);
  COH_NEW(plan->choice, shard->n_own);
  return plan->method->create ? plan->method->create(plan) : COH_OK;
}

coh_status coh_mdp_plan_create_on(coh_mdp_shard *shard, const coh_choice *method,
                                  const coh_mdp_solve_options *options, coh_mdp_plan **out) {
  coh_mdp_plan *plan = coh_alloc_array(1, sizeof *plan);
  coh_status status = plan ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for a plan");
  if (plan) {
    plan->shard = shard;
    plan->mdp = shard->mdp;
    plan->method = (const coh_mdp_method *)method->kind;
    plan->options = method->options;
    if (options) {
      plan->minimize = options->minimize;
      plan->tolerance = options->tolerance;
    }
    plan->rows = shard->rows;
    plan->progress.narrowest = INFINITY;
    plan->width = INFINITY;
    status = fill(plan);
  }
  if (shard->world) status = coh_comm_agree(shard->world, status);
  if (status != COH_OK) {
    coh_mdp_plan_destroy(&plan);
    return status;
  }
  *out = plan;
  return COH_OK;
}

coh_status coh_mdp_plan_create(const coh_mdp *mdp, const coh_choice *method,
                               const coh_mdp_solve_options *options, coh_mdp_plan **plan) {
  coh_mdp_shard *shard;
  COH_TRY(coh_mdp_shard_of(mdp, options ? options->n_threads : 1, &shard));
  coh_status status = coh_mdp_plan_create_on(shard, method, options, plan);
  if (status == COH_OK)
    (*plan)->kept = shard;
  else
    coh_mdp_shard_destroy(&shard);
  return status;
}

void coh_mdp_plan_destroy(coh_mdp_plan **given) {
  coh_mdp_plan *plan = *given;
  if (!plan) return;
  if (plan->method->destroy) plan->method->destroy(plan);
  coh_mdp_shard_destroy(&plan->kept);
  coh_free(plan->values);
  coh_free(plan->next);
  coh_free(plan->choice);
  COH_DELETE(*given);
}

/* From now on sweeps read the rows as they are. */
static void leave_single(coh_mdp_plan *plan) {
  plan->rows.error = 0.0;
  plan->is_exact = true;
}

static coh_status sweep(coh_mdp_plan *plan, int32_t *choice, coh_mdp_change *change) {
  coh_mdp_bellman how = {plan->minimize, plan->is_exact};
  COH_TRY(coh_mdp_shard_bellman(plan->shard, how, plan->values, plan->next, choice, change));
  plan->low = change->low;
  plan->high = change->high;
  plan->n_transitions += plan->shard->n_entries;
  return COH_OK;
}

/* next = T values, and what it says about the optimum */
static coh_status certify(coh_mdp_plan *plan) {
  double discount = plan->mdp->discount;
  coh_mdp_change change;
  COH_TRY(sweep(plan, plan->method->by_policy ? plan->choice : NULL, &change));
  coh_mdp_certificate said = coh_mdp_certify(&plan->rows, discount, plan->low, plan->high,
                                             change.largest, plan->tolerance);
  plan->lower = said.lower;
  plan->upper = said.upper;
  plan->width = said.width;
  plan->wanted = said.wanted;
  plan->floor = said.floor;
  return COH_OK;
}

static coh_status check_progress(coh_mdp_plan *plan) {
  coh_mdp_certificate said = {plan->lower, plan->upper, plan->width, plan->wanted, plan->floor};
  return coh_mdp_progress_note(&plan->progress, &said);
}

coh_status coh_mdp_plan_step(coh_mdp_plan *plan) {
  if (plan->n_rounds == 0 && plan->method->begin) COH_TRY(plan->method->begin(plan));
  COH_TRY(certify(plan));
  plan->n_rounds++;
  if (plan->width <= plan->wanted || plan->width == 0.0) {
    double middle = 0.5 * (plan->lower + plan->upper);
    coh_mdp_change change;
    if (!plan->method->by_policy) COH_TRY(sweep(plan, plan->choice, &change));
    for (int64_t s = 0; s < plan->mdp->n_states; s++)
      plan->values[s] = plan->next[s] + middle;
    plan->is_done = true;
    return COH_OK;
  }
  if (plan->rows.error > 0.0 && plan->width <= 2.0 * plan->floor) leave_single(plan);
  COH_TRY(check_progress(plan));
  return plan->method->advance(plan);
}

coh_status coh_mdp_plan_visit(coh_mdp_plan *plan, coh_mdp_visit *visit, void *context) {
  enum { N = 13 };
  int64_t n = plan->mdp->n_states;
  double *numbers = plan->numbers;
  double given[N] = {plan->low,
                     plan->high,
                     plan->lower,
                     plan->upper,
                     plan->width,
                     plan->wanted,
                     plan->floor,
                     plan->is_done,
                     (double)plan->n_rounds,
                     plan->progress.narrowest,
                     (double)plan->progress.n_wider,
                     (double)plan->n_transitions,
                     plan->is_exact};
  memcpy(numbers, given, sizeof given);
  COH_TRY(visit(context, "values", true, &(coh_array){COH_DTYPE_F64, 1, {n}, plan->values}));
  COH_TRY(visit(context, "choice", true, &(coh_array){COH_DTYPE_I32, 1, {n}, plan->choice}));
  COH_TRY(visit(context, "bounds", false, &(coh_array){COH_DTYPE_F64, 1, {N}, numbers}));
  plan->low = numbers[0];
  plan->high = numbers[1];
  plan->lower = numbers[2];
  plan->upper = numbers[3];
  plan->width = numbers[4];
  plan->wanted = numbers[5];
  plan->floor = numbers[6];
  plan->is_done = numbers[7] != 0.0;
  plan->n_rounds = (int64_t)numbers[8];
  plan->progress.narrowest = numbers[9];
  plan->progress.n_wider = (int64_t)numbers[10];
  plan->n_transitions = (int64_t)numbers[11];
  if (numbers[12] != 0.0 && !plan->is_exact) leave_single(plan);
  return plan->method->visit ? plan->method->visit(plan, visit, context) : COH_OK;
}
