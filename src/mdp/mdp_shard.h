/* Inside of a share of rows. A rank's rows are a model of their own, whose columns beyond
 * n_states are ghosts; vectors have room for both. So every solver is written once, for shares,
 * and the whole model in one process is the share without ghosts.
 *
 * Lanes of about as many transitions each are cut by the model alone, ranks take lanes. What
 * depends on an order (sums, sweeps in place) keeps to lanes and to blocks inside of them, so
 * that it gives the same bits on any number of ranks and threads. */
#ifndef COHORT_MDP_MDP_SHARD_H
#define COHORT_MDP_MDP_SHARD_H

#include "cohort/mdp_rows.h"
#include "comm/halo.h"
#include "comm/lane_tree.h"
#include "la/krylov.h"
#include "mdp/mdp_bound.h"

/* Consecutive states, numbered from this rank's first. */
typedef struct coh_mdp_stretch {
  int64_t first, end;
} coh_mdp_stretch;

/* Those whose rows lead to no ghost come first. */
typedef struct coh_mdp_stretches {
  coh_mdp_stretch *at;
  int64_t n, n_interior;
} coh_mdp_stretches;

struct coh_mdp_shard {
  coh_world *world; /* NULL: alone, not collective */
  coh_lanes lanes;
  int n_threads;
  int64_t n_states, n_entries; /* of all ranks */
  int64_t first, n_own, n_ghost;
  const coh_mdp *mdp;                     /* own rows, local columns */
  coh_mdp *kept;                          /* the same, where it is the share's own */
  int64_t *lane_first;                    /* n_lanes + 1: the states of each */
  int64_t *bound;                         /* size + 1: the states of each rank */
  int64_t *ghost;                         /* n_ghost: which states they are, rising */
  coh_halo *halo;                         /* NULL: alone */
  coh_mdp_rows rows;                      /* of all ranks */
  int64_t n_interior;                     /* own states that lead to no ghost */
  coh_mdp_stretches runs, scopes, blocks; /* of sweeps, of sweeps in place, of sums */

  int64_t *lane_block; /* n_local + 1: the blocks of each lane */
  coh_lane_tree **tree;
  double *partial, *by_lane; /* COH_KRYLOV_SUMS for each block, each lane */
  const void **leaf;         /* into partial */
  const void **lane_leaf;    /* into by_lane */
  coh_lane_sum *sum;         /* NULL: one lane */
  double (*met)[3]; /* of each run or scope: least and greatest change, largest value */
};

/* The whole of a model in this process, one lane. mdp: borrowed. Not collective, and so are no
 * calls with it. Caller destroys. Fails: COH_E_MEMORY. */
coh_status coh_mdp_shard_of(const coh_mdp *mdp, int n_threads, coh_mdp_shard **shard);

/* Deal out another model of as many states as `like` is dealt out. Collective; as
 * coh_mdp_shard_create. */
coh_status coh_mdp_shard_alike(const coh_mdp_shard *like, const coh_mdp_source *source,
                               coh_mdp_shard **shard);

/* Components of a vector: own and ghosts. */
static inline int64_t coh_mdp_shard_room(const coh_mdp_shard *shard) {
  return shard->n_own + shard->n_ghost;
}

/* mdp_shard_cut.c: the stretches and what sums need, once rows and lanes are there. */
coh_status coh_mdp_shard_arrange(coh_mdp_shard *shard);
void coh_mdp_shard_clear_arrangement(coh_mdp_shard *shard);

/* Call work(job, k, first, end) for stretches of own states. Where ghost is not NULL the halo
 * of `own` travels to it meanwhile, and stretches that need it come last. Collective then. */
typedef void (*coh_mdp_stretch_work)(void *job, int64_t k, int64_t first, int64_t end);
coh_status coh_mdp_shard_run(coh_mdp_shard *shard, const coh_mdp_stretches *stretches,
                             const double *own, double *ghost, coh_mdp_stretch_work work,
                             void *job);

/* Fetch the ghosts of a vector. Collective. */
coh_status coh_mdp_shard_fetch(coh_mdp_shard *shard, double *values);

/* What a sweep met, over all ranks. */
typedef struct coh_mdp_change {
  double low, high; /* of next - values */
  double largest;   /* of the values, absolute */
} coh_mdp_change;
typedef struct coh_mdp_bellman {
  bool minimize;
  bool exact; /* leave a compact form of the rows alone */
} coh_mdp_bellman;
coh_status coh_mdp_shard_bellman(coh_mdp_shard *shard, coh_mdp_bellman how, double *values,
                                 double *next, int32_t *choice, coh_mdp_change *change);

/* y = x - scale P_pi x over own states; ghosts of x are fetched. Collective. */
coh_status coh_mdp_shard_residual_product(coh_mdp_shard *shard, coh_mdp_policy policy,
                                          double scale, double *x, double *y);

/* Call work over the blocks of own states, from many threads; out: the n_sums sums of all
 * ranks. Collective where there are any. The same bits on every layout. */
coh_status coh_mdp_shard_pass(coh_mdp_shard *shard, int n_sums, coh_krylov_work work, void *job,
                              double *out);

/* out[k] = x[k] . y[k] over all states, by such a pass. */
coh_status coh_mdp_shard_dots(coh_mdp_shard *shard, int n_pairs, const double *const x[],
                              const double *const y[], double *out);

/* Entries of a policy's rows, on all ranks. Collective. */
coh_status coh_mdp_policy_entries(const coh_mdp_shard *shard, const int32_t *choice,
                                  int64_t *n);

/* Over all ranks; what is not finite becomes DBL_MAX. Collective. */
coh_status coh_mdp_shard_largest(const coh_mdp_shard *shard, double *value);
coh_status coh_mdp_shard_sum_int(const coh_mdp_shard *shard, int64_t *value);

/* Pieces of n_bytes a state of all ranks together on rank 0, in order; all: out, there only.
 * Alone: a copy. Collective. */
coh_status coh_mdp_shard_collect(coh_mdp_shard *shard, const void *own, size_t n_bytes,
                                 void *all);

#endif
