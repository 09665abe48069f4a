/* Making a replay, its memory bound, storing, statistics. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "replay/parts.h"

// of an environment: rows, twice as many at most, are told apart by their low bits
static const int64_t MOST_KEPT = INT64_C(1) << 28;

static coh_status check_config(const coh_replay_config *config) {
  const coh_replay_options *options = &config->options;
  COH_CHECK(config->n_lanes >= 1 && config->n_lanes <= 65535, COH_E_CONFIG,
            "replay: %lld lanes; there must be from 1 to 65535", (long long)config->n_lanes);
  COH_CHECK(config->n_envs >= 1 && config->n_envs % config->n_lanes == 0, COH_E_CONFIG,
            "replay: %lld environments cannot be divided among %lld lanes",
            (long long)config->n_envs, (long long)config->n_lanes);
  COH_CHECK(config->n_envs / config->n_lanes <= 65535, COH_E_CONFIG,
            "replay: more than 65535 environments in a lane");
  COH_CHECK(config->batch >= 1 && config->batch % config->n_lanes == 0, COH_E_CONFIG,
            "replay: a batch of %lld rows cannot be divided among %lld lanes",
            (long long)config->batch, (long long)config->n_lanes);
  COH_CHECK(config->row_bytes >= 1 && config->row_bytes <= (size_t)1 << 28 &&
                config->n_values >= 1 && config->in_flight >= 1 && config->n_threads >= 1,
            COH_E_INTERNAL, "replay: an empty observation, or no draw or thread at all");
  COH_CHECK(config->expand || config->row_bytes == (size_t)config->n_values * sizeof(float),
            COH_E_INTERNAL, "replay: rows of %zu bytes are not %lld floats", config->row_bytes,
            (long long)config->n_values);
  COH_CHECK(config->n_actions >= 1 && config->n_actions <= INT32_MAX, COH_E_INTERNAL,
            "replay: %lld actions", (long long)config->n_actions);
  COH_CHECK(config->stack >= 1 && config->stack <= 1024 &&
                (config->stack == 1 ||
                 (config->n_channels >= 1 && config->n_values % config->n_channels == 0)),
            COH_E_CONFIG, "replay: stack: %lld frames of %lld values in %lld channels",
            (long long)config->stack, (long long)config->n_values,
            (long long)config->n_channels);
  COH_CHECK(config->n_step >= 1 && config->n_step <= 1 << 20, COH_E_CONFIG,
            "replay: n_step: %lld; it must be from 1 to 1048576", (long long)config->n_step);
  COH_CHECK(config->gamma >= 0 && config->gamma <= 1, COH_E_CONFIG,
            "replay: gamma: %g; it must be from 0 to 1", config->gamma);
  COH_CHECK(options->capacity >= 1 && options->capacity <= INT32_MAX && options->episode >= 1,
            COH_E_CONFIG, "replay: capacity: %lld transitions; it must be from 1 to 2147483647",
            (long long)options->capacity);
  int64_t n_kept = options->capacity / config->n_envs;
  COH_CHECK(n_kept > config->n_step, COH_E_CONFIG,
            "replay: capacity: %lld transitions are %lld for each of %lld environments; with "
            "n_step %lld it must be at least %lld",
            (long long)options->capacity, (long long)n_kept, (long long)config->n_envs,
            (long long)config->n_step, (long long)(config->n_envs * (config->n_step + 1)));
  COH_CHECK(n_kept < MOST_KEPT, COH_E_CONFIG,
            "replay: capacity: more than %lld transitions for an environment",
            (long long)MOST_KEPT);
  COH_CHECK(config->reward_low <= config->reward_high &&
                config->reward_high - config->reward_low <= UINT16_MAX,
            COH_E_INTERNAL, "replay: rewards from %lld to %lld", (long long)config->reward_low,
            (long long)config->reward_high);
  COH_CHECK(options->alpha >= 0 && options->epsilon >= 0, COH_E_CONFIG,
            "replay: alpha and epsilon must not be negative");
  COH_CHECK(options->chunk >= 2 && options->chunk <= 65536 && options->cache >= 2, COH_E_CONFIG,
            "replay: chunk and cache must be at least 2");
  return COH_OK;
}

static coh_shard_layout hot_layout(const coh_replay_config *config) {
  const coh_replay_options *options = &config->options;
  int64_t n_kept = options->capacity / config->n_envs;
  int64_t n_finals = (n_kept + options->episode - 1) / options->episode;
  return (coh_shard_layout){
      .frames = {.n_envs = config->n_envs / config->n_lanes,
                 .n_slots = n_kept + n_finals + config->n_step + config->stack + 2,
                 .row_bytes = config->row_bytes,
                 .chunk = options->chunk,
                 .cache = options->cache},
      .n_kept = n_kept,
      .n_places = n_kept + config->stack - 1,
      .n_step = config->n_step,
      .stack = config->stack,
      .n_actions = config->n_actions,
      .reward_low = config->reward_low,
      .reward_high = config->reward_high,
      .gamma = config->gamma,
      .prioritized = options->prioritized,
      .alpha = options->alpha,
      .epsilon = options->epsilon,
  };
}

static size_t record_bytes(const coh_replay_config *config) {
  size_t n_bytes = sizeof(coh_record) + 2 * (size_t)config->stack * config->row_bytes;
  return (n_bytes + 7) / 8 * 8;
}

/* Bytes of the whole run: all lanes, and the rows in transit once in and once out. */
static size_t whole_bytes(const coh_replay_config *config, const coh_shard_layout *layout) {
  return (size_t)config->n_lanes * coh_shard_bytes(layout) +
         2 * (size_t)config->batch * record_bytes(config);
}

/* Choose the tier, and how much of the memory bound the cold pool gets: at least a fifth of
 * what hot frames take (MinAtar games need 5 to 12%) and one chunk an environment, at most
 * half. */
static coh_status choose_tier(const coh_replay_config *config, coh_shard_layout *layout,
                              coh_replay_tier *tier) {
  const coh_replay_options *options = &config->options;
  size_t bound = (size_t)options->memory, hot = whole_bytes(config, layout);
  coh_frame_layout *frames = &layout->frames;
  size_t rows = (size_t)(frames->n_envs * frames->n_slots) * frames->row_bytes;
  size_t block = COH_FRAME_BLOCK + sizeof(uint32_t);

  coh_shard_layout cold = *layout;
  cold.frames.cold = true;
  int64_t least = (int64_t)(rows / 5 / block) + 1;
  int64_t chunks = (frames->n_envs + 1) * coh_frames_chunk_blocks(&cold.frames);
  if (least < chunks) least = chunks;
  cold.frames.n_blocks = least;
  size_t least_bytes = whole_bytes(config, &cold);

  if (options->tier == COH_REPLAY_HOT || (options->tier == COH_REPLAY_AUTO && hot <= bound) ||
      (options->tier == COH_REPLAY_AUTO && least_bytes >= hot)) {
    COH_CHECK(
        hot <= bound, COH_E_CONFIG,
        "replay: capacity: %lld transitions of %zu-byte frames need %zu bytes (%zu in the "
        "cold tier); memory: allows %zu",
        (long long)options->capacity, config->row_bytes, hot, least_bytes, bound);
    *tier = COH_REPLAY_HOT;
    return COH_OK;
  }
  COH_CHECK(least_bytes <= bound, COH_E_CONFIG,
            "replay: capacity: %lld transitions of %zu-byte frames need %zu bytes in the cold "
            "tier (%zu in the hot one); memory: allows %zu",
            (long long)options->capacity, config->row_bytes, least_bytes, hot, bound);
  COH_CHECK(least <= INT32_MAX, COH_E_CONFIG, "replay: more than 128 GiB in a lane");
  int64_t more = (int64_t)((bound - least_bytes) / (size_t)config->n_lanes / block);
  int64_t half = (int64_t)(rows / 2 / block);
  if (least + more > half) more = half > least ? half - least : 0;
  cold.frames.n_blocks = least + more < INT32_MAX ? least + more : INT32_MAX;
  *layout = cold;
  *tier = COH_REPLAY_COLD;
  return COH_OK;
}

static coh_status split_lanes(coh_replay *replay) {
  const coh_replay_config *config = &replay->config;
  replay->size = 1;
  replay->lanes = (coh_lanes){config->n_lanes, 0, config->n_lanes};
  if (config->world) {
    replay->rank = coh_world_rank(config->world);
    replay->size = coh_world_size(config->world);
    COH_TRY(coh_lanes_split(config->world, config->n_lanes, &replay->lanes));
  }
  COH_NEW(replay->rank_of, config->n_lanes);
  COH_NEW(replay->notice_bytes, replay->size);
  for (int64_t lane = 0; lane < config->n_lanes; lane++) {
    int owner = config->world ? coh_lanes_owner(config->world, config->n_lanes, lane) : 0;
    replay->rank_of[lane] = owner;
    replay->notice_bytes[owner] += sizeof(coh_lane_notice);
  }
  return COH_OK;
}

// a bound beyond what the node has would end in the kernel's out-of-memory killer
static coh_status check_machine(const coh_replay_config *config, int64_t n_bytes) {
  int64_t memory = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  int64_t n_ranks = config->world ? coh_world_local_size(config->world) : 1;
  COH_CHECK(
      n_bytes <= memory / n_ranks, COH_E_CONFIG,
      "replay: capacity: %lld transitions need %lld bytes on each of %lld ranks of a node "
      "that has %lld; give less, or more nodes",
      (long long)config->options.capacity, (long long)n_bytes, (long long)n_ranks,
      (long long)memory);
  return COH_OK;
}

static coh_status create(const coh_replay_config *config, coh_replay *replay) {
  replay->config = *config;
  replay->latest = -1;
  replay->key = coh_key_make(config->seed, "sample");
  COH_TRY(check_config(config));
  COH_TRY(split_lanes(replay));
  coh_shard_layout layout = hot_layout(config);
  COH_TRY(choose_tier(config, &layout, &replay->tier));
  int64_t n_local = replay->lanes.n_local, batch = config->batch, size = replay->size;
  int64_t n_own = batch / config->n_lanes * n_local;
  replay->n_capacity = layout.n_kept * config->n_envs;
  replay->record_bytes = record_bytes(config);
  replay->bytes_reserved = (int64_t)((size_t)n_local * coh_shard_bytes(&layout) +
                                     (size_t)(n_own + batch) * replay->record_bytes);
  COH_TRY(check_machine(config, replay->bytes_reserved));
  if (layout.frames.cold)
    COH_TRY(coh_packers_init(&replay->packers, config->n_threads,
                             (size_t)layout.frames.chunk * layout.frames.row_bytes));
  COH_NEW(replay->shard, n_local);
  for (int64_t i = 0; i < n_local; i++)
    COH_TRY(coh_shard_init(replay->shard + i, &layout, &replay->packers));
  COH_NEW(replay->notice, config->n_lanes);
  COH_NEW(replay->own, n_local);
  COH_NEW(replay->draw, config->in_flight);
  for (int64_t i = 0; i < config->in_flight; i++)
    COH_NEW(replay->draw[i].row, batch);
  COH_NEW(replay->mass, batch);
  COH_NEW(replay->inbox, (size_t)n_own * replay->record_bytes);
  COH_NEW(replay->outbox, (size_t)(size > 1 ? batch : 0) * replay->record_bytes);
  COH_NEW(replay->record, batch);
  COH_NEW(replay->error_out, batch);
  COH_NEW(replay->error_in, batch);
  COH_NEW(replay->send_bytes, size);
  COH_NEW(replay->recv_bytes, size);
  COH_NEW(replay->send_place, size);
  COH_NEW(replay->recv_place, size);
  if (config->stack > 1) COH_NEW(replay->expanded, n_local * config->n_values);
  return COH_OK;
}

coh_status coh_replay_create(const coh_replay_config *config, coh_replay **replay) {
  coh_replay *made = coh_alloc_array(1, sizeof *made);
  coh_status status =
      made ? create(config, made) : coh_fail(COH_E_MEMORY, "out of memory for a replay");
  if (config->world) status = coh_comm_agree(config->world, status);
  if (status != COH_OK) {
    coh_replay_destroy(&made);
    return status;
  }
  *replay = made;
  return COH_OK;
}

void coh_replay_destroy(coh_replay **replay) {
  coh_replay *old = *replay;
  if (!old) return;
  for (int64_t i = 0; old->shard && i < old->lanes.n_local; i++)
    coh_shard_fini(old->shard + i);
  for (int64_t i = 0; old->draw && i < old->config.in_flight; i++)
    coh_free(old->draw[i].row);
  coh_packers_fini(&old->packers);
  void *blocks[] = {old->rank_of,      old->shard,      old->notice,     old->own,
                    old->notice_bytes, old->draw,       old->mass,       old->inbox,
                    old->outbox,       old->record,     old->error_out,  old->error_in,
                    old->send_bytes,   old->recv_bytes, old->send_place, old->recv_place,
                    old->expanded};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
    coh_free(blocks[i]);
  COH_DELETE(*replay);
}

coh_status coh_replay_shard(coh_replay *replay, int64_t lane, coh_shard **shard) {
  int64_t local = lane - replay->lanes.first;
  COH_CHECK(local >= 0 && local < replay->lanes.n_local, COH_E_INTERNAL,
            "replay: lane %lld is not on rank %d", (long long)lane, replay->rank);
  *shard = replay->shard + local;
  return COH_OK;
}

coh_status coh_replay_append(coh_replay *replay, int64_t lane, int64_t env,
                             const coh_transition *transition) {
  coh_shard *shard = NULL;
  COH_TRY(coh_replay_shard(replay, lane, &shard));
  COH_CHECK(env >= 0 && env < shard->layout.frames.n_envs, COH_E_INTERNAL,
            "replay: environment %lld of lane %lld does not exist", (long long)env,
            (long long)lane);
  COH_CHECK(transition->action >= 0 && transition->action < shard->layout.n_actions,
            COH_E_INTERNAL, "replay: action %d is not one of %lld", (int)transition->action,
            (long long)shard->layout.n_actions);
  COH_CHECK(!(transition->terminated && transition->truncated), COH_E_INTERNAL,
            "replay: a transition is both terminated and truncated");
  COH_CHECK(coh_entries_can_hold(&shard->entries, transition->reward), COH_E_INTERNAL,
            "replay: reward %g is no whole number from %lld to %lld",
            (double)transition->reward, (long long)shard->layout.reward_low,
            (long long)shard->layout.reward_high);
  return coh_shard_append(shard, env, transition);
}

int64_t coh_replay_sampleable(const coh_replay *replay) {
  return replay->total_count;
}

void coh_replay_stats_of(const coh_replay *replay, coh_replay_stats *stats) {
  *stats = (coh_replay_stats){.capacity = replay->n_capacity,
                              .tier = replay->tier,
                              .bytes_reserved = replay->bytes_reserved};
  for (int64_t i = 0; i < replay->lanes.n_local; i++) {
    const coh_shard *shard = replay->shard + i;
    stats->n_transitions += shard->n_stored;
    stats->n_sampleable += shard->n_sampleable;
    stats->n_appended += shard->n_appended;
    stats->n_early += shard->n_early;
    stats->n_decoded += shard->frames.n_decoded;
    stats->n_cached += shard->frames.n_cached;
    double each = coh_entry_bits(&shard->entries) / 8;
    if (shard->layout.prioritized) each += coh_mass_leaf_bytes(&shard->tree);
    stats->bytes_used += (int64_t)coh_frames_used(&shard->frames) +
                         (int64_t)ceil((double)shard->n_stored * each);
  }
  if (stats->n_transitions > 0)
    stats->bytes_transition = (double)stats->bytes_used / (double)stats->n_transitions;
}
