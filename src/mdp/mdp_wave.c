/* Breadth-first order over reversed transitions, then Gauss-Seidel sweeps along it. */
#include "mdp/mdp_wave.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "mdp/mdp_incoming.h"
#include "mdp/mdp_relax.h"

enum {
  MAX_SWEEPS = 1000, /* of one lane alone */
  LANE_SWEEPS = 4,   /* of one of many in a turn: what others tell is old */
  MAX_TURNS = 256
};
static const double STILL = 1e-12; /* of the greatest change so far */

typedef struct wave {
  coh_mdp_shard *shard;
  bool minimize;
  double common;
  coh_mdp_incoming *back;
  uint8_t *seen;      /* own states */
  uint32_t *order;    /* own states, each lane's in its own stretch */
  int64_t *n_ordered; /* by own lane */
  double (*met)[2];   /* by own lane: greatest change of this turn; sweeps of it */
  double greatest;    /* change so far, on all ranks */
} wave;

/* ---------------------------------------------------------------------------- what is paid --
 */

/* a reward and by how many rows it leads: what is left when each row of another is struck out
 * together with one of it (Boyer and Moore) */
typedef struct leader {
  double reward, lead;
} leader;

static void merge(leader *a, leader b) {
  if (a->reward == b.reward) {
    a->lead += b.lead;
  } else if (b.lead > a->lead) {
    *a = (leader){b.reward, b.lead - a->lead};
  } else {
    a->lead -= b.lead;
  }
}

static coh_status lead_of_all(const coh_mdp_shard *shard, leader *found) {
  if (!shard->world) return COH_OK;
  int size = coh_world_size(shard->world);
  leader *all = coh_alloc_array((size_t)size, sizeof *all);
  COH_TRY(coh_comm_agree(shard->world, all ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory")));
  coh_status status = coh_comm_allgather(shard->world, found, sizeof *found, all);
  *found = all[0];
  for (int rank = 1; rank < size; rank++)
    merge(found, all[rank]);
  coh_free(all);
  return status;
}

/* The reward that most rows pay; false where less than 95% of the rows do. */
static coh_status common_reward(const coh_mdp_shard *shard, double *common, bool *is_common) {
  const coh_mdp *mdp = shard->mdp;
  leader found = {0};
  int64_t n_rows = mdp->n_rows, n = 0;
  for (int64_t r = 0; r < mdp->n_rows; r++)
    merge(&found, (leader){mdp->reward[r], 1.0});
  COH_TRY(lead_of_all(shard, &found));
  for (int64_t r = 0; r < mdp->n_rows; r++)
    n += mdp->reward[r] == found.reward;
  COH_TRY(coh_mdp_shard_sum_int(shard, &n));
  COH_TRY(coh_mdp_shard_sum_int(shard, &n_rows));
  *common = found.reward;
  *is_common = n < n_rows && (double)n >= 0.95 * (double)n_rows;
  return COH_OK;
}

/* ----------------------------------------------------------------------------------- order --
 */

static coh_mdp_stretch lane_states(const coh_mdp_shard *shard, int64_t k) {
  const int64_t *first = shard->lane_first + shard->lanes.first + k;
  return (coh_mdp_stretch){first[0] - shard->first, first[1] - shard->first};
}

static bool is_source(const wave *work, coh_mdp_stretch lane, int64_t s) {
  const coh_mdp *mdp = work->shard->mdp;
  for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
    if (mdp->reward[r] != work->common) return true;
  for (int64_t e = mdp->first_entry[mdp->first_row[s]];
       e < mdp->first_entry[mdp->first_row[s + 1]]; e++)
    if (mdp->next[e] < (uint64_t)lane.first || mdp->next[e] >= (uint64_t)lane.end) return true;
  return false;
}

/* States of a lane by distance; returns how many are reached. */
static int64_t order_lane(const wave *work, coh_mdp_stretch lane) {
  const coh_mdp_incoming *back = work->back;
  uint32_t *order = work->order + lane.first;
  int64_t n = 0;
  for (int64_t s = lane.first; s < lane.end; s++) {
    work->seen[s] = is_source(work, lane, s);
    if (work->seen[s]) order[n++] = (uint32_t)s;
  }
  for (int64_t k = 0; k < n; k++)
    for (int64_t i = back->first[order[k]]; i < back->first[order[k] + (int64_t)1]; i++) {
      uint32_t from = back->state[back->row[i]];
      if (from < lane.first || from >= lane.end || work->seen[from]) continue;
      work->seen[from] = 1;
      order[n++] = from;
    }
  return n;
}

static coh_status prepare(wave *work) {
  const coh_mdp_shard *shard = work->shard;
  COH_NEW(work->seen, shard->n_own);
  COH_NEW(work->order, shard->n_own);
  COH_NEW(work->n_ordered, shard->lanes.n_local);
  COH_NEW(work->met, shard->lanes.n_local);
  COH_TRY(coh_mdp_incoming_create(shard->mdp, &work->back));
  for (int64_t k = 0; k < shard->lanes.n_local; k++)
    work->n_ordered[k] = order_lane(work, lane_states(shard, k));
  return COH_OK;
}

/* ---------------------------------------------------------------------------------- sweeps --
 */

static void sweep_lane(const wave *work, int64_t k, double *values, const double *old) {
  coh_mdp_stretch lane = lane_states(work->shard, k);
  coh_mdp_relaxation how = {.shard = work->shard, .minimize = work->minimize};
  coh_mdp_scope scope = {&how, values, old, lane.first, lane.end - lane.first};
  const uint32_t *order = work->order + lane.first;
  double greatest = work->greatest, *met = work->met[k];
  int most = work->shard->lanes.n_lanes == 1 ? MAX_SWEEPS : LANE_SWEEPS;
  met[0] = met[1] = 0.0;
  while (met[1] < most && work->n_ordered[k] > 0) {
    double change = 0.0;
    for (int64_t i = 0; i < work->n_ordered[k]; i++) {
      double value = coh_mdp_relax_state(&scope, order[i]);
      change = fmax(change, fabs(value - values[order[i]]));
      values[order[i]] = value;
    }
    met[1]++;
    met[0] = fmax(met[0], change);
    greatest = fmax(greatest, change);
    if (!(change > STILL * greatest)) break;
  }
}

/* all lanes, each with the others' values from before */
static coh_status turn(wave *work, double *values, double *old, double *change,
                       int64_t *n_sweeps, int64_t *n_transitions) {
  coh_mdp_shard *shard = work->shard;
  int64_t n_lanes = shard->lanes.n_local;
  memcpy(old, values, (size_t)shard->n_own * sizeof *old);
  COH_TRY(coh_mdp_shard_fetch(shard, old));
  int n_threads = shard->n_threads;
#pragma omp parallel for schedule(static) num_threads(n_threads) default(none) \
    shared(work, n_lanes, values, old)
  for (int64_t k = 0; k < n_lanes; k++)
    sweep_lane(work, k, values, old);
  double most[2] = {0.0};
  int64_t entries = 0;
  for (int64_t k = 0; k < n_lanes; k++) {
    coh_mdp_stretch lane = lane_states(shard, k);
    const coh_mdp *mdp = shard->mdp;
    most[0] = fmax(most[0], work->met[k][0]);
    most[1] = fmax(most[1], work->met[k][1]);
    entries += (int64_t)work->met[k][1] * (mdp->first_entry[mdp->first_row[lane.end]] -
                                           mdp->first_entry[mdp->first_row[lane.first]]);
  }
  if (shard->world) COH_TRY(coh_comm_reduce_real(shard->world, COH_REDUCE_MAX, most, 2));
  COH_TRY(coh_mdp_shard_sum_int(shard, &entries));
  *change = most[0];
  *n_sweeps += (int64_t)most[1];
  *n_transitions += entries;
  return COH_OK;
}

static coh_status run(wave *work, double *values, double *old, int64_t *n_sweeps,
                      int64_t *n_transitions) {
  const coh_mdp_shard *shard = work->shard;
  int64_t n_turns = shard->lanes.n_lanes == 1 ? 1 : MAX_TURNS;
  for (int64_t s = 0; s < shard->n_own; s++)
    values[s] = work->common / (1.0 - shard->mdp->discount);
  for (int64_t k = 0; k < n_turns; k++) {
    double change;
    COH_TRY(turn(work, values, old, &change, n_sweeps, n_transitions));
    work->greatest = fmax(work->greatest, change);
    if (!(change > STILL * work->greatest)) break;
  }
  return COH_OK;
}

coh_status coh_mdp_wave(coh_mdp_shard *shard, bool minimize, double *values, double *old,
                        int64_t *n_sweeps, int64_t *n_transitions) {
  wave work = {.shard = shard, .minimize = minimize};
  bool is_common;
  *n_sweeps = 0;
  COH_TRY(common_reward(shard, &work.common, &is_common));
  if (!is_common) return COH_OK;
  coh_status status = prepare(&work);
  if (shard->world) status = coh_comm_agree(shard->world, status);
  if (status == COH_OK) status = run(&work, values, old, n_sweeps, n_transitions);
  coh_mdp_incoming_destroy(&work.back);
  coh_free(work.seen);
  coh_free(work.order);
  coh_free(work.n_ordered);
  coh_free(work.met);
  return status;
}
