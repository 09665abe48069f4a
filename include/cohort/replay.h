/* Experience: one logical replay buffer over all lanes of a run.
 *
 * Every lane owns its environments and the experience that they make; ranks own contiguous
 * blocks of lanes. Sampling is exact and global: lanes publish integer priority masses, every
 * rank draws the same stratified targets, and only rows that are needed on another rank move.
 * What is stored and sampled depends on the config and the seed, never on ranks or threads.
 *
 *   environment ring   ... o o o o F o o o o o o o o o>     o  frame of a transition
 *                          truncated terminated  open       F  final frame of a truncated episode
 *
 * A truncated episode of T transitions keeps T + 1 frames, so the state after it is there to
 * bootstrap from; a terminated one keeps T, for there is no value beyond. A transition can be
 * sampled once its n-step window is complete or its episode has ended.
 *
 * One update, on every rank:
 *   coh_replay_append(...)            lane by lane, lanes may be on different threads
 *   coh_replay_refresh(replay)        collective: lanes publish what they hold
 *   coh_replay_draw(replay, u, beta)  collective: choose the rows of minibatch u, move surplus
 *   coh_replay_gather(replay, u, lane, &rows)   lane by lane, lanes may be on different threads
 *   coh_replay_write_back(replay, u, errors)    collective: new priorities, if prioritized
 *
 * Gathering may overlap appending: a minibatch is a copy. Refresh, draw and write_back may not.
 *
 * Sources: Schaul, Quan, Antonoglou, Silver, "Prioritized experience replay", ICLR 2016;
 * Horgan et al., "Distributed prioritized experience replay", ICLR 2018 (n-step, shards). */
#ifndef COHORT_REPLAY_H
#define COHORT_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cohort/comm.h"
#include "cohort/option.h"
#include "cohort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------ options -- */

/* Where frames live. Both tiers give the same bits. */
typedef enum coh_replay_tier {
  COH_REPLAY_AUTO, /* hot if that fits the memory bound, else cold */
  COH_REPLAY_HOT,  /* rows as they are */
  COH_REPLAY_COLD, /* chunks of rows, each XOR-ed with the row before, compressed by zstd */
} coh_replay_tier;

/* What a config file sets. */
typedef struct coh_replay_options {
  int64_t capacity; /* transitions, over all lanes */
  int64_t memory;   /* bytes, over all lanes and ranks; zstd takes 1.4 MB a thread beside it */
  int tier;         /* coh_replay_tier */
  int64_t chunk;    /* rows of a cold chunk */
  int64_t cache;    /* decoded chunks kept by a lane */
  int64_t episode;  /* steps between truncations that room for final frames is made for */
  bool prioritized; /* proportional priorities instead of uniform sampling */
  double alpha;     /* exponent of priorities */
  double epsilon;   /* added to the absolute error */
} coh_replay_options;

/* The option table of coh_replay_options, for a COH_GROUP row or coh_options_fill. */
extern const coh_option coh_replay_option_table[];

/* Everything a replay is made from. */
typedef struct coh_replay_config {
  coh_replay_options options;
  uint64_t seed;
  coh_world *world;   /* borrowed; NULL: this process is the only rank and has all lanes */
  int n_threads;      /* OpenMP threads over this rank's lanes, at least 1 */
  int64_t n_lanes;    /* of the run; divides n_envs and batch */
  int64_t n_envs;     /* of the run; lane i owns the i-th block of n_envs / n_lanes */
  int64_t batch;      /* rows of a minibatch, over all lanes */
  int64_t in_flight;  /* draws whose rows and priorities are kept, at least 1 */
  size_t row_bytes;   /* of one observation as append takes it */
  int64_t n_values;   /* floats of one expanded observation */
  int64_t n_channels; /* the fastest dimension, only used when stack > 1 */
  int64_t n_actions;  /* actions are 0 .. n_actions - 1 */
  int64_t reward_low, reward_high; /* all rewards are whole numbers of this range, which takes
                                      less memory; equal: any real */
  int64_t n_step;                  /* rewards summed in a return, at least 1 */
  int64_t stack; /* frames in a state, at least 1; before an episode's start: zeros */
  double gamma;  /* discount of one step */
  /* Expand n rows to n x n_values floats; called by several threads at once. NULL: rows are
   * n_values floats and are copied. */
  void (*expand)(const void *context, int64_t n, const void *rows, float *values);
  const void *expand_context; /* borrowed */
} coh_replay_config;

/* ----------------------------------------------------------------------------- lifetime -- */

typedef struct coh_replay coh_replay;

/* Make an empty replay; everything that it will ever use is allocated here.
 * Collective over config->world. config: read during the call, same on every rank.
 * Caller destroys *replay.
 * Fails: COH_E_CONFIG, with the bytes needed, if the capacity does not fit the memory bound;
 * COH_E_CONFIG for numbers that do not divide; COH_E_MEMORY. */
coh_status coh_replay_create(const coh_replay_config *config, coh_replay **replay);

/* Destroy; accepts NULL, sets NULL. Not collective. */
void coh_replay_destroy(coh_replay **replay);

/* ------------------------------------------------------------------------------- storing -- */

/* One transition (s, a, r, and how the episode stands after it). */
typedef struct coh_transition {
  const void *frame; /* row_bytes: the observation s the action was chosen on */
  int32_t action;
  float reward;
  bool terminated;         /* the problem ended: no value beyond */
  bool truncated;          /* a limit cut the episode: its value goes on beyond */
  const void *final_frame; /* row_bytes: the last observation, if truncated; else unused */
} coh_transition;

/* Store one transition of a local lane; the oldest ones of that environment give way.
 * env: index within the lane, 0 .. n_envs / n_lanes - 1. transition: copied.
 * Not collective; allocates nothing. Different lanes may be appended to by different threads
 * at once; two calls for one lane may not overlap.
 * Fails: COH_E_INTERNAL (lane not local, action or reward out of range, both ends set). */
coh_status coh_replay_append(coh_replay *replay, int64_t lane, int64_t env,
                             const coh_transition *transition);

/* ------------------------------------------------------------------------------ sampling -- */

/* Publish what every lane holds. Needed before a draw whenever lanes were appended to, loaded
 * or given priorities since; several draws may follow one refresh.
 * Collective; allocates nothing.
 * Fails: COH_E_DIVERGED on every rank, if an error given to write_back was not finite;
 * COH_E_COMM. */
coh_status coh_replay_refresh(coh_replay *replay);

/* Transitions that can be sampled, over all lanes, as of the last refresh. Not collective. */
int64_t coh_replay_sampleable(const coh_replay *replay);

/* Choose the rows of minibatch `update`, and move those that another rank's lane needs.
 * Row j hits the global mass M of all lanes at floor((j + u_j) M / batch), u_j drawn from
 * (seed, "sample", j, update); it belongs to learner lane floor(j n_lanes / batch).
 * beta: exponent of the importance weights (N P)^-beta, which are divided by the largest of
 * the minibatch; ignored unless prioritized.
 * Collective; allocates nothing; uses OpenMP over lanes when there are several.
 * The draw before `in_flight` others is forgotten.
 * Fails: COH_E_INTERNAL (nothing to sample, on all ranks; lanes changed since the last refresh,
 * or a cold chunk damaged in memory, perhaps on this rank alone), COH_E_COMM. */
coh_status coh_replay_draw(coh_replay *replay, uint64_t update, double beta);

/* Where gather writes: n = batch / n_lanes rows, in the caller's memory. A NULL is skipped. */
typedef struct coh_replay_rows {
  float *states;         /* (n, n_values * stack), frames interleaved channel-last */
  float *next_states;    /* (n, n_values * stack), after the steps of the return; what rows of
                            zero bytes expand to where the episode terminated */
  void *packed_states;   /* (n, stack, row_bytes), oldest frame first */
  void *packed_next;     /* (n, stack, row_bytes) */
  int32_t *actions;      /* (n) */
  float *returns;        /* (n) sum over k < m of gamma^k r_k, m <= n_step */
  float *discounts;      /* (n) gamma^m, or 0 if the episode terminated within the window */
  float *weights;        /* (n) importance weights in (0, 1]; 1 if not prioritized */
  uint64_t *transitions; /* (n) which transitions: lane << 48 | env << 32 | number mod 2^32 */
} coh_replay_rows;

/* Hand out learner lane `lane`'s slice of a minibatch that was drawn.
 * Not collective; allocates nothing; different lanes may be gathered by different threads.
 * Only the most recent draw can be gathered.
 * Fails: COH_E_INTERNAL (lane not local, update not the last draw). */
coh_status coh_replay_gather(coh_replay *replay, uint64_t update, int64_t lane,
                             const coh_replay_rows *rows);

/* Give the transitions of minibatch `update` new priorities (|error| + epsilon)^alpha.
 * errors: in, one for each row of this rank's lanes, in row order (lanes ascending).
 * A transition drawn twice takes the error of its last row; one that was evicted since is
 * left out. Does nothing unless prioritized.
 * Collective; allocates nothing.
 * An error that is not finite changes no priority, and fails the next refresh on every rank.
 * Fails: COH_E_INTERNAL (not one of the last in_flight draws), COH_E_COMM. */
coh_status coh_replay_write_back(coh_replay *replay, uint64_t update, const float *errors);

/* ---------------------------------------------------------------------------- statistics -- */

/* Sums over this rank's lanes. */
typedef struct coh_replay_stats {
  int64_t capacity;        /* transitions that fit, at most */
  coh_replay_tier tier;    /* hot or cold */
  int64_t n_transitions;   /* stored */
  int64_t n_sampleable;    /* of these, can be sampled now */
  int64_t n_appended;      /* ever; survives save and load */
  int64_t n_early;         /* evicted before the capacity was reached: short episodes, or
                              frames that compress badly; survives save and load */
  int64_t bytes_reserved;  /* allocated at create */
  int64_t bytes_used;      /* of these, held by the transitions stored */
  int64_t n_decoded;       /* cold chunks decompressed for sampling */
  int64_t n_cached;        /* cold chunks found decompressed */
  double bytes_transition; /* bytes_used / n_transitions, 0 if there are none */
} coh_replay_stats;

/* Not collective. stats: out. Must not overlap an append. */
void coh_replay_stats_of(const coh_replay *replay, coh_replay_stats *stats);

/* --------------------------------------------------------------------------- save, load -- */

/* Write n_bytes to, or read exactly n_bytes from, whatever the context is. Returning anything
 * but COH_OK (with its message set) stops the save or load with that status. */
typedef coh_status coh_replay_write(void *context, const void *data, size_t n_bytes);
typedef coh_status coh_replay_read(void *context, void *data, size_t n_bytes);

/* Save all of one local lane: frames (XOR-ed with the row before, so that they compress),
 * transitions, priorities, counters, in host byte order. Draws in flight are not saved. Not
 * collective; different lanes may be saved by different threads. Fails: as write does. */
coh_status coh_replay_save_lane(coh_replay *replay, int64_t lane, coh_replay_write *write,
                                void *context);

/* Load one local lane, saved under the same config by whichever rank had it. All that is
 * sampled later has the same bits as if the run had gone on. Not collective; different lanes
 * may be loaded by different threads.
 * Fails: as read does; COH_E_CHECKPOINT if the stream is of another config or not sound; the
 * lane is then empty. */
coh_status coh_replay_load_lane(coh_replay *replay, int64_t lane, coh_replay_read *read,
                                void *context);

#ifdef __cplusplus
}
#endif
#endif
