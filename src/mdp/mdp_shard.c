/* Shares of rows: how they are cut and kept. */
#include "mdp/mdp_shard.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "mdp/mdp_source.h"

/* ---------------------------------------------------------------------------------- cut -- */

enum { CUT = 1024 }; /* states that are never divided, or all of a small model's, one by one */

static int64_t cut_of(int64_t n_states, int64_t n_lanes) {
  return n_states / n_lanes >= 64 * CUT ? CUT : 1;
}

/* Entries of each piece of `cut` states, counted by all ranks together. */
static coh_status count_entries(const coh_mdp_shard *shard, const coh_mdp_source *source,
                                int64_t cut, coh_mdp_state_rows *rows, int64_t *count) {
  int64_t n_pieces = (source->n_states + cut - 1) / cut;
  int rank = coh_world_rank(shard->world), size = coh_world_size(shard->world);
  int64_t first = n_pieces * rank / size * cut, end = n_pieces * (rank + 1) / size * cut;
  for (int64_t s = first; s < end && s < source->n_states; s++) {
    source->rows(source->context, s, rows);
    COH_CHECK(rows->n_rows >= 1 && rows->n_rows <= source->max_rows &&
                  rows->first_entry[rows->n_rows] <= source->max_entries,
              COH_E_DATA, "state %lld: more rows or entries than the source promises",
              (long long)s);
    count[s / cut] += rows->first_entry[rows->n_rows];
  }
  return COH_OK;
}

/* Each lane gets pieces until its part of all entries is reached, at least one of them where
 * there are enough. */
static void cut_lanes(coh_mdp_shard *shard, const int64_t *count, int64_t n_pieces,
                      int64_t cut) {
  int64_t n_lanes = shard->lanes.n_lanes, sum = 0, piece = 0;
  int64_t n_entries = 0;
  for (int64_t k = 0; k < n_pieces; k++)
    n_entries += count[k];
  for (int64_t lane = 0; lane < n_lanes; lane++) {
    shard->lane_first[lane] = piece * cut < shard->n_states ? piece * cut : shard->n_states;
    int64_t most = n_pieces - (n_lanes - 1 - lane), begun = piece;
    if (most <= begun && n_pieces < n_lanes) most = begun < n_pieces ? begun + 1 : begun;
    double target = (double)n_entries * (double)(lane + 1) / (double)n_lanes;
    while (piece < most &&
           (piece == begun || (double)sum + 0.5 * (double)count[piece] < target))
      sum += count[piece++];
  }
  shard->lane_first[n_lanes] = shard->n_states;
  for (int rank = 0; rank <= coh_world_size(shard->world); rank++)
    shard->bound[rank] = shard->lane_first[coh_lanes_first_of(shard->world, n_lanes, rank)];
}

static coh_status find_bounds(coh_mdp_shard *shard, const coh_mdp_source *source,
                              coh_mdp_state_rows *rows) {
  int64_t cut = cut_of(source->n_states, shard->lanes.n_lanes);
  int64_t n_pieces = (source->n_states + cut - 1) / cut;
  int64_t *count = coh_alloc_array((size_t)n_pieces, sizeof *count);
  coh_status status = count ? count_entries(shard, source, cut, rows, count)
                            : coh_fail(COH_E_MEMORY, "out of memory to count rows");
  status = coh_comm_agree(shard->world, status);
  if (status == COH_OK)
    status = coh_comm_reduce_int(shard->world, COH_REDUCE_SUM, count, n_pieces);
  if (status == COH_OK) cut_lanes(shard, count, n_pieces, cut);
  coh_free(count);
  return status;
}

/* --------------------------------------------------------------------------------- rows -- */

static coh_status size_rows(coh_mdp_shard *shard, const coh_mdp_source *source,
                            coh_mdp_state_rows *rows) {
  coh_mdp *mdp = shard->kept;
  COH_NEW(mdp->first_row, shard->n_own + 1);
  for (int64_t s = 0; s < shard->n_own; s++) {
    source->rows(source->context, shard->first + s, rows);
    mdp->n_rows += rows->n_rows;
    mdp->n_entries += rows->first_entry[rows->n_rows];
    mdp->first_row[s + 1] = mdp->n_rows;
  }
  COH_NEW(mdp->first_entry, mdp->n_rows + 1);
  COH_NEW(mdp->reward, mdp->n_rows);
  COH_NEW(mdp->action, mdp->n_rows);
  COH_NEW(mdp->next, mdp->n_entries);
  COH_NEW(mdp->probability, mdp->n_entries);
  return COH_OK;
}

/* Copy a row with global columns. Returns its sum. */
static double take_row(coh_mdp *mdp, int64_t row, const coh_mdp_state_rows *rows, int64_t k) {
  int64_t at = mdp->first_entry[row];
  double sum = 0.0;
  for (int64_t e = rows->first_entry[k]; e < rows->first_entry[k + 1]; e++, at++) {
    mdp->next[at] = rows->next[e];
    mdp->probability[at] = rows->probability[e];
    sum += rows->probability[e];
  }
  mdp->first_entry[row + 1] = at;
  mdp->reward[row] = rows->reward[k];
  mdp->action[row] = rows->action[k];
  if (rows->action[k] >= mdp->n_actions) mdp->n_actions = (int64_t)rows->action[k] + 1;
  return sum;
}

/* Check a state's rows, copy them, and note what bounds need to know. */
static coh_status take_rows(coh_mdp_shard *shard, int64_t s, const coh_mdp_state_rows *rows) {
  int64_t row = shard->mdp->first_row[s];
  coh_mdp_rows *about = &shard->rows;
  for (int64_t e = 0; e < rows->first_entry[rows->n_rows]; e++)
    COH_CHECK(rows->next[e] < (uint64_t)shard->n_states && rows->probability[e] >= 0.0,
              COH_E_DATA, "state %lld: leads to state %u with probability %g",
              (long long)(shard->first + s), rows->next[e], rows->probability[e]);
  for (int64_t k = 0; k < rows->n_rows; k++) {
    int64_t n = rows->first_entry[k + 1] - rows->first_entry[k];
    double sum = take_row(shard->kept, row + k, rows, k), reward = fabs(rows->reward[k]);
    COH_CHECK(n >= 1 && fabs(sum - 1.0) <= 1e-6 && isfinite(reward), COH_E_DATA,
              "state %lld, row %lld: probabilities sum to %.9g, reward is %g",
              (long long)(shard->first + s), (long long)k, sum, rows->reward[k]);
    if (n > about->longest) about->longest = n;
    if (sum < about->least_sum) about->least_sum = sum;
    if (sum > about->greatest_sum) about->greatest_sum = sum;
    if (reward > about->greatest_reward) about->greatest_reward = reward;
  }
  return COH_OK;
}

static int by_number(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static bool is_own(const coh_mdp_shard *shard, int64_t state) {
  return state >= shard->first && state < shard->first + shard->n_own;
}

/* The states of others that own rows lead to, rising, each once. */
static coh_status find_ghosts(coh_mdp_shard *shard) {
  const coh_mdp *mdp = shard->mdp;
  int64_t n = 0;
  for (int64_t e = 0; e < mdp->n_entries; e++)
    n += !is_own(shard, mdp->next[e]);
  int64_t *all;
  COH_NEW(all, n);
  n = 0;
  for (int64_t e = 0; e < mdp->n_entries; e++)
    if (!is_own(shard, mdp->next[e])) all[n++] = mdp->next[e];
  qsort(all, (size_t)n, sizeof *all, by_number);
  for (int64_t k = 0; k < n; k++)
    if (k == 0 || all[k] != all[shard->n_ghost - 1]) all[shard->n_ghost++] = all[k];
  shard->ghost = coh_alloc_array((size_t)shard->n_ghost, sizeof *all);
  if (shard->ghost && shard->n_ghost > 0)
    memcpy(shard->ghost, all, (size_t)shard->n_ghost * sizeof *all);
  coh_free(all);
  COH_CHECK(shard->ghost, COH_E_MEMORY, "out of memory for %lld ghosts",
            (long long)shard->n_ghost);
  COH_CHECK(shard->n_own + shard->n_ghost <= UINT32_MAX, COH_E_DATA,
            "a share of %lld states and %lld ghosts", (long long)shard->n_own,
            (long long)shard->n_ghost);
  return COH_OK;
}

/* Columns become local. */
static void localise(coh_mdp_shard *shard) {
  coh_mdp *mdp = shard->kept;
  for (int64_t e = 0; e < mdp->n_entries; e++) {
    int64_t to = mdp->next[e];
    if (is_own(shard, to)) {
      mdp->next[e] = (uint32_t)(to - shard->first);
      continue;
    }
    const int64_t *found =
        bsearch(&to, shard->ghost, (size_t)shard->n_ghost, sizeof *shard->ghost, by_number);
    mdp->next[e] = (uint32_t)(shard->n_own + (found - shard->ghost));
  }
}

static void measure_length(coh_mdp *mdp) {
  mdp->row_length = mdp->n_rows > 0 ? mdp->first_entry[1] : 0;
  for (int64_t r = 0; r < mdp->n_rows; r++)
    if (mdp->first_entry[r + 1] - mdp->first_entry[r] != mdp->row_length) {
      mdp->row_length = 0;
      return;
    }
}

static coh_status take_share(coh_mdp_shard *shard, const coh_mdp_source *source,
                             coh_mdp_state_rows *rows) {
  COH_NEW(shard->kept, 1);
  shard->mdp = shard->kept;
  shard->kept->n_states = shard->n_own;
  shard->kept->discount = source->discount;
  COH_TRY(size_rows(shard, source, rows));
  shard->rows.least_sum = INFINITY;
  for (int64_t s = 0; s < shard->n_own; s++) {
    source->rows(source->context, shard->first + s, rows);
    COH_TRY(take_rows(shard, s, rows));
  }
  COH_TRY(find_ghosts(shard));
  localise(shard);
  measure_length(shard->kept);
  return coh_mdp_shard_arrange(shard);
}

/* What bounds need, over all ranks. */
static coh_status agree_on_rows(coh_mdp_shard *shard) {
  double least = shard->rows.least_sum;
  double most[3] = {shard->rows.greatest_sum, shard->rows.greatest_reward,
                    (double)shard->rows.longest};
  COH_TRY(coh_comm_reduce_real(shard->world, COH_REDUCE_MIN, &least, 1));
  COH_TRY(coh_comm_reduce_real(shard->world, COH_REDUCE_MAX, most, 3));
  double slack = (most[2] + 1.0) * DBL_EPSILON;
  shard->rows = (coh_mdp_rows){least - slack, most[0] + slack, most[1], (int64_t)most[2], 0.0};
  return COH_OK;
}

static coh_status begin(coh_mdp_shard *shard, const coh_mdp_source *source, int64_t n_lanes,
                        coh_mdp_state_rows *rows) {
  int size = coh_world_size(shard->world);
  COH_CHECK(source->n_states >= 1, COH_E_DATA, "a model of %lld states",
            (long long)source->n_states);
  COH_TRY(coh_lanes_split(shard->world, n_lanes > 0 ? n_lanes : size, &shard->lanes));
  COH_NEW(shard->lane_first, shard->lanes.n_lanes + 1);
  COH_NEW(shard->bound, size + 1);
  return coh_mdp_rows_create(source, rows);
}

/* The same lanes as another share's. */
static coh_status follow(coh_mdp_shard *shard, const coh_mdp_shard *like) {
  size_t n_lanes = (size_t)like->lanes.n_lanes, size = (size_t)coh_world_size(shard->world);
  memcpy(shard->lane_first, like->lane_first, (n_lanes + 1) * sizeof *shard->lane_first);
  memcpy(shard->bound, like->bound, (size + 1) * sizeof *shard->bound);
  return COH_OK;
}

static coh_status build(coh_mdp_shard *shard, const coh_mdp_source *source, int64_t n_lanes,
                        const coh_mdp_shard *like, coh_mdp_state_rows *rows) {
  coh_world *world = shard->world;
  int rank = coh_world_rank(world);
  COH_TRY(coh_comm_agree(world, begin(shard, source, n_lanes, rows)));
  COH_TRY(like ? follow(shard, like) : find_bounds(shard, source, rows));
  shard->first = shard->bound[rank];
  shard->n_own = shard->bound[rank + 1] - shard->first;
  COH_TRY(coh_comm_agree(world, take_share(shard, source, rows)));
  shard->n_entries = shard->mdp->n_entries;
  COH_TRY(coh_comm_reduce_int(world, COH_REDUCE_SUM, &shard->n_entries, 1));
  COH_TRY(coh_halo_create(world, shard->bound, shard->ghost, shard->n_ghost, &shard->halo));
  if (shard->lanes.n_lanes > 1)
    COH_TRY(coh_lane_sum_create(world, &shard->lanes, COH_SUM_F64, COH_KRYLOV_SUMS, 1,
                                &shard->sum));
  return agree_on_rows(shard);
}

static coh_status deal(coh_world *world, const coh_mdp_source *source, int64_t n_lanes,
                       int n_threads, const coh_mdp_shard *like, coh_mdp_shard **out) {
  coh_mdp_shard *shard = coh_alloc_array(1, sizeof *shard);
  COH_TRY(coh_comm_agree(world, shard ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory")));
  shard->world = world;
  shard->n_threads = n_threads > 0 ? n_threads : 1;
  shard->n_states = source->n_states;
  coh_mdp_state_rows rows = {0};
  coh_status status = build(shard, source, n_lanes, like, &rows);
  coh_mdp_rows_clear(&rows);
  if (status != COH_OK) {
    coh_mdp_shard_destroy(&shard);
    return status;
  }
  *out = shard;
  return COH_OK;
}

coh_status coh_mdp_shard_create(coh_world *world, const coh_mdp_source *source, int64_t n_lanes,
                                int n_threads, coh_mdp_shard **shard) {
  return deal(world, source, n_lanes, n_threads, NULL, shard);
}

coh_status coh_mdp_shard_alike(const coh_mdp_shard *like, const coh_mdp_source *source,
                               coh_mdp_shard **shard) {
  return deal(like->world, source, like->lanes.n_lanes, like->n_threads, like, shard);
}

static coh_status fill_alone(coh_mdp_shard *shard) {
  COH_NEW(shard->lane_first, 2);
  shard->lane_first[1] = shard->n_own;
  coh_mdp_rows_measure(shard->mdp, &shard->rows);
  return coh_mdp_shard_arrange(shard);
}

coh_status coh_mdp_shard_of(const coh_mdp *mdp, int n_threads, coh_mdp_shard **out) {
  coh_mdp_shard *shard;
  COH_NEW(shard, 1);
  shard->mdp = mdp;
  shard->n_threads = n_threads > 0 ? n_threads : 1;
  shard->lanes = (coh_lanes){1, 0, 1};
  shard->n_states = shard->n_own = mdp->n_states;
  shard->n_entries = mdp->n_entries;
  coh_status status = fill_alone(shard);
  if (status != COH_OK) {
    coh_mdp_shard_destroy(&shard);
    return status;
  }
  *out = shard;
  return COH_OK;
}

void coh_mdp_shard_destroy(coh_mdp_shard **given) {
  coh_mdp_shard *shard = *given;
  if (!shard) return;
  coh_mdp_shard_clear_arrangement(shard);
  coh_halo_destroy(&shard->halo);
  coh_mdp_destroy(&shard->kept);
  coh_free(shard->lane_first);
  coh_free(shard->bound);
  coh_free(shard->ghost);
  COH_DELETE(*given);
}

coh_mdp_shard_info coh_mdp_shard_describe(const coh_mdp_shard *shard) {
  coh_mdp_shard_info info = {.first = shard->first,
                             .n_own = shard->n_own,
                             .n_ghost = shard->n_ghost,
                             .n_rows = shard->mdp->n_rows,
                             .n_entries = shard->mdp->n_entries,
                             .n_interior = shard->n_interior};
  info.bytes = coh_mdp_bytes(shard->mdp) + (size_t)shard->n_ghost * sizeof(int64_t);
  if (!shard->halo) return info;
  info.sent = coh_halo_sent(shard->halo);
  info.received = coh_halo_received(shard->halo);
  info.n_neighbours = coh_halo_n_neighbours(shard->halo);
  info.bytes += info.received + 2 * info.sent;
  return info;
}
