/* The experience of one lane: transitions of its environments, their frames and priorities.
 *
 * Transitions of an environment are numbered for ever:
 *
 *   0 ...   first        ready      next
 *   evicted | can be sampled | window open |
 *
 * The state after a transition is the row after its frame: the next transition's frame, or the
 * final frame of an episode that was cut off. Nothing is kept beyond a terminal transition. */
#ifndef COHORT_REPLAY_SHARD_H
#define COHORT_REPLAY_SHARD_H

#include "cohort/replay.h"
#include "replay/entries.h"
#include "replay/frames.h"
#include "replay/tree.h"

/* What all lanes of a run have in common. */
typedef struct coh_shard_layout {
  coh_frame_layout frames;
  int64_t n_kept;   /* transitions an environment keeps: the capacity's share */
  int64_t n_places; /* n_kept + stack - 1: episode ends before the oldest stay known */
  int64_t n_step, stack, n_actions;
  int64_t reward_low, reward_high; /* whole numbers of this range; equal: any real */
  double gamma;
  bool prioritized;
  double alpha, epsilon;
} coh_shard_layout;

/* One environment's counters: see the picture above. */
typedef struct coh_timeline {
  int64_t first, ready, next;
  int64_t row; /* where the next transition's frame goes */
} coh_timeline;

typedef struct coh_shard {
  coh_shard_layout layout;
  coh_frames frames;
  coh_mass_tree tree; /* prioritized: leaf env * n_places + number % n_places */
  coh_timeline *time; /* (n_envs) */
  coh_entries entries;
  uint32_t own_mass;   /* largest ever given in this lane */
  uint32_t known_mass; /* largest in all lanes when they last published */
  int64_t n_sampleable, n_stored, n_appended, n_early;
  bool changed; /* since it last published */
  bool faulty;  /* an error was not finite */
} coh_shard;

/* A row on its way: this header, then `stack` rows of the state, then of the state after. */
typedef struct coh_record {
  uint64_t transition;
  float returned, discount;
  int32_t action;
  uint32_t mass;
} coh_record;

/* Bytes of one shard. Not collective. */
size_t coh_shard_bytes(const coh_shard_layout *layout);

/* Make an empty shard. packers: borrowed for life. Fails: COH_E_MEMORY. fini accepts a zeroed
 * struct. */
coh_status coh_shard_init(coh_shard *shard, const coh_shard_layout *layout,
                          coh_packers *packers);
void coh_shard_fini(coh_shard *shard);

/* Forget everything, as after init. */
void coh_shard_clear(coh_shard *shard);

/* Store a transition, making room first. Fails: COH_E_INTERNAL (zstd). */
coh_status coh_shard_append(coh_shard *shard, int64_t env, const coh_transition *transition);

/* What this lane's transitions weigh together: masses, or 1 each if not prioritized. */
uint64_t coh_shard_mass(const coh_shard *shard);

/* The transition at `target` < coh_shard_mass, in order of place. */
void coh_shard_find(const coh_shard *shard, uint64_t target, int64_t *env, int64_t *number);

/* The mass of a transition that find gave. */
uint32_t coh_shard_mass_of(const coh_shard *shard, int64_t env, int64_t number);

/* Assemble the n-step transition at (env, number). record: out; its `transition` field and
 * its `mass` are left alone. Fails: COH_E_DATA (a cold chunk is damaged). */
coh_status coh_shard_fetch(coh_shard *shard, int64_t env, int64_t number, coh_record *record);

/* Give a transition its new priority; one evicted since is left out. */
void coh_shard_set_error(coh_shard *shard, int64_t env, int64_t number, float error);

/* Row of a transition's frame. */
int64_t coh_shard_row(const coh_shard *shard, int64_t env, int64_t number);

/* The oldest row that a transition still kept may need. */
int64_t coh_shard_low_row(const coh_shard *shard, int64_t env);

/* Put the next row of env; evicts where the pool of compressed frames lacks room. */
coh_status coh_shard_put(coh_shard *shard, int64_t env, const void *row);

#endif
