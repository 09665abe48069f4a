/* The Markov chain of one policy, compact, for corrections of values that need few digits:
 *
 *     (I - discount P_pi) d = r
 *
 * Solved to a few hundredths: what a correction lacks in digits the next sweep shows as
 * residual. BiCGStab (la/krylov.h) is preconditioned by coarser chains over groups of
 * consecutive states, whose rows are the group's mean: what is slow to mix over many states is
 * solved among few (iterative aggregation; Bertsekas and Castanon 1989). The chain is dealt out
 * as its share is; coarser chains are on all ranks. The same bits on every layout. */
#ifndef COHORT_MDP_POLICY_CHAIN_H
#define COHORT_MDP_POLICY_CHAIN_H

#include "mdp/mdp_shard.h"

typedef struct coh_policy_chain coh_policy_chain;

/* Room for any policy of the share's model (borrowed). Collective where the share is, as all of
 * the below. Caller destroys. Fails (agreed on): COH_E_MEMORY. */
coh_status coh_policy_chain_create(coh_mdp_shard *shard, coh_policy_chain **chain);
void coh_policy_chain_destroy(coh_policy_chain **chain);

/* Take the rows of a policy (own states, counted from each state's first). */
coh_status coh_policy_chain_set(coh_policy_chain *chain, const int32_t *choice);

/* values += d + mean / (1 - discount), where (I - discount P) d = next - values - mean to a
 * Euclidean residual of `ratio` of what it was, or as near as max_products come; nothing but
 * the mean where BiCGStab does not get nearer. mean: of next - values over all states; spread:
 * its greatest less its least component, above 0. values, next: own states. n_products: out. */
coh_status coh_policy_chain_correct(coh_policy_chain *chain, double spread, double ratio,
                                    int64_t max_products, const double *next, double *values,
                                    int64_t *n_products);

#endif
