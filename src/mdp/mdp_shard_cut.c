/* How a share is worked on: stretches of states for sweeps and sums. */
#include "base/alloc.h"
#include "mdp/mdp_blocks.h"
#include "mdp/mdp_shard.h"

enum {
  MOST_SCOPES = 64
}; /* stretches that sweeps in place are cut into, at least a lane each */

static bool is_interior(const coh_mdp_shard *shard, int64_t s) {
  const coh_mdp *mdp = shard->mdp;
  if (shard->n_ghost == 0) return true;
  for (int64_t e = mdp->first_entry[mdp->first_row[s]];
       e < mdp->first_entry[mdp->first_row[s + 1]]; e++)
    if (mdp->next[e] >= (uint64_t)shard->n_own) return false;
  return true;
}

/* ---- plain cuts: every lane into equal stretches */

static int64_t lane_length(const coh_mdp_shard *shard, int64_t k) {
  const int64_t *first = shard->lane_first + shard->lanes.first + k;
  return first[1] - first[0];
}

static int64_t scope_size(const coh_mdp_shard *shard, int64_t length) {
  int64_t n = MOST_SCOPES / shard->lanes.n_lanes;
  if (n < 1) n = 1;
  int64_t size = (length + n - 1) / n;
  return size < COH_MDP_BLOCK ? COH_MDP_BLOCK : size;
}

static coh_status cut_lanes(const coh_mdp_shard *shard, bool scopes, coh_mdp_stretches *cut,
                            int64_t *lane_begin) {
  for (int pass = 0; pass < 2; pass++) { // to count, to cut
    int64_t n = 0;
    for (int64_t k = 0; k < shard->lanes.n_local; k++) {
      int64_t first = shard->lane_first[shard->lanes.first + k] - shard->first;
      int64_t end = first + lane_length(shard, k);
      int64_t size = scopes ? scope_size(shard, end - first) : COH_MDP_BLOCK;
      for (int64_t s = first; s < end; s += size, n++)
        if (pass == 1) cut->at[n] = (coh_mdp_stretch){s, s + size < end ? s + size : end};
      if (lane_begin) lane_begin[k + 1] = n;
    }
    if (pass == 0) COH_NEW(cut->at, n);
    cut->n = n;
  }
  cut->n_interior = cut->n;
  return COH_OK;
}

/* those that need no ghost first */
static coh_status sort_scopes(const coh_mdp_shard *shard, coh_mdp_stretches *cut) {
  coh_mdp_stretch *sorted;
  COH_NEW(sorted, cut->n);
  int64_t n = 0, n_last = 0;
  for (int64_t k = 0; k < cut->n; k++) {
    bool interior = true;
    for (int64_t s = cut->at[k].first; s < cut->at[k].end && interior; s++)
      interior = is_interior(shard, s);
    sorted[interior ? n++ : cut->n - ++n_last] = cut->at[k];
  }
  coh_free(cut->at);
  cut->at = sorted;
  cut->n_interior = n;
  return COH_OK;
}

/* ---- runs: blocks, cut where interior and boundary meet */

static coh_status cut_runs(coh_mdp_shard *shard) {
  coh_mdp_stretches *runs = &shard->runs;
  int64_t n[2] = {0};
  for (int pass = 0; pass < 2; pass++) {
    int64_t at[2] = {0, runs->n_interior};
    if (pass == 1) COH_NEW(runs->at, runs->n);
    for (int64_t s = 0; s < shard->n_own;) {
      bool boundary = !is_interior(shard, s);
      int64_t first = s, most = coh_mdp_block_end(s / COH_MDP_BLOCK, shard->n_own);
      while (++s < most && boundary == !is_interior(shard, s)) {
      }
      if (pass == 1) runs->at[at[boundary]++] = (coh_mdp_stretch){first, s};
      n[boundary] += pass == 0;
      shard->n_interior += pass == 0 && !boundary ? s - first : 0;
    }
    runs->n_interior = n[0];
    runs->n = n[0] + n[1];
  }
  int64_t n_scopes = shard->scopes.n;
  COH_NEW(shard->met, n_scopes > runs->n ? n_scopes : runs->n);
  return COH_OK;
}

/* ---- sums: a tree in each lane, one over lanes */

static coh_status plant_tree(const coh_mdp_shard *shard, int64_t k, int64_t *bound) {
  int64_t n = shard->lane_block[k + 1] - shard->lane_block[k];
  for (int64_t i = 0; i <= n; i++)
    bound[i] = i;
  return n == 0 ? COH_OK : coh_lane_tree_create(bound, n, COH_SUM_F64, 1, &shard->tree[k]);
}

static coh_status plant_trees(coh_mdp_shard *shard) {
  int64_t n_local = shard->lanes.n_local, *bound;
  COH_NEW(shard->tree, n_local);
  COH_NEW(shard->partial, shard->blocks.n * COH_KRYLOV_SUMS);
  COH_NEW(shard->leaf, shard->blocks.n);
  COH_NEW(shard->by_lane, n_local * COH_KRYLOV_SUMS);
  COH_NEW(shard->lane_leaf, n_local);
  for (int64_t b = 0; b < shard->blocks.n; b++)
    shard->leaf[b] = shard->partial + b * COH_KRYLOV_SUMS;
  for (int64_t k = 0; k < n_local; k++)
    shard->lane_leaf[k] = shard->by_lane + k * COH_KRYLOV_SUMS;
  COH_NEW(bound, shard->blocks.n + 1);
  coh_status status = COH_OK;
  for (int64_t k = 0; k < n_local && status == COH_OK; k++)
    status = plant_tree(shard, k, bound);
  coh_free(bound);
  return status;
}

coh_status coh_mdp_shard_arrange(coh_mdp_shard *shard) {
  COH_NEW(shard->lane_block, shard->lanes.n_local + 1);
  COH_TRY(cut_lanes(shard, false, &shard->blocks, shard->lane_block));
  COH_TRY(cut_lanes(shard, true, &shard->scopes, NULL));
  COH_TRY(sort_scopes(shard, &shard->scopes));
  COH_TRY(cut_runs(shard));
  return plant_trees(shard);
}

void coh_mdp_shard_clear_arrangement(coh_mdp_shard *shard) {
  for (int64_t k = 0; shard->tree && k < shard->lanes.n_local; k++)
    if (shard->tree[k]) coh_lane_tree_destroy(&shard->tree[k]);
  coh_lane_sum_destroy(&shard->sum);
  coh_free(shard->runs.at);
  coh_free(shard->scopes.at);
  coh_free(shard->blocks.at);
  coh_free(shard->lane_block);
  coh_free(shard->tree);
  coh_free(shard->partial);
  coh_free(shard->leaf);
  coh_free(shard->by_lane);
  coh_free(shard->lane_leaf);
  coh_free(shard->met);
}
