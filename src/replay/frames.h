/* The frames of one lane: a ring of rows for each environment, hot or cold.
 *
 * Rows are numbered 0, 1, 2 ... for the life of an environment. The newest ones up to `slots`
 * can be kept; the owner releases the old ones in order.
 *
 * Cold: rows gather in an open chunk; a full chunk is XOR-ed row by row with the row before,
 * compressed, and laid into 64-byte blocks of a pool that all environments of the lane share.
 * What fits the pool depends on the number of blocks only, never on where they lie. */
#ifndef COHORT_REPLAY_FRAMES_H
#define COHORT_REPLAY_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"
#include "replay/packers.h"

typedef struct coh_frame_layout {
  int64_t n_envs;
  int64_t n_slots; /* rows that an environment can keep */
  size_t row_bytes;
  bool cold;
  int64_t chunk;    /* cold: rows of a chunk */
  int64_t cache;    /* cold: decoded chunks kept */
  int64_t n_blocks; /* cold: blocks of the pool */
} coh_frame_layout;

enum { COH_FRAME_BLOCK = 64 };

typedef struct coh_frame_chunk {
  uint32_t first_block;
  uint32_t n_bytes; /* packed; chunk * row_bytes: stored unpacked */
  int64_t age;      /* of the lane, ascending */
} coh_frame_chunk;

typedef struct coh_frame_decoded {
  int64_t env, chunk; /* env < 0: empty */
  int64_t used;       /* for replacing the one least recently used */
} coh_frame_decoded;

typedef struct coh_frames {
  coh_frame_layout layout;
  uint8_t *hot;   /* hot: (n_envs, n_slots, row_bytes); cold: (n_envs, chunk, row_bytes) */
  int64_t *next;  /* (n_envs) rows ever put */
  int64_t *first; /* (n_envs) rows released, those before it are gone */
  /* cold */
  int64_t n_table;        /* chunks an environment's table has room for */
  coh_frame_chunk *table; /* (n_envs, n_table) by chunk number modulo n_table */
  int64_t *first_chunk;   /* (n_envs) oldest chunk held; up to next / chunk */
  int64_t age;            /* given to the next chunk */
  uint8_t *block;         /* (n_blocks, 64) */
  uint32_t *link;         /* (n_blocks) the next block of a chunk or of the free list */
  uint32_t free_block;    /* head of the free list */
  int64_t n_free;
  coh_packers *packers; /* borrowed */
  uint8_t *packed;      /* one packed chunk, waiting or being read */
  uint8_t *mixed;       /* one XOR-ed chunk */
  size_t n_packed;
  int64_t waiting;          /* environment whose chunk waits to be stored, -1: none */
  coh_frame_decoded *known; /* (cache) */
  uint8_t *decoded;         /* (cache, chunk, row_bytes) */
  int64_t clock, n_decoded, n_cached;
  bool loading; /* chunks keep the ages that were set ahead */
} coh_frames;

/* Bytes that frames of this layout take. Not collective. */
size_t coh_frames_bytes(const coh_frame_layout *layout);

/* Blocks that one chunk takes at most. */
int64_t coh_frames_chunk_blocks(const coh_frame_layout *layout);

/* Make empty frames; nothing is allocated later. fini accepts a zeroed struct.
 * packers: borrowed for life, for blocks of a chunk; NULL in the hot tier.
 * Fails: COH_E_MEMORY. */
coh_status coh_frames_init(coh_frames *frames, const coh_frame_layout *layout,
                           coh_packers *packers);
void coh_frames_fini(coh_frames *frames);

/* Forget all rows. */
void coh_frames_clear(coh_frames *frames);

/* Begin an environment's numbering at row `first`, before its first put (for loading). */
void coh_frames_begin(coh_frames *frames, int64_t env, int64_t first);

/* Put the next row of an environment. The owner keeps next - first below n_slots, and calls
 * settle until it says stored before the next put. Fails: COH_E_INTERNAL (zstd). */
coh_status coh_frames_put(coh_frames *frames, int64_t env, const void *row);

/* Store the chunk that the last put completed, if any. Returns false if the pool lacks room:
 * then the rows of *env before *row (the oldest chunk of the lane) must be released first. */
bool coh_frames_settle(coh_frames *frames, int64_t *env, int64_t *row);

/* Let go of an environment's rows before `first`. */
void coh_frames_release(coh_frames *frames, int64_t env, int64_t first);

/* The first row of an environment that can still be read: at most `first` (whole chunks). */
int64_t coh_frames_oldest(const coh_frames *frames, int64_t env);

/* Read one row, oldest <= row < next. *bytes: out, valid until the next call on these frames.
 * Fails: COH_E_DATA if a chunk cannot be unpacked. */
coh_status coh_frames_get(coh_frames *frames, int64_t env, int64_t row, const uint8_t **bytes);

/* The age of a stored chunk; and, while loading, the age that a chunk to come will have. */
int64_t coh_frames_age(const coh_frames *frames, int64_t env, int64_t chunk);
void coh_frames_expect_age(coh_frames *frames, int64_t env, int64_t chunk, int64_t age);

/* Bytes that the rows now kept take. */
size_t coh_frames_used(const coh_frames *frames);

/* out = a XOR b, n bytes; out may be a or b. */
void coh_frames_mix(size_t n, const uint8_t *a, const uint8_t *b, uint8_t *out);

#endif
