/* Work on a share: sweeps and products with the halo on its way, sums, gathering. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "mdp/mdp_blocks.h"
#include "mdp/mdp_policy.h"
#include "mdp/mdp_shard.h"
#include "mdp/mdp_sweep.h"

static void run_some(const coh_mdp_shard *shard, const coh_mdp_stretch *at, int64_t first,
                     int64_t end, coh_mdp_stretch_work work, void *job) {
  int n_threads = shard->n_threads;
#pragma omp parallel for schedule(static)                     \
    num_threads(n_threads) if (end - first > 1) default(none) \
        shared(at, first, end, work, job)
  for (int64_t k = first; k < end; k++)
    work(job, k, at[k].first, at[k].end);
}

coh_status coh_mdp_shard_run(coh_mdp_shard *shard, const coh_mdp_stretches *stretches,
                             const double *own, double *ghost, coh_mdp_stretch_work work,
                             void *job) {
  bool travels = ghost && shard->halo;
  if (travels) COH_TRY(coh_halo_begin(shard->halo, own, ghost));
  run_some(shard, stretches->at, 0, stretches->n_interior, work, job);
  if (travels) COH_TRY(coh_halo_end(shard->halo));
  run_some(shard, stretches->at, stretches->n_interior, stretches->n, work, job);
  return COH_OK;
}

coh_status coh_mdp_shard_fetch(coh_mdp_shard *shard, double *values) {
  if (!shard->halo) return COH_OK;
  COH_TRY(coh_halo_begin(shard->halo, values, values + shard->n_own));
  return coh_halo_end(shard->halo);
}

/* -------------------------------------------------------------------------------- sweeps -- */

typedef struct bellman_job {
  coh_mdp_sweep_job sweep;
  double (*met)[3];
} bellman_job;

static void bellman_stretch(void *given, int64_t k, int64_t first, int64_t end) {
  const bellman_job *job = given;
  coh_mdp_sweep_job here = job->sweep;
  double *met = job->met[k], largest = 0.0;
  coh_mdp_sweep_stretch(&here, first, end);
  for (int64_t s = first; s < end; s++)
    if (!(fabs(here.values[s]) <= largest)) largest = fabs(here.values[s]);
  met[0] = here.low;
  met[1] = here.high;
  met[2] = largest;
}

/* no reduction takes what is not finite: it is said as the largest number */
static double bounded(double value) {
  return isfinite(value) ? value : DBL_MAX;
}

coh_status coh_mdp_shard_bellman(coh_mdp_shard *shard, coh_mdp_bellman how, double *values,
                                 double *next, int32_t *choice, coh_mdp_change *change) {
  bellman_job job = {coh_mdp_sweep_begin(shard->mdp, how.minimize), shard->met};
  job.sweep.values = values;
  job.sweep.next = next;
  job.sweep.choice = choice;
  if (how.exact) job.sweep.compact = NULL;
  COH_TRY(coh_mdp_shard_run(shard, &shard->runs, values, values + shard->n_own, bellman_stretch,
                            &job));
  double met[3] = {-DBL_MAX, -DBL_MAX, 0.0}; // a rank without states met nothing
  for (int64_t k = 0; k < shard->runs.n; k++) {
    met[0] = fmax(met[0], bounded(-shard->met[k][0]));
    met[1] = fmax(met[1], bounded(shard->met[k][1]));
    met[2] = fmax(met[2], bounded(shard->met[k][2]));
  }
  if (shard->world) COH_TRY(coh_comm_reduce_real(shard->world, COH_REDUCE_MAX, met, 3));
  *change = (coh_mdp_change){-met[0], met[1], met[2]};
  return COH_OK;
}

coh_status coh_mdp_shard_sweep(coh_mdp_shard *shard, bool minimize, double *values,
                               double *next, int32_t *choice, double *low, double *high) {
  coh_mdp_change change;
  COH_TRY(coh_mdp_shard_bellman(shard, (coh_mdp_bellman){.minimize = minimize}, values, next,
                                choice, &change));
  *low = change.low;
  *high = change.high;
  return COH_OK;
}

static void product_stretch(void *given, int64_t k, int64_t first, int64_t end) {
  (void)k;
  coh_mdp_product_stretch(given, first, end);
}

coh_status coh_mdp_shard_residual_product(coh_mdp_shard *shard, coh_mdp_policy policy,
                                          double scale, double *x, double *y) {
  coh_mdp_product job = {.mdp = shard->mdp, .policy = policy, .x = x, .y = y, .scale = scale};
  return coh_mdp_shard_run(shard, &shard->runs, x, x + shard->n_own, product_stretch, &job);
}

/* ---------------------------------------------------------------------------------- sums -- */

typedef struct pass_job {
  double *partial;
  coh_krylov_work work;
  void *job;
} pass_job;

static void pass_block(void *given, int64_t block, int64_t first, int64_t end) {
  const pass_job *pass = given;
  pass->work(pass->job, first, end, pass->partial + block * COH_KRYLOV_SUMS);
}

coh_status coh_mdp_shard_pass(coh_mdp_shard *shard, int n_sums, coh_krylov_work work, void *job,
                              double *out) {
  pass_job pass = {shard->partial, work, job};
  COH_TRY(coh_mdp_shard_run(shard, &shard->blocks, NULL, NULL, pass_block, &pass));
  if (n_sums == 0) return COH_OK;
  for (int64_t k = 0; k < shard->lanes.n_local; k++) {
    double *sum = shard->by_lane + k * COH_KRYLOV_SUMS;
    if (shard->tree[k])
      coh_lane_tree_run(shard->tree[k], shard->leaf + shard->lane_block[k], 0, n_sums, sum);
  }
  if (shard->sum) return coh_lane_sum_run(shard->sum, shard->lane_leaf, n_sums, out);
  memcpy(out, shard->by_lane, (size_t)n_sums * sizeof *out);
  return COH_OK;
}

coh_status coh_mdp_shard_dots(coh_mdp_shard *shard, int n_pairs, const double *const x[],
                              const double *const y[], double *out) {
  coh_krylov_dots job = {n_pairs, x, y};
  return coh_mdp_shard_pass(shard, n_pairs, coh_krylov_dots_work, &job, out);
}

coh_status coh_mdp_shard_largest(const coh_mdp_shard *shard, double *value) {
  *value = bounded(*value);
  return shard->world ? coh_comm_reduce_real(shard->world, COH_REDUCE_MAX, value, 1) : COH_OK;
}

coh_status coh_mdp_shard_sum_int(const coh_mdp_shard *shard, int64_t *value) {
  return shard->world ? coh_comm_reduce_int(shard->world, COH_REDUCE_SUM, value, 1) : COH_OK;
}

coh_status coh_mdp_policy_entries(const coh_mdp_shard *shard, const int32_t *choice,
                                  int64_t *n) {
  const coh_mdp *mdp = shard->mdp;
  *n = 0;
  for (int64_t s = 0; s < mdp->n_states; s++) {
    int64_t r = mdp->first_row[s] + choice[s];
    *n += mdp->first_entry[r + 1] - mdp->first_entry[r];
  }
  return coh_mdp_shard_sum_int(shard, n);
}

/* ------------------------------------------------------------------------------ together -- */

static coh_status piece_sizes(const coh_mdp_shard *shard, size_t n_bytes, size_t **sizes) {
  int size = coh_world_size(shard->world);
  *sizes = coh_alloc_array((size_t)size, sizeof **sizes);
  COH_TRY(
      coh_comm_agree(shard->world, *sizes ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory")));
  for (int rank = 0; rank < size; rank++)
    (*sizes)[rank] = (size_t)(shard->bound[rank + 1] - shard->bound[rank]) * n_bytes;
  return COH_OK;
}

coh_status coh_mdp_shard_collect(coh_mdp_shard *shard, const void *own, size_t n_bytes,
                                 void *all) {
  if (!shard->world) {
    memcpy(all, own, (size_t)shard->n_own * n_bytes);
    return COH_OK;
  }
  size_t *sizes;
  COH_TRY(piece_sizes(shard, n_bytes, &sizes));
  coh_status status = coh_comm_gather_varied(shard->world, own, sizes, all, 0);
  coh_free(sizes);
  return status;
}

coh_status coh_mdp_shard_gather(coh_mdp_shard *shard, const double *own, double *all) {
  size_t *sizes;
  COH_TRY(piece_sizes(shard, sizeof *own, &sizes));
  coh_status status = coh_comm_allgather_varied(shard->world, own, sizes, all);
  coh_free(sizes);
  return status;
}
