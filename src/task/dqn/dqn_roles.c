/* Ranks that only act and ranks that only learn, schedule pipelined.
 *
 *   ranks 0 ... n_learners - 1   divide the lanes among them: minibatches, experience, updates
 *   the others                   divide them a second time: environments and choices
 *
 * In a round the actors have the weights of its beginning and the learners the experience of
 * the rounds before, as where every rank does both. At its end what a lane's actor has made
 * goes to the lane's learner, in one block; so a lane computes the same bits wherever its two
 * halves are. A checkpoint is the learners': environments come to them to be saved. */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/trace.h"
#include "task/dqn/dqn.h"

static bool is_learner(const coh_dqn_roles *roles, int rank) {
  return rank < roles->n_learners;
}

static coh_status part_ranks(coh_dqn *dqn) {
  coh_dqn_roles *roles = &dqn->roles;
  coh_world *world = dqn->context->world;
  COH_TRY(coh_world_part(world, roles->learns ? 0 : 1, &roles->part));
  COH_TRY(coh_lanes_split(roles->part, dqn->context->lanes.n_lanes, &dqn->lanes));
  roles->learn.world = roles->learns ? roles->part : world;
  COH_NEW(roles->send_bytes, coh_world_size(world));
  COH_NEW(roles->receive_bytes, coh_world_size(world));
  return COH_OK;
}

coh_status coh_dqn_roles_create(coh_dqn *dqn) {
  coh_dqn_roles *roles = &dqn->roles;
  int size = coh_world_size(dqn->context->world), rank = coh_world_rank(dqn->context->world);
  int64_t n_actors = dqn->options->actor_ranks;
  if (n_actors > size - 1) n_actors = size - 1;
  roles->n_learners = size - (int)n_actors;
  roles->apart = n_actors > 0;
  roles->learns = is_learner(roles, rank);
  roles->acts = !roles->apart || !roles->learns;
  roles->learn = *dqn->context;
  dqn->lanes = dqn->context->lanes;
  if (roles->apart) COH_TRY(part_ranks(dqn));
  roles->learn.lanes = dqn->lanes;
  if (!roles->learns) roles->learn.lanes.n_local = 0;
  return COH_OK;
}

void coh_dqn_roles_destroy(coh_dqn *dqn) {
  coh_dqn_roles *roles = &dqn->roles;
  coh_world_close(&roles->part);
  coh_free(roles->envs), coh_free(roles->send_bytes), coh_free(roles->receive_bytes);
  *roles = (coh_dqn_roles){0};
}

// lanes that a rank of the other role has in common with this one
static int64_t n_common(const coh_dqn *dqn, int rank) {
  const coh_dqn_roles *roles = &dqn->roles;
  int n_actors = coh_world_size(dqn->context->world) - roles->n_learners;
  int n_ranks = roles->learns ? n_actors : roles->n_learners;
  int among = roles->learns ? rank - roles->n_learners : rank;
  int64_t first = coh_lanes_first_among(n_ranks, dqn->lanes.n_lanes, among);
  int64_t end = coh_lanes_first_among(n_ranks, dqn->lanes.n_lanes, among + 1);
  int64_t own_end = dqn->lanes.first + dqn->lanes.n_local;
  if (first < dqn->lanes.first) first = dqn->lanes.first;
  if (end > own_end) end = own_end;
  return end > first ? end - first : 0;
}

/* Move every lane's piece of a block (n_local, piece) to the rank that has it in the other
 * role. Both roles have lanes in the order of ranks, so pieces lie as they travel. */
static coh_status move(coh_dqn *dqn, uint8_t *block, size_t piece, bool to_learners) {
  coh_dqn_roles *roles = &dqn->roles;
  int size = coh_world_size(dqn->context->world);
  memset(roles->send_bytes, 0, (size_t)size * sizeof *roles->send_bytes);
  memset(roles->receive_bytes, 0, (size_t)size * sizeof *roles->receive_bytes);
  size_t *bytes = roles->learns == to_learners ? roles->receive_bytes : roles->send_bytes;
  for (int rank = 0; rank < size; rank++)
    if (is_learner(roles, rank) != roles->learns)
      bytes[rank] = (size_t)n_common(dqn, rank) * piece;
  return coh_comm_alltoall_varied(dqn->context->world, block, roles->send_bytes, block,
                                  roles->receive_bytes);
}

// states of the environments of all lanes here, to roles->envs or from there
static coh_status pack_envs(coh_dqn *dqn, bool out) {
  coh_dqn_roles *roles = &dqn->roles;
  size_t n_bytes = coh_env_state_bytes(dqn->lane[0].env);
  roles->env_bytes = (size_t)dqn->lane_envs * n_bytes;
  if (!roles->envs) COH_NEW(roles->envs, (size_t)dqn->lanes.n_local * roles->env_bytes);
  for (int64_t i = 0; i < dqn->lanes.n_local; i++)
    for (int64_t e = 0; e < dqn->lane_envs; e++) {
      uint8_t *state = roles->envs + (size_t)i * roles->env_bytes + (size_t)e * n_bytes;
      if (out)
        coh_env_save(dqn->lane[i].env, e, state);
      else
        COH_TRY(coh_env_load(dqn->lane[i].env, e, state));
    }
  return COH_OK;
}

static coh_status move_envs(coh_dqn *dqn, bool to_learners) {
  bool gives = dqn->roles.learns != to_learners;
  COH_TRY(coh_comm_agree(dqn->context->world, pack_envs(dqn, true)));
  COH_TRY(move(dqn, dqn->roles.envs, dqn->roles.env_bytes, to_learners));
  return gives ? COH_OK : pack_envs(dqn, false);
}

coh_status coh_dqn_roles_fetch_envs(coh_dqn *dqn) {
  // before the first round after a load the learners have them
  if (!dqn->roles.apart || dqn->roles.has_loaded) return COH_OK;
  return move_envs(dqn, true);
}

coh_status coh_dqn_roles_share(coh_dqn *dqn) {
  if (!dqn->roles.apart) return COH_OK;
  coh_world *world = dqn->context->world;
  int64_t counts[2] = {dqn->learner.n_updates, dqn->scored_at};
  COH_TRY(coh_comm_bcast(world, counts, sizeof counts, 0));
  dqn->learner.n_updates = counts[0];
  dqn->scored_at = counts[1];
  return coh_comm_bcast(world, dqn->params, (size_t)dqn->n_floats * sizeof *dqn->params, 0);
}

// what a checkpoint brought to the learners goes on where the actors are
static coh_status place_loaded(coh_dqn *dqn) {
  if (!dqn->roles.has_loaded) return COH_OK;
  dqn->roles.has_loaded = false;
  COH_TRY(move(dqn, dqn->staging, dqn->staged_bytes, false));
  return move_envs(dqn, false);
}

coh_status coh_dqn_roles_round(coh_dqn *dqn) {
  coh_world *world = dqn->context->world;
  int n_threads = dqn->context->n_threads;
  COH_TRY(place_loaded(dqn));
  COH_TRY(coh_comm_bcast(world, dqn->acting, (size_t)dqn->n_floats * sizeof *dqn->acting, 0));
  coh_status status = dqn->roles.learns ? coh_dqn_learn(dqn, INT64_MAX, n_threads)
                                        : coh_dqn_act(dqn, dqn->acting, n_threads);
  if (status != COH_OK && status != COH_E_DIVERGED) return status;

  // learners have diverged all or none; the actors hear of it here
  double begun = coh_clock_now();
  int64_t diverged = status == COH_E_DIVERGED;
  COH_TRY(coh_comm_reduce_int(world, COH_REDUCE_MAX, &diverged, 1));
  if (diverged)
    return status != COH_OK ? status : coh_fail(COH_E_DIVERGED, "the learners have diverged");
  COH_TRY(move(dqn, dqn->staging, dqn->staged_bytes, true));
  coh_trace_note("wait for the other role", 0, begun, coh_clock_now());
  return COH_OK;
}
