/* Shares of rows: how they are cut, kept and swept. */
#include "mdp/mdp_shard.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "mdp/mdp_blocks.h"
#include "mdp/mdp_kernel.h"
#include "mdp/mdp_source.h"

/* ---------------------------------------------------------------------------------- cut -- */

enum { CUT = 1024 }; /* states that are never divided, or all of a small model's, one by one */

static int64_t cut_of(int64_t n_states, int size) {
  return n_states / size >= 64 * CUT ? CUT : 1;
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

/* bound: each rank gets pieces until its part of all entries is reached, at least one. */
static void cut_states(const int64_t *count, int64_t n_pieces, int64_t cut, int64_t n_states,
                       int size, int64_t *bound) {
  int64_t total = 0, sum = 0, piece = 0;
  for (int64_t k = 0; k < n_pieces; k++)
    total += count[k];
  for (int rank = 0; rank < size; rank++) {
    bound[rank] = piece * cut;
    int64_t most = n_pieces - (size - 1 - rank), begun = piece;
    double target = (double)total * (rank + 1) / size;
    while (piece < most &&
           (piece == begun || (double)sum + 0.5 * (double)count[piece] < target))
      sum += count[piece++];
  }
  bound[size] = n_states;
}

static coh_status find_bounds(coh_mdp_shard *shard, const coh_mdp_source *source,
                              coh_mdp_state_rows *rows) {
  int size = coh_world_size(shard->world);
  int64_t cut = cut_of(source->n_states, size);
  int64_t n_pieces = (source->n_states + cut - 1) / cut;
  int64_t *count = coh_alloc_array((size_t)n_pieces, sizeof *count);
  coh_status status = count ? count_entries(shard, source, cut, rows, count)
                            : coh_fail(COH_E_MEMORY, "out of memory to count rows");
  status = coh_comm_agree(shard->world, status);
  if (status == COH_OK)
    status = coh_comm_reduce_int(shard->world, COH_REDUCE_SUM, count, n_pieces);
  if (status == COH_OK) cut_states(count, n_pieces, cut, source->n_states, size, shard->bound);
  coh_free(count);
  return status;
}

/* --------------------------------------------------------------------------------- rows -- */

static coh_status size_rows(coh_mdp_shard *shard, const coh_mdp_source *source,
                            coh_mdp_state_rows *rows) {
  int64_t n_rows = 0, n_entries = 0;
  COH_NEW(shard->first_row, shard->n_own + 1);
  for (int64_t s = 0; s < shard->n_own; s++) {
    source->rows(source->context, shard->first + s, rows);
    n_rows += rows->n_rows;
    n_entries += rows->first_entry[rows->n_rows];
    shard->first_row[s + 1] = n_rows;
  }
  COH_NEW(shard->first_entry, n_rows + 1);
  COH_NEW(shard->reward, n_rows);
  COH_NEW(shard->next, n_entries);
  COH_NEW(shard->probability, n_entries);
  COH_NEW(shard->order, shard->n_own);
  return COH_OK;
}

/* Copy a state's rows with global columns, and note what bounds need to know. */
static coh_status take_rows(coh_mdp_shard *shard, int64_t s, const coh_mdp_state_rows *rows) {
  int64_t row = shard->first_row[s], at = shard->first_entry[row];
  for (int64_t k = 0; k < rows->n_rows; k++) {
    double sum = 0.0;
    int64_t n = rows->first_entry[k + 1] - rows->first_entry[k];
    for (int64_t e = rows->first_entry[k]; e < rows->first_entry[k + 1]; e++, at++) {
      COH_CHECK(rows->next[e] < (uint64_t)shard->n_states && rows->probability[e] >= 0.0,
                COH_E_DATA, "state %lld: leads to state %u with probability %g",
                (long long)(shard->first + s), rows->next[e], rows->probability[e]);
      shard->next[at] = rows->next[e];
      shard->probability[at] = rows->probability[e];
      sum += rows->probability[e];
    }
    COH_CHECK(n >= 1 && fabs(sum - 1.0) <= 1e-6 && isfinite(rows->reward[k]), COH_E_DATA,
              "state %lld, row %lld: probabilities sum to %.9g, reward is %g",
              (long long)(shard->first + s), (long long)k, sum, rows->reward[k]);
    shard->first_entry[row + k + 1] = at;
    shard->reward[row + k] = rows->reward[k];
    coh_mdp_rows *about = &shard->rows;
    if (n > about->longest) about->longest = n;
    if (sum < about->least_sum) about->least_sum = sum;
    if (sum > about->greatest_sum) about->greatest_sum = sum;
    if (fabs(rows->reward[k]) > about->greatest_reward)
      about->greatest_reward = fabs(rows->reward[k]);
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
  int64_t n = 0, n_entries = shard->first_entry[shard->first_row[shard->n_own]];
  for (int64_t e = 0; e < n_entries; e++)
    n += !is_own(shard, shard->next[e]);
  int64_t *all;
  COH_NEW(all, n);
  n = 0;
  for (int64_t e = 0; e < n_entries; e++)
    if (!is_own(shard, shard->next[e])) all[n++] = shard->next[e];
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

/* Columns become local; states that need no ghost come first. */
static void localise(coh_mdp_shard *shard) {
  int64_t n_boundary = 0;
  for (int64_t s = 0; s < shard->n_own; s++) {
    bool interior = true;
    for (int64_t e = shard->first_entry[shard->first_row[s]];
         e < shard->first_entry[shard->first_row[s + 1]]; e++) {
      int64_t to = shard->next[e];
      if (is_own(shard, to)) {
        shard->next[e] = (uint32_t)(to - shard->first);
        continue;
      }
      interior = false;
      const int64_t *found =
          bsearch(&to, shard->ghost, (size_t)shard->n_ghost, sizeof *shard->ghost, by_number);
      shard->next[e] = (uint32_t)(shard->n_own + (found - shard->ghost));
    }
    if (interior)
      shard->order[shard->n_interior++] = (uint32_t)s;
    else
      shard->order[shard->n_own - ++n_boundary] = (uint32_t)s;
  }
}

static coh_status take_share(coh_mdp_shard *shard, const coh_mdp_source *source,
                             coh_mdp_state_rows *rows) {
  COH_TRY(size_rows(shard, source, rows));
  shard->rows.least_sum = INFINITY;
  for (int64_t s = 0; s < shard->n_own; s++) {
    source->rows(source->context, shard->first + s, rows);
    COH_TRY(take_rows(shard, s, rows));
  }
  COH_TRY(find_ghosts(shard));
  localise(shard);
  return COH_OK;
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

static coh_status build(coh_mdp_shard *shard, const coh_mdp_source *source,
                        coh_mdp_state_rows *rows) {
  int rank = coh_world_rank(shard->world), size = coh_world_size(shard->world);
  COH_CHECK(source->n_states >= size, COH_E_CONFIG, "%lld states for %d ranks",
            (long long)source->n_states, size);
  coh_status status = coh_mdp_rows_create(source, rows);
  shard->bound = coh_alloc_array((size_t)size + 1, sizeof *shard->bound);
  if (status == COH_OK && !shard->bound) status = coh_fail(COH_E_MEMORY, "out of memory");
  COH_TRY(coh_comm_agree(shard->world, status));
  COH_TRY(find_bounds(shard, source, rows));
  shard->first = shard->bound[rank];
  shard->n_own = shard->bound[rank + 1] - shard->first;
  COH_TRY(coh_comm_agree(shard->world, take_share(shard, source, rows)));
  COH_TRY(
      coh_halo_create(shard->world, shard->bound, shard->ghost, shard->n_ghost, &shard->halo));
  return agree_on_rows(shard);
}

coh_status coh_mdp_shard_create(coh_world *world, const coh_mdp_source *source, int n_threads,
                                coh_mdp_shard **out) {
  coh_mdp_shard *shard = coh_alloc_array(1, sizeof *shard);
  COH_TRY(coh_comm_agree(world, shard ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory")));
  shard->world = world;
  shard->n_threads = n_threads > 0 ? n_threads : 1;
  shard->discount = source->discount;
  shard->n_states = source->n_states;
  coh_mdp_state_rows rows = {0};
  coh_status status = build(shard, source, &rows);
  coh_mdp_rows_clear(&rows);
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
  coh_halo_destroy(&shard->halo);
  coh_free(shard->bound);
  coh_free(shard->first_row);
  coh_free(shard->first_entry);
  coh_free(shard->next);
  coh_free(shard->probability);
  coh_free(shard->reward);
  coh_free(shard->order);
  coh_free(shard->ghost);
  COH_DELETE(*given);
}

coh_mdp_shard_info coh_mdp_shard_describe(const coh_mdp_shard *shard) {
  coh_mdp_shard_info info = {.first = shard->first,
                             .n_own = shard->n_own,
                             .n_ghost = shard->n_ghost,
                             .n_rows = shard->first_row[shard->n_own],
                             .n_interior = shard->n_interior,
                             .sent = coh_halo_sent(shard->halo),
                             .received = coh_halo_received(shard->halo),
                             .n_neighbours = coh_halo_n_neighbours(shard->halo)};
  info.n_entries = shard->first_entry[info.n_rows];
  size_t own = (size_t)info.n_own, ghosts = (size_t)info.n_ghost, rows = (size_t)info.n_rows;
  info.bytes = (own + 1) * sizeof(int64_t) + (rows + 1) * sizeof(int64_t) +
               rows * sizeof(double) + (size_t)info.n_entries * 12 + own * sizeof(uint32_t) +
               ghosts * sizeof(int64_t) +                                    // the share
               2 * (own + ghosts) * sizeof(double) + own * sizeof(int32_t) + // vectors
               info.received + 2 * info.sent;                                // the halo
  return info;
}

/* ------------------------------------------------------------------------------- sweeps -- */

typedef struct shard_job {
  coh_mdp_shard *shard;
  bool minimize, with_reward;
  const double *values;
  double *next, scale;
  const int32_t *given;
  int32_t *choice;
} shard_job;

static double row_value(const coh_mdp_shard *shard, int64_t row, const double *values) {
  int64_t e = shard->first_entry[row];
  return coh_mdp_row_sum(shard->next + e, shard->probability + e,
                         shard->first_entry[row + 1] - e, values);
}

static void improve_state(const shard_job *job, int64_t s) {
  const coh_mdp_shard *shard = job->shard;
  double best = -INFINITY, sign = job->minimize ? -1.0 : 1.0;
  int64_t taken = 0;
  for (int64_t r = shard->first_row[s]; r < shard->first_row[s + 1]; r++) {
    double q = sign * (shard->reward[r] + shard->discount * row_value(shard, r, job->values));
    if (q > best) {
      best = q;
      taken = r - shard->first_row[s];
    }
  }
  job->next[s] = sign * best;
  if (job->choice) job->choice[s] = (int32_t)taken;
}

static void multiply_state(const shard_job *job, int64_t s) {
  const coh_mdp_shard *shard = job->shard;
  int64_t row = shard->first_row[s] + job->given[s];
  double product = job->scale * row_value(shard, row, job->values);
  job->next[s] = job->with_reward ? shard->reward[row] + product : product;
}

static void states_block(void *given, int64_t first, int64_t end) {
  const shard_job *job = given;
  const uint32_t *order = job->shard->order;
  for (int64_t k = first; k < end; k++) {
    if (job->given)
      multiply_state(job, order[k]);
    else
      improve_state(job, order[k]);
  }
}

/* The blocks [from, n) of the order. */
typedef struct offset_job {
  shard_job *job;
  int64_t from;
} offset_job;

static void offset_block(void *given, int64_t first, int64_t end) {
  const offset_job *offset = given;
  states_block(offset->job, offset->from + first, offset->from + end);
}

/* Interior while the halo travels, then the boundary. */
static coh_status run(shard_job *job, double *x) {
  coh_mdp_shard *shard = job->shard;
  COH_TRY(coh_halo_begin(shard->halo, x, x + shard->n_own));
  coh_mdp_blocks_run(shard->n_interior, shard->n_threads, states_block, job);
  COH_TRY(coh_halo_end(shard->halo));
  offset_job boundary = {job, shard->n_interior};
  coh_mdp_blocks_run(shard->n_own - shard->n_interior, shard->n_threads, offset_block,
                     &boundary);
  return COH_OK;
}

coh_status coh_mdp_shard_sweep(coh_mdp_shard *shard, bool minimize, double *values,
                               double *next, int32_t *choice, double *low, double *high) {
  shard_job job = {
      .shard = shard, .minimize = minimize, .values = values, .next = next, .choice = choice};
  COH_TRY(run(&job, values));
  double least = INFINITY, greatest = -INFINITY;
  for (int64_t s = 0; s < shard->n_own; s++) {
    double change = next[s] - values[s];
    if (!(change >= least)) least = change;
    if (!(change <= greatest)) greatest = change;
  }
  // no reduction takes what is not finite: it is said as the largest number
  double sides[2] = {isfinite(least) ? -least : DBL_MAX,
                     isfinite(greatest) ? greatest : DBL_MAX};
  COH_TRY(coh_comm_reduce_real(shard->world, COH_REDUCE_MAX, sides, 2));
  *low = -sides[0];
  *high = sides[1];
  return COH_OK;
}

coh_status coh_mdp_shard_product(coh_mdp_shard *shard, const int32_t *choice, bool with_reward,
                                 double scale, double *x, double *y) {
  shard_job job = {.shard = shard,
                   .with_reward = with_reward,
                   .values = x,
                   .next = y,
                   .scale = scale,
                   .given = choice};
  return run(&job, x);
}

coh_status coh_mdp_shard_gather(coh_mdp_shard *shard, const double *own, double *all) {
  int size = coh_world_size(shard->world);
  size_t *n_bytes = coh_alloc_array((size_t)size, sizeof *n_bytes);
  COH_TRY(
      coh_comm_agree(shard->world, n_bytes ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory")));
  for (int rank = 0; rank < size; rank++)
    n_bytes[rank] = (size_t)(shard->bound[rank + 1] - shard->bound[rank]) * sizeof(double);
  coh_status status = coh_comm_allgather_varied(shard->world, own, n_bytes, all);
  coh_free(n_bytes);
  return status;
}
