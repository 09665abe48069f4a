/* Transitions in planes of bits: a MinAtar transition takes about a byte. */
#include "replay/entries.h"

#include <string.h>

#include "base/alloc.h"

enum { BLOCK = 64, N_ENDS = 2 }; // planes: terminated, truncated, action, reward

static int bits_for(uint64_t largest) {
  return largest == 0 ? 0 : 64 - __builtin_clzll(largest);
}

static bool is_whole(const coh_entry_layout *layout) {
  return layout->reward_high > layout->reward_low;
}

static int reward_bits(const coh_entry_layout *layout) {
  return is_whole(layout) ? bits_for((uint64_t)(layout->reward_high - layout->reward_low)) : 0;
}

static int action_bits(const coh_entry_layout *layout) {
  return bits_for((uint64_t)layout->n_actions - 1);
}

static int64_t block_count(const coh_entry_layout *layout) {
  return (layout->n_places + BLOCK - 1) / BLOCK;
}

size_t coh_entries_bytes(const coh_entry_layout *layout) {
  size_t n_planes = (size_t)(N_ENDS + action_bits(layout) + reward_bits(layout));
  size_t n_blocks = (size_t)(layout->n_envs * block_count(layout));
  size_t n_bytes = n_blocks * (sizeof(uint32_t) + n_planes * sizeof(uint64_t));
  if (!is_whole(layout)) n_bytes += (size_t)(layout->n_envs * layout->n_places) * sizeof(float);
  return n_bytes;
}

double coh_entry_bits(const coh_entries *entries) {
  return entries->n_planes + 32.0 / BLOCK + (entries->reward ? 32 : 0);
}

coh_status coh_entries_init(coh_entries *entries, const coh_entry_layout *layout) {
  *entries = (coh_entries){.layout = *layout,
                           .n_blocks = block_count(layout),
                           .n_action_bits = action_bits(layout),
                           .n_reward_bits = reward_bits(layout)};
  entries->n_planes = N_ENDS + entries->n_action_bits + entries->n_reward_bits;
  COH_NEW(entries->row, layout->n_envs * entries->n_blocks);
  COH_NEW(entries->plane, layout->n_envs * entries->n_blocks * entries->n_planes);
  if (!is_whole(layout)) COH_NEW(entries->reward, layout->n_envs * layout->n_places);
  return COH_OK;
}

void coh_entries_fini(coh_entries *entries) {
  coh_free(entries->row);
  coh_free(entries->plane);
  coh_free(entries->reward);
  *entries = (coh_entries){0};
}

void coh_entries_clear(coh_entries *entries) {
  size_t n_blocks = (size_t)(entries->layout.n_envs * entries->n_blocks);
  memset(entries->row, 0, n_blocks * sizeof *entries->row);
  memset(entries->plane, 0, n_blocks * (size_t)entries->n_planes * sizeof *entries->plane);
}

bool coh_entries_can_hold(const coh_entries *entries, float reward) {
  const coh_entry_layout *layout = &entries->layout;
  if (entries->reward) return true;
  return reward >= (float)layout->reward_low && reward <= (float)layout->reward_high &&
         reward == (float)(int64_t)reward;
}

static uint64_t *planes_at(const coh_entries *entries, int64_t env, int64_t place) {
  return entries->plane + (env * entries->n_blocks + place / BLOCK) * entries->n_planes;
}

static void set_bits(uint64_t *plane, int n_bits, int at, uint64_t value) {
  for (int k = 0; k < n_bits; k++)
    plane[k] = (plane[k] & ~(UINT64_C(1) << at)) | (value >> k & 1) << at;
}

static uint64_t get_bits(const uint64_t *plane, int n_bits, int at) {
  uint64_t value = 0;
  for (int k = 0; k < n_bits; k++)
    value |= (plane[k] >> at & 1) << k;
  return value;
}

void coh_entries_put(coh_entries *entries, int64_t env, int64_t number,
                     const coh_entry *entry) {
  int64_t place = number % entries->layout.n_places;
  uint64_t *plane = planes_at(entries, env, place);
  int at = (int)(place % BLOCK);
  set_bits(plane, N_ENDS, at, entry->end);
  set_bits(plane + N_ENDS, entries->n_action_bits, at, (uint64_t)entry->action);
  if (entries->reward) {
    entries->reward[env * entries->layout.n_places + place] = entry->reward;
    return;
  }
  set_bits(plane + N_ENDS + entries->n_action_bits, entries->n_reward_bits, at,
           (uint64_t)((int64_t)entry->reward - entries->layout.reward_low));
}

uint32_t coh_entries_end(const coh_entries *entries, int64_t env, int64_t number) {
  int64_t place = number % entries->layout.n_places;
  return (uint32_t)get_bits(planes_at(entries, env, place), N_ENDS, (int)(place % BLOCK));
}

float coh_entries_reward(const coh_entries *entries, int64_t env, int64_t number) {
  int64_t place = number % entries->layout.n_places;
  if (entries->reward) return entries->reward[env * entries->layout.n_places + place];
  const uint64_t *plane = planes_at(entries, env, place) + N_ENDS + entries->n_action_bits;
  uint64_t above = get_bits(plane, entries->n_reward_bits, (int)(place % BLOCK));
  return (float)(entries->layout.reward_low + (int64_t)above);
}

coh_entry coh_entries_get(const coh_entries *entries, int64_t env, int64_t number) {
  int64_t place = number % entries->layout.n_places;
  const uint64_t *plane = planes_at(entries, env, place) + N_ENDS;
  return (coh_entry){
      .end = coh_entries_end(entries, env, number),
      .action = (int32_t)get_bits(plane, entries->n_action_bits, (int)(place % BLOCK)),
      .reward = coh_entries_reward(entries, env, number),
  };
}

void coh_entries_set_row(coh_entries *entries, int64_t env, int64_t number, int64_t row) {
  int64_t place = number % entries->layout.n_places;
  if (place % BLOCK == 0) entries->row[env * entries->n_blocks + place / BLOCK] = (uint32_t)row;
}

void coh_entries_set_first_row(coh_entries *entries, int64_t env, int64_t number, int64_t next,
                               int64_t row) {
  int64_t place = number % entries->layout.n_places, before = place % BLOCK;
  // unless a newer number has the block's first place, those before it count as a row each
  if (number - before + entries->layout.n_places >= next)
    entries->row[env * entries->n_blocks + place / BLOCK] = (uint32_t)(row - before);
}

uint32_t coh_entries_row(const coh_entries *entries, int64_t env, int64_t number,
                         int64_t next) {
  int64_t n_places = entries->layout.n_places, place = number % n_places;
  int64_t block = place / BLOCK, before = place % BLOCK;
  const uint32_t *row = entries->row + env * entries->n_blocks;
  const uint64_t *plane = planes_at(entries, env, place);
  uint64_t cuts = plane[1], below = (UINT64_C(1) << before) - 1; // COH_END_TRUNCATED's bit
  if (number - before + n_places >= next)
    return row[block] + (uint32_t)(before + __builtin_popcountll(cuts & below));
  // the block's first place has been taken again: count back from the block after it, whose
  // places beyond the last are zero
  int64_t end = (block + 1) * BLOCK < n_places ? (block + 1) * BLOCK : n_places;
  return row[end == n_places ? 0 : block + 1] -
         (uint32_t)(end - place + __builtin_popcountll(cuts & ~below));
}
