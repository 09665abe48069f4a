/* See policy_chain.h; the levels are chain_levels.c's. */
#include "mdp/policy_chain.h"

#include <string.h>

#include "base/alloc.h"
#include "la/vectorise.h"
#include "mdp/chain_levels.h"

enum { COARSE_PRODUCTS = 60 };
static const double COARSE_RATIO = 0.02;

/* a level as a linear system */
typedef struct chain_system {
  coh_chain_levels *levels;
  int of;
} chain_system;

struct coh_policy_chain {
  coh_chain_levels levels;
  chain_system system[COH_CHAIN_LEVELS];
};

/* ------------------------------------------------------------------------------- systems -- */

typedef struct product_job {
  const coh_chain_level *at;
  double discount;
  const double *x, *with;
  double *y;
} product_job;

/* y = x - discount P x; sums: with . y and y . y */
static void product_stretch(void *given, int64_t first, int64_t end, double *sums) {
  const product_job *job = given;
  const coh_chain_level *at = job->at;
  const double *x = job->x, *probability = at->probability;
  const uint32_t *next = at->next;
  double with = 0.0, square = 0.0;
  int64_t e = at->at[first];
  for (int64_t s = first; s < end; s++) {
    double even = 0.0, odd = 0.0;
    int64_t stop = at->at[s + 1];
    for (; e + 2 <= stop; e += 2) {
      even += probability[e] * x[next[e]];
      odd += probability[e + 1] * x[next[e + 1]];
    }
    if (e < stop) {
      even += probability[e] * x[next[e]];
      e++;
    }
    double y = x[s] - job->discount * (even + odd);
    job->y[s] = y;
    with += job->with[s] * y;
    square += y * y;
  }
  sums[0] = with;
  sums[1] = square;
}

static coh_status pass(void *context, int n_sums, coh_krylov_work work, void *job,
                       double *sums) {
  const chain_system *system = context;
  if (system->of == 0)
    return coh_mdp_shard_pass(system->levels->shard, n_sums, work, job, sums);
  coh_mdp_sums_pass(system->levels->level[system->of].sums, n_sums, work, job, sums);
  return COH_OK;
}

static coh_status product(void *context, double *x, double *y, const double *with,
                          double *sums) {
  const chain_system *system = context;
  product_job job = {.at = &system->levels->level[system->of],
                     .discount = system->levels->discount,
                     .x = x,
                     .with = with ? with : x,
                     .y = y};
  if (system->of == 0) COH_TRY(coh_mdp_shard_fetch(system->levels->shard, x));
  return pass(context, with ? 2 : 0, product_stretch, &job, sums);
}

typedef struct prolong_job {
  const coh_chain_level *at, *coarse;
  const double *x;
  double *y;
} prolong_job;

/* y = x + what the coarser level made of the means, less the means */
static void prolong_stretch(void *given, int64_t first, int64_t end, double *sums) {
  (void)sums;
  const prolong_job *job = given;
  const coh_chain_level *at = job->at, *coarse = job->coarse;
  for (int64_t s = first, last; s < end; s = last) {
    uint32_t g = at->group_of[s];
    double change = coarse->x[g] - coarse->rhs[g];
    last = at->first[g - at->first_group + 1];
    COH_VECTOR_LOOP
    for (int64_t i = s; i < last; i++)
      job->y[i] = job->x[i] + change;
  }
}

/* x of a coarser level from its right side, roughly; where that is no nearer: as if P were 0 */
static coh_status solve_coarse(coh_chain_level *at) {
  if (!at->krylov) {
    coh_chain_solve_directly(at);
    return COH_OK;
  }
  coh_krylov_outcome outcome;
  COH_TRY(
      coh_krylov_correct(at->krylov, at->rhs, COARSE_RATIO, COARSE_PRODUCTS, at->x, &outcome));
  if (!(outcome.residual < outcome.start))
    memcpy(at->x, at->rhs, (size_t)at->n * sizeof *at->x);
  return COH_OK;
}

static coh_status precondition(void *context, const double *x, double *y) {
  const chain_system *system = context;
  coh_chain_level *at = &system->levels->level[system->of];
  prolong_job job = {at, at + 1, x, y};
  COH_TRY(coh_chain_restrict(system->levels, system->of, x));
  COH_TRY(solve_coarse(at + 1));
  return pass(context, 0, prolong_stretch, &job, NULL);
}

/* ---------------------------------------------------------------------------------- chain --
 */

static coh_status add_solver(coh_policy_chain *chain, int of) {
  coh_chain_levels *levels = &chain->levels;
  coh_chain_level *at = &levels->level[of];
  chain->system[of] = (chain_system){levels, of};
  COH_NEW(at->rhs, at->n);
  COH_NEW(at->x, at->n);
  if (of > 0) COH_TRY(coh_mdp_sums_create(at->n, 1, &at->sums));
  if (at->factors) return COH_OK;
  coh_krylov_system system = {.context = &chain->system[of],
                              .n = at->n,
                              .room = of == 0 ? levels->shard->n_ghost : 0,
                              .product = product,
                              .pass = pass,
                              .precondition = at->group > 0 ? precondition : NULL};
  return coh_krylov_create(&system, 0, &at->krylov);
}

static coh_status add_solvers(coh_policy_chain *chain) {
  for (int of = 0; of < chain->levels.n_levels; of++)
    COH_TRY(add_solver(chain, of));
  return COH_OK;
}

coh_status coh_policy_chain_create(coh_mdp_shard *shard, coh_policy_chain **out) {
  coh_policy_chain *chain = coh_alloc_array(1, sizeof *chain);
  coh_status status = chain ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for a chain");
  if (shard->world) status = coh_comm_agree(shard->world, status);
  if (status == COH_OK) {
    chain->levels.shard = shard;
    chain->levels.discount = shard->mdp->discount;
    status = coh_chain_levels_shape(&chain->levels);
    if (status == COH_OK) status = add_solvers(chain);
    if (shard->world) status = coh_comm_agree(shard->world, status);
  }
  if (status != COH_OK) {
    coh_policy_chain_destroy(&chain);
    return status;
  }
  *out = chain;
  return COH_OK;
}

void coh_policy_chain_destroy(coh_policy_chain **chain) {
  if (!*chain) return;
  coh_chain_levels_clear(&(*chain)->levels);
  COH_DELETE(*chain);
}

coh_status coh_policy_chain_set(coh_policy_chain *chain, const int32_t *choice) {
  return coh_chain_levels_set(&chain->levels, choice);
}

/* ----------------------------------------------------------------------------- correction --
 */

typedef struct correct_job {
  double mean, shift, scale;
  const double *next, *x;
  double *values, *rhs;
} correct_job;

static void mean_stretch(void *given, int64_t first, int64_t end, double *sums) {
  const correct_job *job = given;
  double sum[4] = {0.0};
  for (int64_t s = first; s < end; s++)
    sum[(s - first) & 3] += job->next[s] - job->values[s];
  sums[0] = (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

static void residual_stretch(void *given, int64_t first, int64_t end, double *sums) {
  (void)sums;
  const correct_job *job = given;
  double *rhs = job->rhs, inverse = 1.0 / job->scale;
  COH_VECTOR_LOOP
  for (int64_t s = first; s < end; s++)
    rhs[s] = (job->next[s] - job->values[s] - job->mean) * inverse;
}

static void add_stretch(void *given, int64_t first, int64_t end, double *sums) {
  (void)sums;
  const correct_job *job = given;
  const double *x = job->x;
  double *values = job->values, shift = job->shift, scale = job->scale;
  COH_VECTOR_LOOP
  for (int64_t s = first; s < end; s++)
    values[s] += scale * x[s] + shift;
}

/* x of level 0; 0 where that is nearer */
static coh_status solve_policy(coh_chain_level *fine, double ratio, int64_t max_products,
                               int64_t *n_products) {
  *n_products = 1;
  if (!fine->krylov) {
    coh_chain_solve_directly(fine);
    return COH_OK;
  }
  coh_krylov_outcome outcome;
  COH_TRY(coh_krylov_correct(fine->krylov, fine->rhs, ratio, max_products, fine->x, &outcome));
  if (!(outcome.residual < outcome.start))
    memset(fine->x, 0, (size_t)fine->n * sizeof *fine->x);
  *n_products = outcome.n_products;
  return COH_OK;
}

coh_status coh_policy_chain_correct(coh_policy_chain *chain, double spread, double ratio,
                                    int64_t max_products, const double *next, double *values,
                                    int64_t *n_products) {
  coh_mdp_shard *shard = chain->levels.shard;
  coh_chain_level *fine = &chain->levels.level[0];
  correct_job job = {
      .scale = spread, .next = next, .x = fine->x, .values = values, .rhs = fine->rhs};
  double sum;
  COH_TRY(coh_mdp_shard_pass(shard, 1, mean_stretch, &job, &sum));
  job.mean = sum / (double)shard->n_states;
  job.shift = job.mean / (1.0 - chain->levels.discount);
  COH_TRY(coh_mdp_shard_pass(shard, 0, residual_stretch, &job, NULL));
  COH_TRY(solve_policy(fine, ratio, max_products, n_products));
  return coh_mdp_shard_pass(shard, 0, add_stretch, &job, NULL);
}
