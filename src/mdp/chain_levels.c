/* See chain_levels.h. */
#include "mdp/chain_levels.h"

#include <omp.h>
#include <string.h>

#include "base/alloc.h"
#include "la/lapack.h"

enum {
  SMALL = 256,      /* states that need no coarser level */
  MIN_GROUP = 16,   /* of level 0 */
  MAX_GROUP = 1024, /* states a group; a power of two, so that it divides a block */
};
static const double FINE_SHARE = 0.1,
                    COARSE_SHARE = 0.5; /* of entries, that a coarser level may have */

static coh_status agree(const coh_chain_levels *levels, coh_status status) {
  return levels->shard->world ? coh_comm_agree(levels->shard->world, status) : status;
}

/* ------------------------------------------------------------------------------- pattern -- */

/* Level 0: room for the longest row of each state. */
static coh_status shape_policy(coh_chain_levels *levels) {
  const coh_mdp *mdp = levels->shard->mdp;
  coh_chain_level *fine = &levels->level[0];
  fine->n = mdp->n_states;
  COH_NEW(fine->at, fine->n + 1);
  for (int64_t s = 0; s < fine->n; s++) {
    int64_t longest = 0;
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
      int64_t length = mdp->first_entry[r + 1] - mdp->first_entry[r];
      if (length > longest) longest = length;
    }
    fine->at[s + 1] = fine->at[s] + longest;
  }
  COH_NEW(fine->next, fine->at[fine->n]);
  COH_NEW(fine->probability, fine->at[fine->n]);
  COH_NEW(fine->group_of, coh_mdp_shard_room(levels->shard));
  return COH_OK;
}

static int64_t groups_in(int64_t n_states, int group) {
  return (n_states + group - 1) / group;
}

/* The lane of a state, by its number among all. */
static int64_t lane_of(const coh_mdp_shard *shard, int64_t state) {
  int64_t low = 0, high = shard->lanes.n_lanes;
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    if (shard->lane_first[middle] <= state)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* Number the groups of level 0: lane after lane, a lane's last one may be shorter. before: by
 * lane, n_lanes + 1, out: groups before it. */
static void number_lanes(coh_chain_levels *levels, int group, int64_t *before) {
  const coh_mdp_shard *shard = levels->shard;
  coh_chain_level *fine = &levels->level[0];
  const int64_t *lane = shard->lane_first;
  before[0] = 0;
  for (int64_t k = 0; k < shard->lanes.n_lanes; k++)
    before[k + 1] = before[k] + groups_in(lane[k + 1] - lane[k], group);
  int64_t first = shard->lanes.first, end = first + shard->lanes.n_local;
  fine->first_group = before[first];
  fine->n_groups = before[end] - before[first];
  for (int64_t k = first; k < end; k++)
    for (int64_t s = lane[k]; s < lane[k + 1]; s++)
      fine->group_of[s - shard->first] = (uint32_t)(before[k] + (s - lane[k]) / group);
  for (int64_t i = 0; i < shard->n_ghost; i++) {
    int64_t s = shard->ghost[i], k = lane_of(shard, s);
    fine->group_of[shard->n_own + i] = (uint32_t)(before[k] + (s - lane[k]) / group);
  }
}

/* Groups of `group` states of a level; returns how many there are on all ranks. */
static int64_t number_groups(coh_chain_levels *levels, int of, int group, int64_t *before) {
  coh_chain_level *fine = &levels->level[of];
  if (of == 0) {
    number_lanes(levels, group, before);
    return before[levels->shard->lanes.n_lanes];
  }
  fine->first_group = 0;
  fine->n_groups = groups_in(fine->n, group);
  for (int64_t s = 0; s < fine->n; s++)
    fine->group_of[s] = (uint32_t)(s / group);
  return fine->n_groups;
}

static coh_status list_groups(coh_chain_level *fine) {
  COH_NEW(fine->first, fine->n_groups + 1);
  for (int64_t s = 0; s < fine->n; s++)
    fine->first[fine->group_of[s] - fine->first_group + 1] = s + 1;
  return COH_OK;
}

/* The range of the entries that state s of a level may lead by, over all actions. */
static void reach_of(const coh_chain_levels *levels, int of, int64_t s, const uint32_t **next,
                     int64_t *n) {
  if (of == 0) {
    const coh_mdp *mdp = levels->shard->mdp;
    int64_t first = mdp->first_entry[mdp->first_row[s]];
    *next = mdp->next + first;
    *n = mdp->first_entry[mdp->first_row[s + 1]] - first;
    return;
  }
  const coh_chain_level *from = &levels->level[of];
  *next = from->next + from->at[s];
  *n = from->at[s + 1] - from->at[s];
}

/* Distinct groups that the states [first, end) of one group lead to; found: room for all of
 * them. mark: by group, 0 or the number + 1 of the group that saw it last. */
static int64_t groups_of(const coh_chain_levels *levels, int of, int64_t first, int64_t end,
                         uint32_t *mark, uint32_t *found) {
  const uint32_t *group_of = levels->level[of].group_of;
  uint32_t seen = group_of[first] + 1;
  int64_t n_found = 0;
  for (int64_t s = first; s < end; s++) {
    const uint32_t *next;
    int64_t n;
    reach_of(levels, of, s, &next, &n);
    for (int64_t e = 0; e < n; e++) {
      uint32_t to = group_of[next[e]];
      if (mark[to] == seen) continue;
      mark[to] = seen;
      found[n_found++] = to;
    }
  }
  return n_found;
}

typedef struct shaping {
  uint32_t *mark, *found; /* room for the groups of any level */
  int64_t *before;        /* n_lanes + 1 */
} shaping;

static coh_status sum_over_ranks(const coh_chain_levels *levels, int of, int64_t *value) {
  return of == 0 ? coh_mdp_shard_sum_int(levels->shard, value) : COH_OK;
}

/* Entries that a coarser level of n groups would have, by a sample of every so many groups. */
static coh_status estimate_entries(const coh_chain_levels *levels, int of, int64_t n,
                                   const shaping *with, double *estimate) {
  const coh_chain_level *fine = &levels->level[of];
  int64_t stride = 1 + n / 64, n_entries = 0;
  memset(with->mark, 0, (size_t)n * sizeof *with->mark);
  for (int64_t s = 0, end; s < fine->n; s = end) {
    uint32_t group = fine->group_of[s];
    for (end = s + 1; end < fine->n && fine->group_of[end] == group;)
      end++;
    if (group % stride == 0)
      n_entries += groups_of(levels, of, s, end, with->mark, with->found);
  }
  COH_TRY(sum_over_ranks(levels, of, &n_entries));
  *estimate = (double)n_entries / (double)((n + stride - 1) / stride) * (double)n;
  return COH_OK;
}

/* The smallest group whose level would have few enough entries; n: out, groups; *group: out, 0
 * where there is none. */
static coh_status choose_group(coh_chain_levels *levels, int of, const shaping *with,
                               int *group, int64_t *n) {
  const coh_chain_level *fine = &levels->level[of];
  int64_t n_entries = fine->at[fine->n];
  COH_TRY(sum_over_ranks(levels, of, &n_entries));
  double most = (of == 0 ? FINE_SHARE : COARSE_SHARE) * (double)n_entries, estimate;
  for (*group = of == 0 ? MIN_GROUP : 4; *group <= MAX_GROUP; *group *= 2) {
    *n = number_groups(levels, of, *group, with->before);
    if (*n < 8) break;
    COH_TRY(estimate_entries(levels, of, *n, with, &estimate));
    if (estimate <= most) return COH_OK;
  }
  *group = 0;
  return COH_OK;
}

/* The pattern of own groups; at: counted from 0, one number a group behind the first. */
static coh_status shape_own(coh_chain_levels *levels, int of, const shaping *with, int64_t *at,
                            uint32_t **next) {
  const coh_chain_level *fine = &levels->level[of];
  int64_t capacity = 0;
  at[0] = 0;
  for (int64_t g = 0; g < fine->n_groups; g++) {
    int64_t n =
        groups_of(levels, of, fine->first[g], fine->first[g + 1], with->mark, with->found);
    if (at[g] + n > capacity) {
      int64_t grown = 2 * (at[g] + n);
      uint32_t *more = coh_alloc_resize(*next, (size_t)capacity, (size_t)grown, sizeof *more);
      COH_CHECK(more, COH_E_MEMORY, "out of memory for a coarser chain");
      *next = more;
      capacity = grown;
    }
    memcpy(*next + at[g], with->found, (size_t)n * sizeof *with->found);
    at[g + 1] = at[g] + n;
  }
  return COH_OK;
}

/* ---- level 1 of all ranks */

static coh_status gather(const coh_chain_levels *levels, const size_t *n_bytes, const void *own,
                         void *all) {
  return coh_comm_allgather_varied(levels->shard->world, own, n_bytes, all);
}

static coh_status tell_sizes(coh_chain_levels *levels) {
  coh_world *world = levels->shard->world;
  const coh_chain_level *fine = &levels->level[0];
  int size = coh_world_size(world);
  COH_NEW(levels->group_bytes, size);
  COH_NEW(levels->entry_bytes, size);
  size_t bytes = (size_t)fine->n_groups * sizeof(double);
  return coh_comm_allgather(world, &bytes, sizeof bytes, levels->group_bytes);
}

/* entries of own groups begin behind those of lower ranks */
static coh_status join_pattern(coh_chain_levels *levels, int64_t *at, const uint32_t *next) {
  coh_world *world = levels->shard->world;
  coh_chain_level *coarse = &levels->level[1];
  int64_t n_own = levels->level[0].n_groups, *count = at;
  size_t bytes = (size_t)at[n_own] * sizeof(uint32_t);
  for (int64_t g = 0; g < n_own; g++)
    count[g] = at[g + 1] - at[g];
  COH_TRY(gather(levels, levels->group_bytes, count, coarse->at + 1));
  for (int64_t g = 0; g < coarse->n; g++)
    coarse->at[g + 1] += coarse->at[g];
  COH_TRY(coh_comm_allgather(world, &bytes, sizeof bytes, levels->entry_bytes));
  coarse->next = coh_alloc_array((size_t)coarse->at[coarse->n], sizeof *coarse->next);
  COH_TRY(agree(levels, coarse->next
                            ? COH_OK
                            : coh_fail(COH_E_MEMORY, "out of memory for a coarser chain")));
  COH_TRY(gather(levels, levels->entry_bytes, next, coarse->next));
  for (int rank = 0; rank < coh_world_size(world); rank++)
    levels->entry_bytes[rank] *= sizeof(double) / sizeof(uint32_t);
  return COH_OK;
}

static coh_status join_level(coh_chain_levels *levels, const shaping *with) {
  int64_t *at = coh_alloc_array((size_t)levels->level[0].n_groups + 1, sizeof *at);
  uint32_t *next = NULL;
  coh_status status = at ? tell_sizes(levels) : coh_fail(COH_E_MEMORY, "out of memory");
  if (status == COH_OK) status = shape_own(levels, 0, with, at, &next);
  status = agree(levels, status);
  if (status == COH_OK) status = join_pattern(levels, at, next);
  coh_free(at);
  coh_free(next);
  return status;
}

static coh_status shape_coarse(coh_chain_levels *levels, int of, const shaping *with) {
  coh_chain_level *fine = &levels->level[of], *coarse = fine + 1;
  int group;
  if (of > 0) COH_NEW(fine->group_of, fine->n);
  COH_TRY(choose_group(levels, of, with, &group, &coarse->n));
  if (group == 0) return COH_OK;
  memset(with->mark, 0, (size_t)coarse->n * sizeof *with->mark);
  coh_status status = list_groups(fine);
  if (status == COH_OK) {
    coarse->at = coh_alloc_array((size_t)coarse->n + 1, sizeof *coarse->at);
    if (!coarse->at) status = coh_fail(COH_E_MEMORY, "out of memory for a coarser chain");
  }
  if (of == 0) COH_TRY(agree(levels, status));
  if (status == COH_OK)
    status = of == 0 && levels->shard->world
                 ? join_level(levels, with)
                 : shape_own(levels, of, with, coarse->at, &coarse->next);
  COH_TRY(status);
  COH_NEW(coarse->probability, coarse->at[coarse->n]);
  fine->group = group;
  levels->n_levels = of + 2;
  return COH_OK;
}

static coh_status make_room(const coh_chain_levels *levels, shaping *with) {
  int64_t n_lanes = levels->shard->lanes.n_lanes;
  int64_t most = levels->shard->n_states / MIN_GROUP + n_lanes + 1;
  COH_NEW(with->mark, most);
  COH_NEW(with->found, most);
  COH_NEW(with->before, n_lanes + 1);
  return COH_OK;
}

/* what level 1 is put together from */
static coh_status prepare_pieces(coh_chain_levels *levels) {
  const coh_chain_level *fine = &levels->level[0], *coarse = fine + 1;
  if (levels->n_levels == 1) return COH_OK;
  COH_NEW(levels->scratch, coarse->n * levels->shard->n_threads);
  if (!levels->shard->world) return COH_OK;
  int64_t first = coarse->at[fine->first_group],
          n_entries = coarse->at[fine->first_group + fine->n_groups] - first;
  COH_NEW(levels->piece, n_entries > fine->n_groups ? n_entries : fine->n_groups);
  return COH_OK;
}

static coh_status make_factors(coh_chain_level *last) {
  COH_NEW(last->factors, last->n * last->n);
  COH_NEW(last->pivot, last->n);
  return COH_OK;
}

coh_status coh_chain_levels_shape(coh_chain_levels *levels) {
  shaping with = {0};
  levels->n_levels = 1;
  coh_status status = shape_policy(levels);
  if (status == COH_OK) status = make_room(levels, &with);
  status = agree(levels, status);
  int64_t n = levels->shard->n_states;
  for (int of = 0;
       status == COH_OK && n > SMALL && of + 1 < COH_CHAIN_LEVELS && of + 1 == levels->n_levels;
       of++) {
    status = shape_coarse(levels, of, &with);
    n = levels->level[of + 1].n;
  }
  if (status == COH_OK) status = prepare_pieces(levels);
  coh_chain_level *last = &levels->level[levels->n_levels - 1];
  bool is_direct = levels->n_levels > 1 || !levels->shard->world;
  if (status == COH_OK && is_direct && last->n <= SMALL) status = make_factors(last);
  coh_free(with.mark);
  coh_free(with.found);
  coh_free(with.before);
  return agree(levels, status);
}

void coh_chain_levels_clear(coh_chain_levels *levels) {
  for (int k = 0; k < COH_CHAIN_LEVELS; k++) {
    coh_chain_level *at = &levels->level[k];
    coh_free(at->at);
    coh_free(at->next);
    coh_free(at->probability);
    coh_free(at->group_of);
    coh_free(at->first);
    coh_free(at->rhs);
    coh_free(at->x);
    coh_free(at->factors);
    coh_free(at->pivot);
    coh_krylov_destroy(&at->krylov);
    coh_mdp_sums_destroy(&at->sums);
  }
  coh_free(levels->piece);
  coh_free(levels->group_bytes);
  coh_free(levels->entry_bytes);
  coh_free(levels->scratch);
}

/* ------------------------------------------------------------------------------- numbers -- */

typedef struct copy_job {
  const coh_mdp *mdp;
  coh_chain_level *fine;
  const int32_t *choice;
} copy_job;

static void copy_block(void *given, int64_t first, int64_t end) {
  const copy_job *job = given;
  const coh_mdp *mdp = job->mdp;
  for (int64_t s = first; s < end; s++) {
    int64_t row = mdp->first_row[s] + job->choice[s], e = mdp->first_entry[row];
    int64_t n = mdp->first_entry[row + 1] - e, at = job->fine->at[s];
    uint32_t *next = job->fine->next + at;
    double *probability = job->fine->probability + at;
    for (int64_t k = 0; k < n; k++) {
      next[k] = mdp->next[e + k];
      probability[k] = mdp->probability[e + k];
    }
    // a shorter row is filled up: nothing, to itself
    for (int64_t k = n; k < job->fine->at[s + 1] - at; k++) {
      next[k] = (uint32_t)s;
      probability[k] = 0.0;
    }
  }
}

/* The mean row of own groups [from, until), into the pattern of the coarser level; to: the
 * numbers of the first own group. */
static void average_groups(const coh_chain_level *fine, const coh_chain_level *coarse,
                           int64_t from, int64_t until, double *to, double *scratch) {
  int64_t begin = coarse->at[fine->first_group];
  for (int64_t k = from; k < until; k++) {
    int64_t first = fine->first[k], last = fine->first[k + 1], g = fine->first_group + k;
    for (int64_t e = fine->at[first]; e < fine->at[last]; e++)
      scratch[fine->group_of[fine->next[e]]] += fine->probability[e];
    double share = 1.0 / (double)(last - first);
    for (int64_t e = coarse->at[g]; e < coarse->at[g + 1]; e++) {
      to[e - begin] = share * scratch[coarse->next[e]];
      scratch[coarse->next[e]] = 0.0;
    }
  }
}

static coh_status average(coh_chain_levels *levels, int of) {
  const coh_chain_level *fine = &levels->level[of];
  coh_chain_level *coarse = &levels->level[of + 1];
  bool is_shared = of == 0 && levels->shard->world;
  int64_t n_groups = fine->n_groups, stretch = 64;
  int64_t n_stretches = (n_groups + stretch - 1) / stretch, n_scratch = levels->level[1].n;
  double *scratch = levels->scratch, *to = is_shared ? levels->piece : coarse->probability;
  int n_threads = of == 0 ? levels->shard->n_threads : 1;
#pragma omp parallel for schedule(static) num_threads(n_threads) default(none) \
    shared(fine, coarse, n_groups, stretch, n_stretches, n_scratch, scratch, to)
  for (int64_t k = 0; k < n_stretches; k++) {
    int64_t end = (k + 1) * stretch < n_groups ? (k + 1) * stretch : n_groups;
    average_groups(fine, coarse, k * stretch, end, to,
                   scratch + n_scratch * omp_get_thread_num());
  }
  return is_shared ? gather(levels, levels->entry_bytes, to, coarse->probability) : COH_OK;
}

/* L and U of I - discount P, dense: the same on every rank */
static coh_status factorise(coh_chain_level *at, double discount) {
  int64_t n = at->n;
  double *a = at->factors;
  memset(a, 0, (size_t)(n * n) * sizeof *a);
  for (int64_t i = 0; i < n; i++) {
    a[i * n + i] = 1.0;
    for (int64_t e = at->at[i]; e < at->at[i + 1]; e++)
      a[i * n + at->next[e]] -= discount * at->probability[e];
  }
  return coh_la_factorise(n, a, at->pivot);
}

void coh_chain_solve_directly(coh_chain_level *at) {
  memcpy(at->x, at->rhs, (size_t)at->n * sizeof *at->x);
  coh_la_factors_solve(at->n, at->factors, at->pivot, at->x);
}

coh_status coh_chain_levels_set(coh_chain_levels *levels, const int32_t *choice) {
  const coh_mdp_shard *shard = levels->shard;
  copy_job job = {shard->mdp, &levels->level[0], choice};
  coh_mdp_blocks_run(shard->n_own, shard->n_threads, copy_block, &job);
  for (int of = 0; of + 1 < levels->n_levels; of++)
    COH_TRY(average(levels, of));
  coh_chain_level *last = &levels->level[levels->n_levels - 1];
  return last->factors ? factorise(last, levels->discount) : COH_OK;
}

typedef struct restrict_job {
  const coh_chain_level *at;
  const double *x;
  double *means; /* of own groups */
} restrict_job;

static void restrict_stretch(void *given, int64_t from, int64_t until, double *sums) {
  (void)sums;
  const restrict_job *job = given;
  const coh_chain_level *at = job->at;
  for (int64_t s = from, last; s < until; s = last) {
    int64_t k = at->group_of[s] - at->first_group;
    last = at->first[k + 1];
    double sum[4] = {0};
    for (int64_t i = s; i < last; i++)
      sum[(i - s) & 3] += job->x[i];
    job->means[k] = ((sum[0] + sum[2]) + (sum[1] + sum[3])) / (double)(last - s);
  }
}

coh_status coh_chain_restrict(coh_chain_levels *levels, int of, const double *x) {
  coh_chain_level *at = &levels->level[of];
  double *rhs = levels->level[of + 1].rhs;
  restrict_job job = {at, x, rhs};
  if (of > 0) {
    coh_mdp_sums_pass(at->sums, 0, restrict_stretch, &job, NULL);
    return COH_OK;
  }
  bool is_shared = levels->shard->world;
  if (is_shared) job.means = levels->piece;
  COH_TRY(coh_mdp_shard_pass(levels->shard, 0, restrict_stretch, &job, NULL));
  return is_shared ? gather(levels, levels->group_bytes, levels->piece, rhs) : COH_OK;
}
