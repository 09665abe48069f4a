/* The replay on real MinAtar games: bytes a transition, inserts, and minibatches a second.
 *   build/bin/bench_replay [env=minatar_breakout] [tier=hot|cold] [prioritized=0|1] [batch=32]
 *                          [lanes=1] [envs=4] [capacity=100000] [chunk=64] [samples=31]
 *                          [all=0|1]
 *   launch/mpirun -n 2 build/bin/bench_replay lanes=2
 * A scripted player (one action held for a few steps) fills the buffer; then an update is
 * refresh, draw, gather to floats and, if prioritized, write_back. JSON lines: microseconds as
 * medians with a nonparametric 95% interval, and the raw samples. all=1 walks the table of
 * games, tiers, priorities and batches. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cohort/comm.h"
#include "cohort/env.h"
#include "cohort/random.h"
#include "cohort/replay.h"
#include "sample.h"
#include "updates.h"

enum { MAX_SAMPLES = 200, UPDATES = 200, INSERTS = 200 };

typedef struct bench {
  const char *env_name;
  coh_world *world;
  coh_lanes lanes;
  int64_t tier, prioritized, batch, n_lanes, n_envs, capacity, chunk, cache, n_samples, all;
  coh_env **env; /* one a local lane */
  const coh_env_spec *spec;
  uint8_t **before, **after;
  int32_t **action;
  float **reward;
  uint8_t **terminated, **truncated;
  coh_replay *replay;
  coh_replay_rows rows;
  float *errors;
  int64_t step;
} bench;

static void expand(const void *context, int64_t n, const void *rows, float *values) {
  coh_env_expand(context, n, rows, values);
}

/* One step of every environment of this rank; returns the seconds that appending took. */
static coh_status act(bench *b, double *seconds) {
  int64_t per_lane = b->n_envs / b->n_lanes;
  coh_key key = coh_key_make(1, "actions");
  for (int64_t lane = 0; lane < b->lanes.n_local; lane++) {
    uint32_t entity = (uint32_t)(b->lanes.first + lane);
    coh_stream stream = coh_stream_begin(key, entity, (uint64_t)b->step);
    for (int64_t e = 0; e < per_lane; e++)
      if (b->step == 0 || coh_stream_below(&stream, 4) == 0)
        b->action[lane][e] = (int32_t)coh_stream_below(&stream, b->spec->n_actions);
    COH_TRY(coh_env_step(b->env[lane], b->action[lane], b->after[lane], b->reward[lane],
                         b->terminated[lane], b->truncated[lane]));
    double start = coh_clock_now();
    for (int64_t e = 0; e < per_lane; e++) {
      size_t at = (size_t)e * b->spec->observation_bytes;
      coh_transition transition = {.frame = b->before[lane] + at,
                                   .action = b->action[lane][e],
                                   .reward = b->reward[lane][e],
                                   .terminated = b->terminated[lane][e],
                                   .truncated = b->truncated[lane][e],
                                   .final_frame = b->after[lane] + at};
      COH_TRY(coh_replay_append(b->replay, b->lanes.first + lane, e, &transition));
    }
    *seconds += coh_clock_now() - start;
    coh_env_reset_ended(b->env[lane], b->after[lane]);
    uint8_t *swap = b->before[lane];
    b->before[lane] = b->after[lane];
    b->after[lane] = swap;
  }
  b->step++;
  return COH_OK;
}

static coh_status update(bench *b, uint64_t number) {
  COH_TRY(coh_replay_refresh(b->replay));
  COH_TRY(coh_replay_draw(b->replay, number, 0.5));
  for (int64_t lane = 0; lane < b->lanes.n_local; lane++)
    COH_TRY(coh_replay_gather(b->replay, number, b->lanes.first + lane, &b->rows));
  return coh_replay_write_back(b->replay, number, b->errors);
}

static void print_samples(bench *b, const char *what, const double *sample) {
  if (coh_world_rank(b->world) != 0) return;
  coh_replay_stats stats;
  coh_replay_stats_of(b->replay, &stats);
  printf("{\"bench\": \"replay\", \"what\": \"%s\", \"env\": \"%s\", \"tier\": \"%s\", "
         "\"prioritized\": %d, \"batch\": %" PRId64 ", \"lanes\": %" PRId64 ", \"ranks\": %d, "
         "\"row_bytes\": %zu, \"chunk\": %" PRId64 ", \"transitions\": %" PRId64
         ", \"bytes_a_transition\": %.2f, \"bytes_reserved\": %" PRId64,
         what, b->env_name, stats.tier == COH_REPLAY_COLD ? "cold" : "hot", (int)b->prioritized,
         b->batch, b->n_lanes, coh_world_size(b->world), b->spec->observation_bytes, b->chunk,
         stats.n_transitions, stats.bytes_transition, stats.bytes_reserved);
  bench_sample_print("us", sample, b->n_samples);
  printf("}\n");
  fflush(stdout);
}

static coh_status open_envs(bench *b) {
  int64_t n = b->lanes.n_local, per_lane = b->n_envs / b->n_lanes;
  COH_NEW(b->env, n);
  COH_NEW(b->before, n);
  COH_NEW(b->after, n);
  COH_NEW(b->action, n);
  COH_NEW(b->reward, n);
  COH_NEW(b->terminated, n);
  COH_NEW(b->truncated, n);
  for (int64_t lane = 0; lane < n; lane++) {
    int64_t first = (b->lanes.first + lane) * per_lane;
    COH_TRY(coh_env_create_named(b->env_name, per_lane, first, 1, b->env + lane));
    b->spec = coh_env_spec_of(b->env[lane]);
    COH_NEW(b->before[lane], (size_t)per_lane * b->spec->observation_bytes);
    COH_NEW(b->after[lane], (size_t)per_lane * b->spec->observation_bytes);
    COH_NEW(b->action[lane], per_lane);
    COH_NEW(b->reward[lane], per_lane);
    COH_NEW(b->terminated[lane], per_lane);
    COH_NEW(b->truncated[lane], per_lane);
    coh_env_reset(b->env[lane], b->before[lane]);
  }
  return COH_OK;
}

static coh_status open_replay(bench *b) {
  coh_replay_config config = {.seed = 1,
                              .world = b->world,
                              .n_threads = 1,
                              .n_lanes = b->n_lanes,
                              .n_envs = b->n_envs,
                              .batch = b->batch,
                              .in_flight = 1,
                              .row_bytes = b->spec->observation_bytes,
                              .n_values = b->spec->n_values,
                              .n_channels = b->spec->shape[2],
                              .n_actions = b->spec->n_actions,
                              .reward_low = b->spec->reward_low,
                              .reward_high = b->spec->reward_high,
                              .n_step = 1,
                              .stack = 1,
                              .gamma = 0.99,
                              .expand = expand,
                              .expand_context = b->spec};
  COH_TRY(coh_options_fill(coh_replay_option_table, NULL, &config.options));
  config.options.capacity = b->capacity;
  config.options.tier = b->tier ? COH_REPLAY_COLD : COH_REPLAY_HOT;
  config.options.prioritized = b->prioritized != 0;
  config.options.chunk = b->chunk;
  config.options.cache = b->cache;
  COH_TRY(coh_replay_create(&config, &b->replay));
  size_t n = (size_t)(b->batch / b->n_lanes);
  COH_NEW(b->rows.states, n * (size_t)b->spec->n_values);
  COH_NEW(b->rows.next_states, n * (size_t)b->spec->n_values);
  COH_NEW(b->rows.actions, n);
  COH_NEW(b->rows.returns, n);
  COH_NEW(b->rows.discounts, n);
  COH_NEW(b->rows.weights, n);
  COH_NEW(b->errors, b->batch);
  for (int64_t i = 0; i < b->batch; i++)
    b->errors[i] = (float)(i % 11) * 0.1f;
  return COH_OK;
}

static void close_all(bench *b) {
  for (int64_t lane = 0; b->env && lane < b->lanes.n_local; lane++) {
    coh_env_destroy(b->env + lane);
    coh_free(b->before[lane]);
    coh_free(b->after[lane]);
    coh_free(b->action[lane]);
    coh_free(b->reward[lane]);
    coh_free(b->terminated[lane]);
    coh_free(b->truncated[lane]);
  }
  void *blocks[] = {b->env,          b->before,       b->after,
                    b->action,       b->reward,       b->terminated,
                    b->truncated,    b->rows.states,  b->rows.next_states,
                    b->rows.actions, b->rows.returns, b->rows.discounts,
                    b->rows.weights, b->errors};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
    coh_free(blocks[i]);
  coh_replay_destroy(&b->replay);
  b->env = NULL;
}

static coh_status measure(bench *b) {
  double sample[MAX_SAMPLES], ignored = 0;
  COH_TRY(coh_lanes_split(b->world, b->n_lanes, &b->lanes));
  b->step = 0;
  COH_TRY(open_envs(b));
  COH_TRY(open_replay(b));
  for (int64_t i = 0; i < b->capacity / b->n_envs * 5 / 4; i++)
    COH_TRY(act(b, &ignored));
  for (int64_t i = 0; i < b->n_samples; i++) {
    sample[i] = 0;
    for (int k = 0; k < INSERTS; k++)
      COH_TRY(act(b, &sample[i]));
    int64_t n_local = b->lanes.n_local * (b->n_envs / b->n_lanes);
    sample[i] *= 1e6 / (double)(INSERTS * n_local);
  }
  print_samples(b, "append", sample);
  uint64_t number = 0;
  for (int64_t i = -1; i < b->n_samples; i++) {
    COH_TRY(coh_comm_barrier(b->world));
    double start = coh_clock_now();
    for (int k = 0; k < UPDATES; k++)
      COH_TRY(update(b, number++));
    if (i >= 0) sample[i] = 1e6 * (coh_clock_now() - start) / UPDATES;
  }
  print_samples(b, "update", sample);
  return COH_OK;
}

static coh_status run(bench *b) {
  static const char *const games[] = {"minatar_breakout", "minatar_asterix", "minatar_freeway",
                                      "minatar_seaquest", "minatar_space_invaders"};
  coh_status status = COH_OK;
  if (!b->all) {
    status = measure(b);
    close_all(b);
    return status;
  }
  for (int game = 0; game < 5 && status == COH_OK; game++)
    for (int64_t point = 0; point < 8 && status == COH_OK; point++) {
      b->env_name = games[game];
      b->tier = point >> 2, b->prioritized = point >> 1 & 1, b->batch = point & 1 ? 128 : 32;
      status = measure(b);
      close_all(b);
    }
  return status;
}

static coh_status read_argument(bench *b, const char *argument) {
  const bench_option options[] = {
      {"prioritized=", &b->prioritized, 0, 1},
      {"batch=", &b->batch, 1, 1 << 20},
      {"lanes=", &b->n_lanes, 1, 65535},
      {"envs=", &b->n_envs, 1, 1 << 20},
      {"capacity=", &b->capacity, 1, 1 << 30},
      {"chunk=", &b->chunk, 2, 65536},
      {"cache=", &b->cache, 2, 65536},
      {"samples=", &b->n_samples, 5, MAX_SAMPLES},
      {"all=", &b->all, 0, 1},
  };
  if (strncmp(argument, "env=", 4) == 0) {
    b->env_name = argument + 4;
    return COH_OK;
  }
  if (strcmp(argument, "tier=hot") == 0 || strcmp(argument, "tier=cold") == 0) {
    b->tier = argument[5] == 'c';
    return COH_OK;
  }
  bool known;
  COH_TRY(bench_option_read(options, sizeof options / sizeof *options, argument, &known));
  if (known) return COH_OK;
  return coh_fail(COH_E_CONFIG, "unknown argument '%s'", argument);
}

int main(int n_arguments, char **argument) {
  bench b = {.env_name = "minatar_breakout",
             .batch = 32,
             .n_lanes = 1,
             .n_envs = 4,
             .capacity = 100000,
             .chunk = 64,
             .cache = 8,
             .n_samples = 31};
  coh_status status = coh_world_open(&b.world);
  for (int i = 1; i < n_arguments && status == COH_OK; i++)
    status = read_argument(&b, argument[i]);
  if (status == COH_OK) status = run(&b);
  if (status != COH_OK) fprintf(stderr, "bench_replay: %s\n", coh_error_message());
  coh_world_close(&b.world);
  return coh_status_exit_code(status);
}
