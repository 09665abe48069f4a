/* Products with a policy's matrix, which is never stored: rows of the model are read through
 * the policy. The transposed product gathers from incoming entries, so that threads share no
 * sum. */
#include "mdp/mdp_policy.h"

#include "base/alloc.h"
#include "mdp/mdp_blocks.h"
#include "mdp/mdp_incoming.h"
#include "mdp/mdp_kernel.h"

/* The probability that the policy takes row r of state s. */
static inline double weight_of(const coh_mdp *mdp, coh_mdp_policy policy, int64_t s,
                               int64_t r) {
  if (policy.choice) return r - mdp->first_row[s] == policy.choice[s] ? 1.0 : 0.0;
  if (policy.weight) return policy.weight[r];
  return 1.0 / (double)(mdp->first_row[s + 1] - mdp->first_row[s]);
}

static inline double row_product(const coh_mdp *mdp, int64_t r, const double *x) {
  int64_t e = mdp->first_entry[r];
  return coh_mdp_row_sum(mdp->next + e, mdp->probability + e, mdp->first_entry[r + 1] - e, x);
}

void coh_mdp_product_stretch(const coh_mdp_product *job, int64_t first, int64_t end) {
  const coh_mdp *mdp = job->mdp;
  for (int64_t s = first; s < end; s++) {
    double sum = 0.0;
    if (job->scale == 1.0 && coh_mdp_is_terminal(mdp, s)) {
      job->y[s] = job->x[s];
      continue;
    }
    if (job->policy.choice)
      sum = row_product(mdp, mdp->first_row[s] + job->policy.choice[s], job->x);
    else
      for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
        sum += weight_of(mdp, job->policy, s, r) * row_product(mdp, r, job->x);
    job->y[s] = job->scale != 0.0 ? job->x[s] - job->scale * sum : sum;
  }
}

static void product_block(void *given, int64_t first, int64_t end) {
  coh_mdp_product_stretch(given, first, end);
}

void coh_mdp_policy_product(const coh_mdp *mdp, coh_mdp_policy policy, int n_threads,
                            const double *x, double *y) {
  coh_mdp_product job = {.mdp = mdp, .policy = policy, .x = x, .y = y};
  coh_mdp_blocks_run(mdp->n_states, n_threads, product_block, &job);
}

typedef struct reward_job {
  const coh_mdp *mdp;
  coh_mdp_policy policy;
  double *reward;
} reward_job;

static void reward_block(void *given, int64_t first, int64_t end) {
  const reward_job *job = given;
  const coh_mdp *mdp = job->mdp;
  for (int64_t s = first; s < end; s++) {
    double sum = 0.0;
    if (job->policy.choice)
      sum = mdp->reward[mdp->first_row[s] + job->policy.choice[s]];
    else
      for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
        sum += weight_of(mdp, job->policy, s, r) * mdp->reward[r];
    job->reward[s] = sum;
  }
}

void coh_mdp_policy_reward(const coh_mdp *mdp, coh_mdp_policy policy, int n_threads,
                           double *reward) {
  reward_job job = {mdp, policy, reward};
  coh_mdp_blocks_run(mdp->n_states, n_threads, reward_block, &job);
}

/* ---------------------------------------------------------------------------- transposed -- */

const coh_mdp *coh_mdp_incoming_model(const coh_mdp_incoming *incoming) {
  return incoming->mdp;
}

/* A counting sort of the rows by their next states; a share's ghosts are left out. */
static void sort_rows(coh_mdp_incoming *incoming) {
  const coh_mdp *mdp = incoming->mdp;
  int64_t *first = incoming->first;
  for (int64_t e = 0; e < mdp->n_entries; e++)
    if (mdp->next[e] < (uint64_t)mdp->n_states) first[mdp->next[e] + (int64_t)2]++;
  for (int64_t s = 1; s <= mdp->n_states; s++)
    first[s + 1] += first[s];
  // first[s + 1] is where the next row to s goes, and ends as the first of s + 1
  for (int64_t s = 0; s < mdp->n_states; s++)
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
      incoming->state[r] = (uint32_t)s;
      for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++)
        if (mdp->next[e] < (uint64_t)mdp->n_states)
          incoming->row[first[mdp->next[e] + (int64_t)1]++] = (uint32_t)r;
    }
}

static coh_status fill(coh_mdp_incoming *incoming) {
  const coh_mdp *mdp = incoming->mdp;
  COH_CHECK(mdp->n_rows <= UINT32_MAX, COH_E_DATA,
            "%lld actions: lists of what leads to a state hold %u", (long long)mdp->n_rows,
            UINT32_MAX);
  COH_NEW(incoming->first, mdp->n_states + 2);
  COH_NEW(incoming->row, mdp->n_entries);
  COH_NEW(incoming->state, mdp->n_rows);
  sort_rows(incoming);
  return COH_OK;
}

coh_status coh_mdp_incoming_create(const coh_mdp *mdp, coh_mdp_incoming **out) {
  coh_mdp_incoming *incoming;
  COH_NEW(incoming, 1);
  incoming->mdp = mdp;
  coh_status status = fill(incoming);
  if (status != COH_OK) {
    coh_mdp_incoming_destroy(&incoming);
    return status;
  }
  *out = incoming;
  return COH_OK;
}

void coh_mdp_incoming_destroy(coh_mdp_incoming **incoming) {
  if (!*incoming) return;
  coh_free((*incoming)->first);
  coh_free((*incoming)->row);
  coh_free((*incoming)->state);
  COH_DELETE(*incoming);
}

static void transposed_block(void *given, int64_t first, int64_t end) {
  const coh_mdp_product *job = given;
  const coh_mdp_incoming *incoming = job->incoming;
  const coh_mdp *mdp = incoming->mdp;
  for (int64_t s = first; s < end; s++) {
    double sum = 0.0;
    for (int64_t k = incoming->first[s]; k < incoming->first[s + 1]; k++) {
      int64_t row = incoming->row[k], from = incoming->state[row];
      double weight = weight_of(mdp, job->policy, from, row);
      if (weight == 0.0 || (job->scale == 1.0 && from == s && coh_mdp_is_terminal(mdp, s)))
        continue;
      sum += weight * coh_mdp_chance(mdp, row, s) * job->x[from];
    }
    job->y[s] = job->scale != 0.0 ? job->x[s] - job->scale * sum : sum;
  }
}

void coh_mdp_policy_transposed(const coh_mdp_incoming *incoming, coh_mdp_policy policy,
                               int n_threads, const double *x, double *y) {
  coh_mdp_product job = {.incoming = incoming, .policy = policy, .x = x, .y = y};
  coh_mdp_blocks_run(incoming->mdp->n_states, n_threads, transposed_block, &job);
}

void coh_mdp_policy_residual_transposed(const coh_mdp_incoming *incoming, coh_mdp_policy policy,
                                        double scale, int n_threads, const double *x,
                                        double *y) {
  coh_mdp_product job = {
      .incoming = incoming, .policy = policy, .x = x, .y = y, .scale = scale};
  coh_mdp_blocks_run(incoming->mdp->n_states, n_threads, transposed_block, &job);
}
