/* An independent model of a replay: whole histories kept as plain lists, everything computed
 * from them by the definition. Environments are synthetic: every frame, action, reward and end
 * is a function of (environment, number). */
#ifndef COHORT_TESTS_REPLAY_MODEL_H
#define COHORT_TESTS_REPLAY_MODEL_H

#include "cohort/replay.h"

enum { MODEL_MOST = 4096 }; /* transitions of one environment */

typedef struct model_env {
  int64_t n;               /* transitions ever made */
  int64_t n_rows;          /* frames ever made */
  int64_t row[MODEL_MOST]; /* frame of each transition */
  int32_t action[MODEL_MOST];
  float reward[MODEL_MOST];
  int end[MODEL_MOST];       /* 0, 1 terminated, 2 truncated */
  uint32_t mass[MODEL_MOST]; /* priority mass, set when it can be sampled */
  int64_t n_ready;           /* numbers below had their window complete */
} model_env;

typedef struct model {
  coh_replay_config config;
  double end_rate; /* chance that a step ends its episode */
  int64_t n_kept;  /* per environment */
  int64_t n_places;
  model_env *env;     /* (n_envs) */
  uint32_t *lane_max; /* (n_lanes) */
  uint32_t known_max;
} model;

/* A config with sensible values for tests: rows of 6 bytes that hold 48 bits. */
coh_replay_config model_config(int64_t n_lanes, int64_t n_envs, int64_t capacity,
                               int64_t batch);
/* The same with rows of 64 bytes, which chunks are worth packing for, in the cold tier. */
void model_make_cold(coh_replay_config *config);
/* Bits to floats, as env does it. */
void model_expand(const void *context, int64_t n, const void *rows, float *values);

void model_begin(model *m, const coh_replay_config *config, double end_rate);
void model_end(model *m);

/* Bytes of frame `row` of global environment `env`. */
void model_frame(const model *m, int64_t env, int64_t row, uint8_t *out);

/* Make the next transition of every environment and append those of the lanes given. */
void model_step(model *m, coh_replay *replay, int64_t first_lane, int64_t n_local);

/* What model_step does beside appending: the lists, and the masses of what became ready. */
void model_note_refresh(model *m);

/* Numbers of an environment that can be sampled: [*first, *end). */
void model_window(const model *m, int64_t env, int64_t *first, int64_t *end);

/* The row that minibatch `update` must have at j, by brute force over all masses. */
void model_pick(const model *m, uint64_t update, int64_t j, int64_t *env, int64_t *number,
                uint32_t *mass);

/* One row by definition: packed stacks, action, return, discount. */
typedef struct model_row {
  uint8_t state[4096], after[4096];
  int32_t action;
  float returned, discount;
} model_row;
void model_fetch(const model *m, int64_t env, int64_t number, model_row *row);

/* A new error for (env, number). */
void model_set_error(model *m, int64_t env, int64_t number, float error);

/* Buffers for gather, n rows. */
typedef struct model_buffers {
  coh_replay_rows rows;
  int64_t n;
} model_buffers;
void model_buffers_begin(model_buffers *buffers, const coh_replay_config *config, int64_t n);
void model_buffers_end(model_buffers *buffers);

/* Gather learner lane `lane` of minibatch `update` and compare every field with the model. */
void model_check_lane(const model *m, coh_replay *replay, uint64_t update, double beta,
                      int64_t lane, model_buffers *buffers);

#endif
