/* One lane's experience: appending, evicting, choosing and assembling n-step transitions.
 * Eviction is first in, first out per environment, by counts only. */
#include "replay/shard.h"

#include <string.h>

#include "base/alloc.h"

static int64_t n_entries(const coh_shard_layout *layout) {
  return layout->frames.n_envs * layout->n_places;
}

static int64_t place(const coh_shard *shard, int64_t env, int64_t number) {
  return env * shard->layout.n_places + number % shard->layout.n_places;
}

static coh_entry_layout entry_layout(const coh_shard_layout *layout) {
  return (coh_entry_layout){.n_envs = layout->frames.n_envs,
                            .n_places = layout->n_places,
                            .n_actions = layout->n_actions,
                            .reward_low = layout->reward_low,
                            .reward_high = layout->reward_high};
}

size_t coh_shard_bytes(const coh_shard_layout *layout) {
  coh_entry_layout entries = entry_layout(layout);
  size_t n_bytes = coh_entries_bytes(&entries);
  n_bytes += (size_t)layout->frames.n_envs * sizeof(coh_timeline);
  if (layout->prioritized) n_bytes += coh_mass_tree_bytes(n_entries(layout));
  return n_bytes + coh_frames_bytes(&layout->frames);
}

coh_status coh_shard_init(coh_shard *shard, const coh_shard_layout *layout,
                          coh_packers *packers) {
  coh_entry_layout entries = entry_layout(layout);
  *shard = (coh_shard){.layout = *layout};
  COH_NEW(shard->time, layout->frames.n_envs);
  COH_TRY(coh_entries_init(&shard->entries, &entries));
  if (layout->prioritized) COH_TRY(coh_mass_tree_init(&shard->tree, n_entries(layout)));
  COH_TRY(coh_frames_init(&shard->frames, &layout->frames, packers));
  coh_shard_clear(shard);
  return COH_OK;
}

void coh_shard_fini(coh_shard *shard) {
  coh_frames_fini(&shard->frames);
  coh_mass_tree_fini(&shard->tree);
  coh_free(shard->time);
  coh_entries_fini(&shard->entries);
  *shard = (coh_shard){0};
}

void coh_shard_clear(coh_shard *shard) {
  const coh_timeline *time = shard->time;
  for (int64_t env = 0; shard->layout.prioritized && env < shard->layout.frames.n_envs; env++)
    for (int64_t number = time[env].first; number < time[env].ready; number++)
      coh_mass_tree_set(&shard->tree, place(shard, env, number), 0);
  memset(shard->time, 0, (size_t)shard->layout.frames.n_envs * sizeof *shard->time);
  coh_entries_clear(&shard->entries);
  coh_frames_clear(&shard->frames);
  shard->own_mass = shard->known_mass = COH_MASS_ONE;
  shard->n_sampleable = shard->n_stored = shard->n_appended = shard->n_early = 0;
  shard->changed = true;
  shard->faulty = false;
}

int64_t coh_shard_row(const coh_shard *shard, int64_t env, int64_t number) {
  // rows in use span less than 2^30, so the low bits and the newest row tell the whole number
  int64_t next = shard->frames.next[env];
  uint32_t low = coh_entries_row(&shard->entries, env, number, shard->time[env].next);
  return next - (int64_t)((uint32_t)next - low);
}

int64_t coh_shard_low_row(const coh_shard *shard, int64_t env) {
  int64_t first = shard->time[env].first;
  if (first == shard->time[env].next) return shard->time[env].row;
  int64_t row = coh_shard_row(shard, env, first) - (shard->layout.stack - 1);
  return row > shard->frames.first[env] ? row : shard->frames.first[env];
}

static void evict(coh_shard *shard, int64_t env) {
  coh_timeline *time = shard->time + env;
  if (time->first < time->ready) {
    if (shard->layout.prioritized)
      coh_mass_tree_set(&shard->tree, place(shard, env, time->first), 0);
    shard->n_sampleable--;
  } else {
    time->ready++;
  }
  if (time->next - time->first < shard->layout.n_kept) shard->n_early++;
  time->first++;
  shard->n_stored--;
  coh_frames_release(&shard->frames, env, coh_shard_low_row(shard, env));
}

coh_status coh_shard_put(coh_shard *shard, int64_t env, const void *row) {
  COH_TRY(coh_frames_put(&shard->frames, env, row));
  int64_t other, needless;
  while (!coh_frames_settle(&shard->frames, &other, &needless)) {
    const coh_timeline *time = shard->time + other;
    while (time->first < time->next && coh_shard_low_row(shard, other) < needless)
      evict(shard, other);
    coh_frames_release(&shard->frames, other, needless);
  }
  return COH_OK;
}

// transitions whose window is complete can be sampled, at the largest priority so far
static void make_ready(coh_shard *shard, int64_t env, bool ended) {
  coh_timeline *time = shard->time + env;
  int64_t ready = ended ? time->next : time->next - shard->layout.n_step;
  uint32_t mass = shard->own_mass > shard->known_mass ? shard->own_mass : shard->known_mass;
  for (; time->ready < ready; time->ready++) {
    if (shard->layout.prioritized)
      coh_mass_tree_set(&shard->tree, place(shard, env, time->ready), mass);
    shard->n_sampleable++;
  }
}

coh_status coh_shard_append(coh_shard *shard, int64_t env, const coh_transition *transition) {
  coh_timeline *time = shard->time + env;
  uint32_t end = transition->terminated  ? COH_END_TERMINATED
                 : transition->truncated ? COH_END_TRUNCATED
                                         : 0;
  int64_t n_rows = coh_end_rows(end);
  while (time->next - time->first == shard->layout.n_kept ||
         time->row + n_rows - coh_shard_low_row(shard, env) > shard->layout.frames.n_slots)
    evict(shard, env);

  int64_t row = time->row;
  COH_TRY(coh_shard_put(shard, env, transition->frame));
  if (n_rows == 2) COH_TRY(coh_shard_put(shard, env, transition->final_frame));
  coh_entry entry = {.end = end, .action = transition->action, .reward = transition->reward};
  coh_entries_put(&shard->entries, env, time->next, &entry);
  coh_entries_set_row(&shard->entries, env, time->next, row);
  time->next++;
  time->row += n_rows;
  shard->n_stored++;
  shard->n_appended++;
  shard->changed = true;
  make_ready(shard, env, end != 0);
  return COH_OK;
}

uint64_t coh_shard_mass(const coh_shard *shard) {
  return shard->layout.prioritized ? shard->tree.total : (uint64_t)shard->n_sampleable;
}

/* Number of the k-th sampleable transition of an environment in order of place: the window
 * [first, ready) of numbers may wrap around the places. */
static int64_t kth_by_place(const coh_timeline *time, int64_t n_places, int64_t k) {
  int64_t wrap = time->ready - time->ready % n_places; // first number of the last lap
  if (wrap <= time->first) return time->first + k;
  int64_t n_wrapped = time->ready - wrap;
  return k < n_wrapped ? wrap + k : time->first + (k - n_wrapped);
}

void coh_shard_find(const coh_shard *shard, uint64_t target, int64_t *env, int64_t *number) {
  int64_t n_places = shard->layout.n_places;
  if (!shard->layout.prioritized) {
    int64_t k = (int64_t)target, i = 0;
    while (k >= shard->time[i].ready - shard->time[i].first) {
      k -= shard->time[i].ready - shard->time[i].first;
      i++;
    }
    *env = i, *number = kth_by_place(shard->time + i, n_places, k);
    return;
  }
  int64_t leaf = coh_mass_tree_find(&shard->tree, target);
  *env = leaf / n_places;
  const coh_timeline *time = shard->time + *env;
  int64_t ahead = (leaf % n_places - time->first % n_places + n_places) % n_places;
  *number = time->first + ahead;
}

uint32_t coh_shard_mass_of(const coh_shard *shard, int64_t env, int64_t number) {
  return shard->layout.prioritized ? shard->tree.leaf[place(shard, env, number)] : 1;
}

/* Copy the stack that ends with `row`; `before` is the transition whose frame is row - 1 if
 * `joined`, that is, if it is sure to be of the same episode. Zeros stand before the start. */
static coh_status copy_stack(coh_shard *shard, int64_t env, int64_t row, int64_t before,
                             bool joined, uint8_t *out) {
  size_t row_bytes = shard->layout.frames.row_bytes;
  int64_t place_in_stack = shard->layout.stack - 1,
          oldest = coh_frames_oldest(&shard->frames, env);
  for (;; place_in_stack--, row--, before--, joined = false) {
    const uint8_t *from;
    COH_TRY(coh_frames_get(&shard->frames, env, row, &from));
    memcpy(out + (size_t)place_in_stack * row_bytes, from, row_bytes);
    if (place_in_stack == 0) return COH_OK;
    bool start = before < 0 || (!joined && coh_entries_end(&shard->entries, env, before) != 0);
    if (start || row == oldest) break;
  }
  memset(out, 0, (size_t)place_in_stack * row_bytes);
  return COH_OK;
}

coh_status coh_shard_fetch(coh_shard *shard, int64_t env, int64_t number, coh_record *record) {
  double sum = 0, power = 1;
  int64_t last = number;
  uint32_t end = 0;
  for (int64_t k = 0; k < shard->layout.n_step && end == 0; k++) {
    last = number + k;
    sum += power * (double)coh_entries_reward(&shard->entries, env, last);
    power *= shard->layout.gamma;
    end = coh_entries_end(&shard->entries, env, last);
  }
  record->returned = (float)sum;
  record->discount = end == COH_END_TERMINATED ? 0.0f : (float)power;
  record->action = coh_entries_get(&shard->entries, env, number).action;

  uint8_t *state = (uint8_t *)(record + 1);
  size_t n_bytes = (size_t)shard->layout.stack * shard->layout.frames.row_bytes;
  uint8_t *after = state + n_bytes;
  COH_TRY(copy_stack(shard, env, coh_shard_row(shard, env, number), number - 1, false, state));
  if (end == COH_END_TERMINATED) {
    memset(after, 0, n_bytes);
    return COH_OK;
  }
  return copy_stack(shard, env, coh_shard_row(shard, env, last) + 1, last, true, after);
}

void coh_shard_set_error(coh_shard *shard, int64_t env, int64_t number, float error) {
  const coh_timeline *time = shard->time + env;
  if (!shard->layout.prioritized || number < time->first || number >= time->ready) return;
  uint32_t mass = coh_mass_of_error((double)error, shard->layout.epsilon, shard->layout.alpha);
  coh_mass_tree_set(&shard->tree, place(shard, env, number), mass);
  if (mass > shard->own_mass) shard->own_mass = mass;
  shard->changed = true;
}
