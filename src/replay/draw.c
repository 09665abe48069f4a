/* Exact global sampling: one small allgather of lane masses, the same stratified targets drawn
 * by every rank, and one exchange of the rows that are needed elsewhere.
 * Rows of the minibatch are in the order of their targets, hence of their owners' lanes; every
 * piece that travels is in row order, so rank order is row order on any layout. */
#include <math.h>
#include <string.h>

#include "replay/parts.h"

__extension__ typedef unsigned __int128 wide;

coh_status coh_replay_refresh(coh_replay *replay) {
  int64_t n_lanes = replay->lanes.n_lanes, n_local = replay->lanes.n_local;
  for (int64_t i = 0; i < n_local; i++) {
    const coh_shard *shard = replay->shard + i;
    replay->own[i] = (coh_lane_notice){coh_shard_mass(shard), (uint64_t)shard->n_sampleable,
                                       shard->own_mass, shard->faulty ? 1 : 0};
  }
  if (replay->size == 1)
    memcpy(replay->notice, replay->own, (size_t)n_lanes * sizeof *replay->own);
  else
    COH_TRY(coh_comm_allgather_varied(replay->config.world, replay->own, replay->notice_bytes,
                                      replay->notice));

  uint32_t most = 0;
  replay->total_mass = 0, replay->total_count = 0;
  for (int64_t lane = 0; lane < n_lanes; lane++) {
    const coh_lane_notice *notice = replay->notice + lane;
    replay->total_mass += notice->mass;
    replay->total_count += (int64_t)notice->count;
    if (notice->most_mass > most) most = notice->most_mass;
    COH_CHECK(!notice->faulty, COH_E_DIVERGED,
              "replay: lane %lld was given an error that is not finite", (long long)lane);
  }
  for (int64_t i = 0; i < n_local; i++) {
    replay->shard[i].known_mass = most;
    replay->shard[i].changed = false;
  }
  replay->published = true;
  return COH_OK;
}

/* Find every row's lane, and within local lanes its transition. */
static void choose_rows(coh_replay *replay, coh_draw *draw) {
  int64_t batch = replay->config.batch, lane = 0;
  uint64_t before = 0; // mass of the lanes before `lane`
  for (int64_t j = 0; j < batch; j++) {
    coh_stream stream = coh_stream_begin(replay->key, (uint32_t)j, draw->update);
    wide within = (wide)coh_stream_u64(&stream) * replay->total_mass >> 64;
    uint64_t target =
        (uint64_t)(((wide)(uint64_t)j * replay->total_mass + within) / (uint64_t)batch);
    while (target - before >= replay->notice[lane].mass)
      before += replay->notice[lane++].mass;
    draw->row[j] = (coh_row_place){.lane = (int32_t)lane};
    if (replay->rank_of[lane] != replay->rank) continue;
    const coh_shard *shard = replay->shard + (lane - replay->lanes.first);
    int64_t env, number;
    coh_shard_find(shard, target - before, &env, &number);
    draw->row[j].env = (int32_t)env;
    draw->row[j].number = number;
    replay->mass[j] = coh_shard_mass_of(shard, env, number);
  }
}

static int user_of(const coh_replay *replay, int64_t j) {
  return replay->rank_of[j * replay->lanes.n_lanes / replay->config.batch];
}

/* Count what this rank sends to and receives from each other rank, in rows of `item` bytes when
 * rows travel from owner to user; and where each rank's piece begins. */
static void count_routes(coh_replay *replay, const coh_draw *draw, size_t item) {
  int me = replay->rank;
  memset(replay->send_bytes, 0, (size_t)replay->size * sizeof *replay->send_bytes);
  memset(replay->recv_bytes, 0, (size_t)replay->size * sizeof *replay->recv_bytes);
  for (int64_t j = 0; j < replay->config.batch; j++) {
    int owner = replay->rank_of[draw->row[j].lane], user = user_of(replay, j);
    if (owner == user) continue;
    if (owner == me) replay->send_bytes[user] += item;
    if (user == me) replay->recv_bytes[owner] += item;
  }
  int64_t sent = 0, received = 0;
  for (int rank = 0; rank < replay->size; rank++) {
    replay->send_place[rank] = sent;
    replay->recv_place[rank] = received;
    sent += (int64_t)(replay->send_bytes[rank] / item);
    received += (int64_t)(replay->recv_bytes[rank] / item);
  }
}

/* Give every row that this rank owns or uses its place: in the outbox, or in the inbox, where
 * those that stay come after those that arrive. */
static void place_rows(coh_replay *replay, const coh_draw *draw) {
  count_routes(replay, draw, replay->record_bytes);
  int me = replay->rank;
  int64_t stays = 0;
  for (int rank = 0; rank < replay->size; rank++)
    stays += (int64_t)(replay->recv_bytes[rank] / replay->record_bytes);
  for (int64_t j = 0; j < replay->config.batch; j++) {
    int owner = replay->rank_of[draw->row[j].lane], user = user_of(replay, j);
    uint8_t *box = user == me ? replay->inbox : replay->outbox;
    int64_t at = -1;
    if (owner == me && user == me)
      at = stays++;
    else if (owner == me)
      at = replay->send_place[user]++;
    else if (user == me)
      at = replay->recv_place[owner]++;
    replay->record[j] = at < 0 ? NULL : box + (size_t)at * replay->record_bytes;
  }
}

/* Assemble the rows that one local lane owns. */
static coh_status serve(coh_replay *replay, const coh_draw *draw, int64_t lane) {
  coh_shard *shard = replay->shard + (lane - replay->lanes.first);
  // rows are in order of their owners' lanes: bisect for the first one
  int64_t batch = replay->config.batch, begin = 0;
  for (int64_t end = batch; begin < end;) {
    int64_t middle = (begin + end) / 2;
    if (draw->row[middle].lane < lane)
      begin = middle + 1;
    else
      end = middle;
  }
  for (int64_t j = begin; j < batch && draw->row[j].lane == lane; j++) {
    const coh_row_place *row = draw->row + j;
    coh_record *record = (coh_record *)(void *)replay->record[j];
    record->transition =
        (uint64_t)lane << 48 | (uint64_t)row->env << 32 | (uint32_t)row->number;
    record->mass = replay->mass[j];
    COH_TRY(coh_shard_fetch(shard, row->env, row->number, record));
  }
  return COH_OK;
}

static coh_status serve_all(coh_replay *replay, const coh_draw *draw) {
  int64_t first = replay->lanes.first, end = first + replay->lanes.n_local;
  int n_threads = replay->config.n_threads, n_failed = 0;
#pragma omp parallel for default(none) shared(replay, draw, first, end) reduction(+ : n_failed) \
    num_threads(n_threads) if (n_threads > 1) schedule(static)
  for (int64_t lane = first; lane < end; lane++)
    if (serve(replay, draw, lane) != COH_OK) n_failed++;
  COH_CHECK(n_failed == 0, COH_E_INTERNAL, "replay: a compressed chunk in memory is damaged");
  return COH_OK;
}

/* The smallest mass of the minibatch has the largest importance weight. */
static coh_status find_min_mass(coh_replay *replay, const coh_draw *draw) {
  int64_t least = INT64_MAX;
  for (int64_t j = 0; j < replay->config.batch; j++)
    if (replay->rank_of[draw->row[j].lane] == replay->rank && replay->mass[j] < least)
      least = replay->mass[j];
  if (replay->size > 1)
    COH_TRY(coh_comm_reduce_int(replay->config.world, COH_REDUCE_MIN, &least, 1));
  replay->min_mass = (double)least;
  return COH_OK;
}

coh_status coh_replay_draw(coh_replay *replay, uint64_t update, double beta) {
  COH_CHECK(replay->published && replay->total_mass > 0, COH_E_INTERNAL,
            "replay: nothing to sample yet");
  for (int64_t i = 0; i < replay->lanes.n_local; i++)
    COH_CHECK(!replay->shard[i].changed, COH_E_INTERNAL,
              "replay: lane %lld changed since the last refresh",
              (long long)(replay->lanes.first + i));

  replay->latest = (replay->latest + 1) % replay->config.in_flight;
  coh_draw *draw = replay->draw + replay->latest;
  draw->drawn = true, draw->update = update, draw->beta = beta;
  choose_rows(replay, draw);
  place_rows(replay, draw);
  coh_status status = serve_all(replay, draw);
  // a failure here is this rank's alone, so peers must not be left waiting
  if (replay->config.options.prioritized) COH_TRY(find_min_mass(replay, draw));
  if (replay->size > 1)
    COH_TRY(coh_comm_alltoall_varied(replay->config.world, replay->outbox, replay->send_bytes,
                                     replay->inbox, replay->recv_bytes));
  return status;
}

/* Expand `stack` packed frames, oldest first, so that their channels lie side by side. */
static void expand_state(const coh_replay *replay, const uint8_t *packed, float *scratch,
                         float *out) {
  const coh_replay_config *config = &replay->config;
  int64_t n_values = config->n_values, n_channels = config->n_channels, stack = config->stack;
  float *values = stack > 1 ? scratch : out;
  for (int64_t k = 0; k < stack; k++, packed += config->row_bytes) {
    if (config->expand)
      config->expand(config->expand_context, 1, packed, values);
    else
      memcpy(values, packed, config->row_bytes);
    if (stack == 1) return;
    for (int64_t pixel = 0; pixel < n_values / n_channels; pixel++)
      memcpy(out + (pixel * stack + k) * n_channels, values + pixel * n_channels,
             (size_t)n_channels * sizeof *values);
  }
}

coh_status coh_replay_gather(coh_replay *replay, uint64_t update, int64_t lane,
                             const coh_replay_rows *rows) {
  coh_shard *shard = NULL;
  COH_TRY(coh_replay_shard(replay, lane, &shard));
  const coh_draw *draw = replay->latest < 0 ? NULL : replay->draw + replay->latest;
  COH_CHECK(draw && draw->update == update, COH_E_INTERNAL,
            "replay: minibatch %llu is not the one drawn last", (unsigned long long)update);

  const coh_replay_config *config = &replay->config;
  int64_t n = config->batch / config->n_lanes;
  int64_t n_floats = config->stack * config->n_values;
  size_t n_bytes = (size_t)config->stack * config->row_bytes;
  float *scratch = replay->expanded
                       ? replay->expanded + (lane - replay->lanes.first) * config->n_values
                       : NULL;
  for (int64_t i = 0; i < n; i++) {
    const coh_record *record = (const coh_record *)(void *)replay->record[lane * n + i];
    const uint8_t *state = (const uint8_t *)(record + 1), *after = state + n_bytes;
    if (rows->states) expand_state(replay, state, scratch, rows->states + i * n_floats);
    if (rows->next_states)
      expand_state(replay, after, scratch, rows->next_states + i * n_floats);
    if (rows->packed_states)
      memcpy((uint8_t *)rows->packed_states + (size_t)i * n_bytes, state, n_bytes);
    if (rows->packed_next)
      memcpy((uint8_t *)rows->packed_next + (size_t)i * n_bytes, after, n_bytes);
    if (rows->actions) rows->actions[i] = record->action;
    if (rows->returns) rows->returns[i] = record->returned;
    if (rows->discounts) rows->discounts[i] = record->discount;
    if (rows->transitions) rows->transitions[i] = record->transition;
    // (N P)^-beta over the largest of them: N and the total mass cancel
    if (rows->weights)
      rows->weights[i] = config->options.prioritized
                             ? (float)pow(replay->min_mass / (double)record->mass, draw->beta)
                             : 1.0f;
  }
  return COH_OK;
}

static void set_error(coh_replay *replay, const coh_row_place *row, float error) {
  coh_shard *shard = replay->shard + (row->lane - replay->lanes.first);
  if (isfinite(error)) {
    coh_shard_set_error(shard, row->env, row->number, error);
  } else {
    shard->faulty = true;
    shard->changed = true;
  }
}

/* The most recent draw of that number among those in flight, NULL if there is none. */
static const coh_draw *find_draw(const coh_replay *replay, uint64_t update) {
  int64_t n = replay->config.in_flight;
  for (int64_t back = 0; back < n && replay->latest >= 0; back++) {
    const coh_draw *draw = replay->draw + (replay->latest - back + n) % n;
    if (draw->drawn && draw->update == update) return draw;
  }
  return NULL;
}

coh_status coh_replay_write_back(coh_replay *replay, uint64_t update, const float *errors) {
  if (!replay->config.options.prioritized) return COH_OK;
  const coh_draw *draw = find_draw(replay, update);
  COH_CHECK(draw, COH_E_INTERNAL, "replay: minibatch %llu is not in flight",
            (unsigned long long)update);

  // errors travel the way back: from the user of a row to its owner
  count_routes(replay, draw, sizeof(float));
  int me = replay->rank;
  int64_t first = replay->lanes.first * (replay->config.batch / replay->lanes.n_lanes);
  for (int64_t j = 0; j < replay->config.batch && replay->size > 1; j++) {
    int owner = replay->rank_of[draw->row[j].lane];
    if (owner != me && user_of(replay, j) == me)
      replay->error_out[replay->recv_place[owner]++] = errors[j - first];
  }
  if (replay->size > 1)
    COH_TRY(coh_comm_alltoall_varied(replay->config.world, replay->error_out,
                                     replay->recv_bytes, replay->error_in, replay->send_bytes));
  for (int64_t j = 0; j < replay->config.batch; j++) {
    int user = user_of(replay, j);
    if (replay->rank_of[draw->row[j].lane] != me) continue;
    float error = user == me ? errors[j - first] : replay->error_in[replay->send_place[user]++];
    set_error(replay, draw->row + j, error);
  }
  return COH_OK;
}
