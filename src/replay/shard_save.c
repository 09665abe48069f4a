/* One lane to and from a stream. Nothing that is read is trusted: every count, row number and
 * end is checked against what appending could have made before it is used. */
#include <string.h>

#include "base/alloc.h"
#include "replay/parts.h"

static const uint64_t magic = UINT64_C(0x32796c7065526f43); // "CoReply2"

/* The shape, which must agree, and the lane's counters. All fields are 8 bytes wide. */
typedef struct lane_header {
  uint64_t magic;
  int64_t lane, n_envs, n_kept, n_places, n_slots, row_bytes, n_step, stack, n_actions;
  int64_t prioritized, cold, chunk, n_blocks;
  int64_t n_appended, n_early, age;
  uint64_t own_mass, known_mass;
} lane_header;

/* One environment's counters. rows: [oldest, timeline.row) follow. */
typedef struct env_header {
  coh_timeline time;
  int64_t oldest, first_row;
} env_header;

static lane_header describe(const coh_shard *shard, int64_t lane) {
  const coh_shard_layout *layout = &shard->layout;
  return (lane_header){
      .magic = magic,
      .lane = lane,
      .n_envs = layout->frames.n_envs,
      .n_kept = layout->n_kept,
      .n_places = layout->n_places,
      .n_slots = layout->frames.n_slots,
      .row_bytes = (int64_t)layout->frames.row_bytes,
      .n_step = layout->n_step,
      .stack = layout->stack,
      .n_actions = layout->n_actions,
      .prioritized = layout->prioritized,
      .cold = layout->frames.cold,
      .chunk = layout->frames.cold ? layout->frames.chunk : 0,
      .n_blocks = layout->frames.n_blocks,
      .n_appended = shard->n_appended,
      .n_early = shard->n_early,
      .age = shard->frames.age,
      .own_mass = shard->own_mass,
      .known_mass = shard->known_mass,
  };
}

/* Transitions whose ends are still known: some before the first that is kept. */
static int64_t oldest_known(const coh_shard *shard, const coh_timeline *time) {
  int64_t number = time->first - (shard->layout.stack - 1);
  int64_t limit = time->next - shard->layout.n_places;
  if (number < limit) number = limit;
  return number > 0 ? number : 0;
}

/* What travels of one transition. */
typedef struct entry {
  uint32_t end;
  int32_t action;
  float reward;
  uint32_t mass; /* 0: cannot be sampled */
} entry;

static coh_status save_entries(const coh_shard *shard, int64_t env, coh_replay_write *write,
                               void *context) {
  const coh_timeline *time = shard->time + env;
  for (int64_t number = oldest_known(shard, time); number < time->next; number++) {
    bool sampled = number >= time->first && number < time->ready;
    coh_entry kept = coh_entries_get(&shard->entries, env, number);
    entry one = {
        .end = kept.end,
        .action = kept.action,
        .reward = kept.reward,
        .mass = sampled ? coh_shard_mass_of(shard, env, number) : 0,
    };
    COH_TRY(write(context, &one, sizeof one));
  }
  return COH_OK;
}

static coh_status save_rows(coh_shard *shard, int64_t env, int64_t oldest, uint8_t *before,
                            uint8_t *mixed, coh_replay_write *write, void *context) {
  size_t row_bytes = shard->layout.frames.row_bytes;
  memset(before, 0, row_bytes);
  for (int64_t row = oldest; row < shard->time[env].row; row++) {
    const uint8_t *bytes;
    COH_TRY(coh_frames_get(&shard->frames, env, row, &bytes));
    coh_frames_mix(row_bytes, bytes, before, mixed);
    memcpy(before, bytes, row_bytes);
    COH_TRY(write(context, mixed, row_bytes));
  }
  return COH_OK;
}

static coh_status save(coh_shard *shard, int64_t lane, uint8_t *rows, coh_replay_write *write,
                       void *context) {
  lane_header header = describe(shard, lane);
  COH_TRY(write(context, &header, sizeof header));
  const coh_frames *frames = &shard->frames;
  for (int64_t env = 0; env < header.n_envs; env++) {
    env_header one = {shard->time[env], coh_frames_oldest(frames, env), frames->first[env]};
    COH_TRY(write(context, &one, sizeof one));
    COH_TRY(save_entries(shard, env, write, context));
    for (int64_t chunk = header.cold ? frames->first_chunk[env] : 0;
         header.cold && chunk < one.time.row / header.chunk; chunk++) {
      int64_t age = coh_frames_age(frames, env, chunk);
      COH_TRY(write(context, &age, sizeof age));
    }
    COH_TRY(save_rows(shard, env, one.oldest, rows, rows + header.row_bytes, write, context));
  }
  uint64_t tail = magic;
  return write(context, &tail, sizeof tail);
}

coh_status coh_replay_save_lane(coh_replay *replay, int64_t lane, coh_replay_write *write,
                                void *context) {
  coh_shard *shard = NULL;
  COH_TRY(coh_replay_shard(replay, lane, &shard));
  uint8_t *rows;
  COH_NEW(rows, 2 * shard->layout.frames.row_bytes);
  coh_status status = save(shard, lane, rows, write, context);
  coh_free(rows);
  return status;
}

/* ------------------------------------------------------------------------------- loading -- */

static coh_status check_header(const lane_header *found, const lane_header *own) {
  COH_CHECK(found->magic == magic, COH_E_CHECKPOINT, "not the experience of a lane");
  COH_CHECK(found->lane == own->lane, COH_E_CHECKPOINT,
            "the experience of lane %lld where that of lane %lld belongs",
            (long long)found->lane, (long long)own->lane);
  const struct {
    const char *name;
    int64_t found, own;
  } shape[] = {
      {"environments", found->n_envs, own->n_envs},
      {"n_step", found->n_step, own->n_step},
      {"stack", found->stack, own->stack},
      {"transitions an environment", found->n_kept, own->n_kept},
      {"places", found->n_places, own->n_places},
      {"rows", found->n_slots, own->n_slots},
      {"bytes a row", found->row_bytes, own->row_bytes},
      {"actions", found->n_actions, own->n_actions},
      {"prioritized", found->prioritized, own->prioritized},
      {"cold tier", found->cold, own->cold},
      {"chunk", found->chunk, own->chunk},
      {"blocks of compressed frames", found->n_blocks, own->n_blocks},
  };
  for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
    COH_CHECK(shape[i].found == shape[i].own, COH_E_CHECKPOINT,
              "lane %lld was saved under another config: %s is %lld there and %lld here",
              (long long)own->lane, shape[i].name, (long long)shape[i].found,
              (long long)shape[i].own);
  COH_CHECK(found->n_appended >= 0 && found->n_early >= 0 && found->age >= 0 &&
                found->own_mass >= 1 && found->own_mass <= UINT32_MAX &&
                found->known_mass >= 1 && found->known_mass <= UINT32_MAX,
            COH_E_CHECKPOINT, "lane %lld: counters out of range", (long long)own->lane);
  return COH_OK;
}

static coh_status check_env(const coh_shard *shard, const env_header *one) {
  const int64_t most = INT64_C(1) << 60;
  const coh_timeline *time = &one->time;
  const coh_frame_layout *frames = &shard->layout.frames;
  int64_t slack = frames->cold ? frames->chunk : 1;
  bool counts = time->first >= 0 && time->first <= time->ready && time->ready <= time->next &&
                time->next <= time->row && time->row < most &&
                time->next - time->first <= shard->layout.n_kept;
  bool rows = one->oldest >= 0 && one->oldest <= one->first_row &&
              one->first_row - one->oldest < slack && one->first_row <= time->row &&
              time->row - one->first_row <= frames->n_slots &&
              (!frames->cold || one->oldest % frames->chunk == 0);
  COH_CHECK(counts && rows, COH_E_CHECKPOINT, "counters of an environment out of range");
  return COH_OK;
}

/* Read the transitions. Rows are numbered backwards from the newest: each takes one, and one
 * more for the final frame where an episode was cut off. */
static coh_status load_entries(coh_shard *shard, int64_t env, const env_header *one,
                               coh_replay_read *read, void *context) {
  const coh_timeline *time = &one->time;
  int64_t n_places = shard->layout.n_places, n_rows = 0;
  int64_t oldest = oldest_known(shard, time), ready = time->next - shard->layout.n_step;
  if (ready < time->first) ready = time->first;
  for (int64_t number = oldest; number < time->next; number++) {
    entry found;
    COH_TRY(read(context, &found, sizeof found));
    bool kept = number >= time->first, sampled = kept && number < time->ready;
    COH_CHECK(found.end <= COH_END_TRUNCATED && found.action >= 0 &&
                  found.action < shard->layout.n_actions &&
                  coh_entries_can_hold(&shard->entries, found.reward) &&
                  (found.mass > 0) == sampled,
              COH_E_CHECKPOINT, "a transition is not sound");
    int64_t at = env * n_places + number % n_places;
    coh_entry put = {found.end, found.action, found.reward};
    coh_entries_put(&shard->entries, env, number, &put);
    if (sampled && shard->layout.prioritized) coh_mass_tree_set(&shard->tree, at, found.mass);
    n_rows += kept ? coh_end_rows(found.end) : 0;
    if (kept && found.end && number + 1 > ready) ready = number + 1;
  }
  COH_CHECK(ready == time->ready && n_rows <= time->row - one->first_row, COH_E_CHECKPOINT,
            "the transitions of an environment do not fit together");
  int64_t row = time->row;
  for (int64_t number = time->next - 1; number >= oldest; number--) {
    row -= coh_end_rows(coh_entries_end(&shard->entries, env, number));
    coh_entries_set_row(&shard->entries, env, number, row);
  }
  if (oldest < time->next)
    coh_entries_set_first_row(&shard->entries, env, oldest, time->next, row);
  return COH_OK;
}

static coh_status load_rows(coh_shard *shard, int64_t env, const env_header *one,
                            uint8_t *before, uint8_t *mixed, coh_replay_read *read,
                            void *context) {
  size_t row_bytes = shard->layout.frames.row_bytes;
  memset(before, 0, row_bytes);
  for (int64_t row = one->oldest; row < one->time.row; row++) {
    COH_TRY(read(context, mixed, row_bytes));
    coh_frames_mix(row_bytes, mixed, before, before);
    COH_TRY(coh_frames_put(&shard->frames, env, before));
    int64_t other, needless;
    COH_CHECK(coh_frames_settle(&shard->frames, &other, &needless), COH_E_CHECKPOINT,
              "the compressed frames need more room than memory: gives them");
  }
  return COH_OK;
}

static coh_status load_env(coh_shard *shard, int64_t env, int64_t most_age, uint8_t *rows,
                           coh_replay_read *read, void *context) {
  env_header one;
  COH_TRY(read(context, &one, sizeof one));
  COH_TRY(check_env(shard, &one));
  // from here on clear() finds what is in the tree
  shard->time[env] = one.time;
  COH_TRY(load_entries(shard, env, &one, read, context));
  const coh_frame_layout *layout = &shard->layout.frames;
  coh_frames_begin(&shard->frames, env, one.oldest);
  for (int64_t chunk = layout->cold ? one.oldest / layout->chunk : 0;
       layout->cold && chunk < one.time.row / layout->chunk; chunk++) {
    int64_t age;
    COH_TRY(read(context, &age, sizeof age));
    COH_CHECK(age >= 0 && age < most_age, COH_E_CHECKPOINT, "the age of a chunk is not sound");
    coh_frames_expect_age(&shard->frames, env, chunk, age);
  }
  COH_TRY(load_rows(shard, env, &one, rows, rows + layout->row_bytes, read, context));
  coh_frames_release(&shard->frames, env, one.first_row);
  shard->n_sampleable += one.time.ready - one.time.first;
  shard->n_stored += one.time.next - one.time.first;
  return COH_OK;
}

static coh_status load(coh_shard *shard, int64_t lane, uint8_t *rows, coh_replay_read *read,
                       void *context) {
  lane_header own = describe(shard, lane), header;
  COH_TRY(read(context, &header, sizeof header));
  COH_TRY(check_header(&header, &own));
  shard->frames.loading = true;
  for (int64_t env = 0; env < header.n_envs; env++)
    COH_TRY(load_env(shard, env, header.age, rows, read, context));
  uint64_t tail;
  COH_TRY(read(context, &tail, sizeof tail));
  COH_CHECK(tail == magic, COH_E_CHECKPOINT, "the end of the lane's experience is not sound");
  shard->n_appended = header.n_appended;
  shard->n_early = header.n_early;
  shard->frames.age = header.age;
  shard->own_mass = (uint32_t)header.own_mass;
  shard->known_mass = (uint32_t)header.known_mass;
  return COH_OK;
}

coh_status coh_replay_load_lane(coh_replay *replay, int64_t lane, coh_replay_read *read,
                                void *context) {
  coh_shard *shard = NULL;
  COH_TRY(coh_replay_shard(replay, lane, &shard));
  uint8_t *rows;
  COH_NEW(rows, 2 * shard->layout.frames.row_bytes);
  coh_shard_clear(shard);
  coh_status status = load(shard, lane, rows, read, context);
  shard->frames.loading = false;
  coh_free(rows);
  if (status == COH_OK) return COH_OK;
  coh_shard_clear(shard);
  return coh_fail_within(status, "replay: lane %lld", (long long)lane);
}
