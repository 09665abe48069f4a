/* The Markov chain of one policy, compact, for corrections of values that need few digits:
 *
 *     (I - discount P_pi) d = r
 *
 * Solved to a few hundredths. What a correction lacks in
 * digits the next sweep shows as residual. BiCGStab (van der Vorst 1992) is
 * preconditioned by coarser chains over groups of consecutive states, whose rows are the
 * group's mean: what is slow to mix over many states is solved among few (iterative
 * aggregation; Bertsekas and Castanon 1989). Sums depend on fixed blocks only, never on
 * threads. */
#ifndef COHORT_MDP_POLICY_CHAIN_H
#define COHORT_MDP_POLICY_CHAIN_H

#include "cohort/mdp.h"

typedef struct coh_policy_chain coh_policy_chain;

/* Room for any policy of the model (borrowed). Caller destroys. Fails: COH_E_MEMORY. */
coh_status coh_policy_chain_create(const coh_mdp *mdp, int n_threads, coh_policy_chain **chain);
void coh_policy_chain_destroy(coh_policy_chain **chain);

/* Take the rows of a policy (n_states, counted from each state's first). */
void coh_policy_chain_set(coh_policy_chain *chain, const int32_t *choice);

/* Entries that a product with the chain reads. */
int64_t coh_policy_chain_entries(const coh_policy_chain *chain);

/* values += d + mean / (1 - discount), where (I - discount P) d = next - values - mean to a
 * Euclidean residual of `ratio` of what it was, or as near as max_products come; nothing but
 * the mean where BiCGStab does not get nearer. mean: of next - values; spread: its greatest
 * less its least component, above 0. Returns the products done. */
int64_t coh_policy_chain_correct(coh_policy_chain *chain, double spread, double ratio,
                                 int64_t max_products, const double *next, double *values);

#endif
