/* Value iteration: Jacobi, whose every sweep certifies, or Gauss-Seidel and over-relaxation by
 * blocks, forward and backward in turn, with a certificate after some. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "mdp/mdp_relax.h"
#include "mdp/method_options.h"
#include "mdp/plan.h"

typedef struct value_options {
  int order;
  int64_t sweeps;
  double omega;
} value_options;

static const coh_option table[] = {
    COH_MDP_ORDER_ROW(value_options, "jacobi"),
    COH_MDP_SWEEPS_ROW(
        value_options, "4",
        "gauss_seidel, sor: sweeps between two certificates, each of which is a sweep."),
    COH_MDP_OMEGA_ROW(value_options),
    {0},
};

typedef struct value_state {
  double *old;
  double omega, last; /* the relaxation now; the width of the round before */
  double numbers[2];  /* that a checkpoint borrows */
} value_state;

static coh_status create(coh_mdp_plan *plan) {
  const value_options *options = plan->options;
  value_state *own;
  COH_NEW(own, 1);
  plan->own = own;
  own->omega = options->omega;
  own->last = INFINITY;
  if (options->order != COH_MDP_JACOBI) COH_NEW(own->old, coh_mdp_shard_room(plan->shard));
  return COH_OK;
}

static void destroy(coh_mdp_plan *plan) {
  value_state *own = plan->own;
  if (own) coh_free(own->old);
  coh_free(own);
}

static coh_status advance(coh_mdp_plan *plan) {
  const value_options *options = plan->options;
  value_state *own = plan->own;
  double *swap = plan->values;
  plan->values = plan->next;
  plan->next = swap;
  if (options->order == COH_MDP_JACOBI) return COH_OK;
  if (plan->width > own->last) own->omega = 1.0 + 0.5 * (own->omega - 1.0);
  own->last = plan->width;
  coh_mdp_relaxation how = {.shard = plan->shard,
                            .minimize = plan->minimize,
                            .order = (coh_mdp_order)options->order,
                            .omega = own->omega};
  for (int64_t k = 0; k < options->sweeps; k++) {
    double change;
    how.backward = k & 1;
    COH_TRY(coh_mdp_relax(&how, plan->values, own->old, &change));
  }
  plan->n_transitions += options->sweeps * plan->shard->n_entries;
  return COH_OK;
}

static coh_status visit(coh_mdp_plan *plan, coh_mdp_visit *visitor, void *context) {
  value_state *own = plan->own;
  double *numbers = own->numbers;
  numbers[0] = own->omega;
  numbers[1] = own->last;
  COH_TRY(visitor(context, "relaxation", false, &(coh_array){COH_DTYPE_F64, 1, {2}, numbers}));
  own->omega = numbers[0];
  own->last = numbers[1];
  return COH_OK;
}

const coh_mdp_method coh_mdp_value_iteration = {
    .kind =
        {"value_iteration",
         "Sweeps of the Bellman operator: Jacobi, block Gauss-Seidel or SOR (Bellman 1957).",
         table, sizeof(value_options)},
    .create = create,
    .destroy = destroy,
    .advance = advance,
    .visit = visit};
