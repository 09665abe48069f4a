/* What a replay is made of, for the files of this folder. */
#ifndef COHORT_REPLAY_PARTS_H
#define COHORT_REPLAY_PARTS_H

#include "cohort/random.h"
#include "cohort/replay.h"
#include "replay/shard.h"

/* What a lane publishes. */
typedef struct coh_lane_notice {
  uint64_t mass;      /* masses, or the count if not prioritized */
  uint64_t count;     /* sampleable transitions */
  uint32_t most_mass; /* largest ever given in the lane */
  uint32_t faulty;
} coh_lane_notice;

/* Where a row of a minibatch lies. env, number: known to its owner only. */
typedef struct coh_row_place {
  int32_t lane;
  int32_t env;
  int64_t number;
} coh_row_place;

/* A minibatch whose priorities may still be written back. */
typedef struct coh_draw {
  bool drawn;
  uint64_t update;
  double beta;
  coh_row_place *row; /* (batch) */
} coh_draw;

struct coh_replay {
  coh_replay_config config;
  coh_replay_tier tier;
  coh_lanes lanes;
  int rank, size;
  int32_t *rank_of; /* (n_lanes) */
  coh_packers packers;
  coh_shard *shard; /* (n_local) */
  coh_key key;
  int64_t n_capacity;
  int64_t bytes_reserved;
  bool published;

  coh_lane_notice *notice; /* (n_lanes) as of the last refresh */
  coh_lane_notice *own;    /* (n_local) to publish */
  size_t *notice_bytes;    /* (size) */
  uint64_t total_mass;
  int64_t total_count;

  coh_draw *draw;  /* (in_flight) */
  int64_t latest;  /* index of the last draw, -1: none */
  uint32_t *mass;  /* (batch) of the rows that this rank owns, in the last draw */
  double min_mass; /* of the whole minibatch */

  /* rows in transit: records of record_bytes each */
  size_t record_bytes;
  uint8_t *inbox;      /* (rows of this rank) those received, then those that stayed */
  uint8_t *outbox;     /* (batch) those sent, by rank */
  uint8_t **record;    /* (batch) where a row of this rank's lanes, or one it owns, lies */
  float *error_out;    /* (batch) */
  float *error_in;     /* (batch) */
  size_t *send_bytes;  /* (size) */
  size_t *recv_bytes;  /* (size) */
  int64_t *send_place; /* (size) */
  int64_t *recv_place; /* (size) */
  float *expanded;     /* (n_local, n_values): one frame before it is interleaved; stack > 1 */
};

/* The shard of a local lane. Fails: COH_E_INTERNAL if it is another rank's. */
coh_status coh_replay_shard(coh_replay *replay, int64_t lane, coh_shard **shard);

#endif
