/* Gauss-Seidel and SOR by blocks. */
#include "mdp/mdp_relax.h"

#include <math.h>
#include <string.h>

#include "mdp/mdp_blocks.h"

double coh_mdp_relax_state(const coh_mdp_scope *job, int64_t s) {
  const coh_mdp *mdp = job->how->shard->mdp;
  double sign = job->how->minimize ? -1.0 : 1.0, best = -INFINITY;
  int64_t from = mdp->first_row[s], to = mdp->first_row[s + 1];
  if (job->how->choice) {
    from += job->how->choice[s];
    to = from + 1;
  }
  for (int64_t r = from; r < to; r++) {
    double sum = 0.0;
    for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++) {
      int64_t next = mdp->next[e];
      bool inside = (uint64_t)(next - job->first) < (uint64_t)job->length;
      sum += mdp->probability[e] * (inside ? job->values : job->old)[next];
    }
    double q = sign * (mdp->reward[r] + mdp->discount * sum);
    if (q > best) best = q;
  }
  return sign * best;
}

static double relax_stretch(const coh_mdp_scope *job, int64_t first, int64_t end) {
  double largest = 0.0, omega = job->how->order == COH_MDP_SOR ? job->how->omega : 1.0;
  for (int64_t k = first; k < end; k++) {
    int64_t s = job->how->backward ? first + end - 1 - k : k;
    double before = job->values[s], change = coh_mdp_relax_state(job, s) - before;
    job->values[s] = before + omega * change;
    if (!(fabs(change) <= largest)) largest = fabs(change); // a NaN stays
  }
  return largest;
}

typedef struct scopes_job {
  const coh_mdp_relaxation *how;
  double *values;
  const double *old;
  double (*met)[3];
} scopes_job;

static void relax_scope(void *given, int64_t k, int64_t first, int64_t end) {
  const scopes_job *job = given;
  int64_t length = job->how->order == COH_MDP_JACOBI ? 0 : end - first;
  coh_mdp_scope scope = {job->how, job->values, job->old, first, length};
  job->met[k][0] = relax_stretch(&scope, first, end);
}

coh_status coh_mdp_relax(const coh_mdp_relaxation *how, double *values, double *old,
                         double *change) {
  coh_mdp_shard *shard = how->shard;
  const coh_mdp_stretches *scopes = &shard->scopes;
  // alone in its block a sweep reads no older values
  if (scopes->n > 1 || shard->halo || how->order == COH_MDP_JACOBI)
    memcpy(old, values, (size_t)shard->n_own * sizeof *old);
  scopes_job job = {how, values, old, shard->met};
  COH_TRY(coh_mdp_shard_run(shard, scopes, old, old + shard->n_own, relax_scope, &job));
  *change = 0.0;
  for (int64_t k = 0; k < scopes->n; k++)
    if (!(shard->met[k][0] <= *change)) *change = shard->met[k][0]; // a NaN stays
  return coh_mdp_shard_largest(shard, change);
}
