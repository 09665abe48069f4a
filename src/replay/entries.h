/* What is kept of a lane's transitions beside their frames and priorities, to the bit.
 *
 *   block of 64 places   row of the first | terminated | truncated | action, bit 0, 1 ... |
 *                        reward, bit 0, 1 ...        (a word of 64 bits each but the first)
 *
 * A transition takes one row of frames and one that was cut off two, so a block's first row
 * and a count of the cuts before a place tell the place's row. Rewards take bits where they are
 * declared as whole numbers of a range, and a float each where not. */
#ifndef COHORT_REPLAY_ENTRIES_H
#define COHORT_REPLAY_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"

typedef struct coh_entry_layout {
  int64_t n_envs;
  int64_t n_places; /* of an environment; number n lies at n % n_places */
  int64_t n_actions;
  int64_t reward_low, reward_high; /* whole numbers of this range; equal: any real */
} coh_entry_layout;

/* How an episode stands after a transition. */
enum { COH_END_TERMINATED = 1, COH_END_TRUNCATED = 2 };

/* Rows of frames of a transition that ends so: a truncated episode's value goes on in the state
 * after it, which no other transition's frame shows; a terminated one's does not. */
static inline int64_t coh_end_rows(uint32_t end) {
  return end == COH_END_TRUNCATED ? 2 : 1;
}

typedef struct coh_entry {
  uint32_t end; /* 0, COH_END_TERMINATED or COH_END_TRUNCATED */
  int32_t action;
  float reward;
} coh_entry;

typedef struct coh_entries {
  coh_entry_layout layout;
  int64_t n_blocks; /* of an environment */
  int n_action_bits, n_reward_bits, n_planes;
  uint32_t *row;   /* (n_envs, n_blocks) low bits of the row of the block's first place */
  uint64_t *plane; /* (n_envs, n_blocks, n_planes) */
  float *reward;   /* (n_envs, n_places), or NULL where rewards take bits */
} coh_entries;

/* Bytes that entries of this layout take, and the bits of one of them. Not collective. */
size_t coh_entries_bytes(const coh_entry_layout *layout);
double coh_entry_bits(const coh_entries *entries);

/* Make entries that are all zero. Fails: COH_E_MEMORY. fini accepts a zeroed struct. */
coh_status coh_entries_init(coh_entries *entries, const coh_entry_layout *layout);
void coh_entries_fini(coh_entries *entries);

/* Zero all of them, as after init. */
void coh_entries_clear(coh_entries *entries);

/* Whether a reward can be kept exactly. */
bool coh_entries_can_hold(const coh_entries *entries, float reward);

/* Keep number's entry, in the place of the one n_places before it. The entry can be held. */
void coh_entries_put(coh_entries *entries, int64_t env, int64_t number, const coh_entry *entry);
coh_entry coh_entries_get(const coh_entries *entries, int64_t env, int64_t number);
uint32_t coh_entries_end(const coh_entries *entries, int64_t env, int64_t number);
float coh_entries_reward(const coh_entries *entries, int64_t env, int64_t number);

/* Say where number's frame lies; once for every number that was put. */
void coh_entries_set_row(coh_entries *entries, int64_t env, int64_t number, int64_t row);

/* The same for the oldest number of cleared entries, which may lie in the middle of a block.
 * next: one more than the newest that was put. */
void coh_entries_set_first_row(coh_entries *entries, int64_t env, int64_t number, int64_t next,
                               int64_t row);

/* The low 32 bits of the row of number's frame. next: how many were put, so that next -
 * n_places <= number < next. */
uint32_t coh_entries_row(const coh_entries *entries, int64_t env, int64_t number, int64_t next);

#endif
