/* A discounted optimum being sought: rounds of one method, each ended by the one certificate.
 *
 * A round sweeps once (Jacobi: next = T values), which bounds the optimum by MacQueen and
 * Porteus whatever made `values`; when the bound is narrow enough it ends, otherwise the method
 * makes new values. So no method can stop too early, and a method is one small file. With one
 * action a state the same methods evaluate a policy (mdp_chain.h).
 *
 * A plan works on a share of the rows (mdp_shard.h): one of many ranks', or the whole model in
 * one process. Its vectors have room for own states and ghosts. */
#ifndef COHORT_MDP_PLAN_H
#define COHORT_MDP_PLAN_H

#include "cohort/io.h"
#include "cohort/mdp.h"
#include "mdp/mdp_shard.h"

typedef struct coh_mdp_plan coh_mdp_plan;

/* What a checkpoint holds: called for each array, to write it or to fill it. by_state: its last
 * dimension is this share's states; otherwise it is the same on all ranks. */
typedef coh_status coh_mdp_visit(void *context, const char *name, bool by_state,
                                 const coh_array *array);

/* A method: one file in methods/, one line in method.def. All but advance may be NULL, and
 * begin, advance and visit are collective where the share is. */
typedef struct coh_mdp_method {
  coh_kind kind;
  bool whole;     /* it needs the whole model in one place */
  bool by_policy; /* advance reads the greedy choice */
  coh_status (*create)(coh_mdp_plan *plan);
  void (*destroy)(coh_mdp_plan *plan);

  /* Before the first round: a start better than values 0. */
  coh_status (*begin)(coh_mdp_plan *plan);

  /* Make better values from next = T values and the greedy choice. */
  coh_status (*advance)(coh_mdp_plan *plan);

  /* Visit what the method keeps between rounds. */
  coh_status (*visit)(coh_mdp_plan *plan, coh_mdp_visit *visit, void *context);
} coh_mdp_method;

extern const coh_kind_set coh_mdp_method_kinds;
/* what is fastest on most models, on any number of ranks */
#define COH_MDP_METHOD_DEFAULT "aggregation"

/* Read by methods; values, own and n_transitions are also theirs to write. */
struct coh_mdp_plan {
  coh_mdp_shard *shard, *kept; /* kept: the same, where it is the plan's own */
  const coh_mdp *mdp;          /* the share's */
  const coh_mdp_method *method;
  const void *options; /* of the method */
  bool minimize;
  double tolerance; /* width of the bound; 0: 1e-9 of the largest value */

  coh_mdp_rows rows;     /* the share's; its error falls to 0 once sweeps read exact rows */
  double *values, *next; /* own and ghosts; once done, values holds the middle of the bounds */
  int32_t *choice;       /* own: greedy for the values before the last sweep; once done, or
                            where the method asks for it */
  double low, high;      /* next - values lies between */
  double lower, upper;   /* the optimum lies within next + these */
  double width, wanted;  /* upper - lower, and where it is narrow enough */
  double floor;          /* the width that rounding alone makes */
  bool is_done;
  int64_t n_rounds, n_transitions; /* entries read so far, on all ranks */
  int64_t n_products;              /* with the matrix of one policy */

  bool is_exact; /* sweeps read the rows as they are: single precision was not enough */

  coh_mdp_progress progress;
  double numbers[13]; /* that a checkpoint borrows */
  void *own;          /* the method's */
};

/* On a share. method: over coh_mdp_method_kinds, borrowed as is the share. Discount below 1.
 * options: n_threads does not count. *plan: caller destroys. Collective, as are steps, where
 * the share is. Fails (agreed on): COH_E_DATA (discount), COH_E_CONFIG (a method that needs the
 * whole model on a share of it), COH_E_MEMORY. */
coh_status coh_mdp_plan_create_on(coh_mdp_shard *shard, const coh_choice *method,
                                  const coh_mdp_solve_options *options, coh_mdp_plan **plan);

/* The same on a whole model, borrowed. Not collective. */
coh_status coh_mdp_plan_create(const coh_mdp *mdp, const coh_choice *method,
                               const coh_mdp_solve_options *options, coh_mdp_plan **plan);
void coh_mdp_plan_destroy(coh_mdp_plan **plan);

/* One round. Fails: COH_E_DIVERGED when rounding keeps the bound wide, or values are not
 * finite. */
coh_status coh_mdp_plan_step(coh_mdp_plan *plan);

/* Save or load everything that the next round depends on. */
coh_status coh_mdp_plan_visit(coh_mdp_plan *plan, coh_mdp_visit *visit, void *context);

/* The size of the last change that a method may measure its own progress by. */
static inline double coh_mdp_plan_residual(const coh_mdp_plan *plan) {
  double a = plan->low < 0 ? -plan->low : plan->low,
         b = plan->high < 0 ? -plan->high : plan->high;
  return a > b ? a : b;
}

#endif
