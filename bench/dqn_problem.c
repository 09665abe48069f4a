/* Problems for bench_dqn. MinAtar and CartPole play at random to fill the replay. No
 * environment has Atari's frames, so `nature` is made with one that is never stepped, and its
 * replay is exchanged for one of random bytes that are scaled to floats when they are gathered:
 * what a wrapped Atari game would give. */
#include "dqn_problem.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "env/env_type.h"

enum { FRAME_SIDE = 84, FRAME_STACK = 4, FRAME_BYTES = FRAME_SIDE * FRAME_SIDE * FRAME_STACK };
enum { FRAME_TRANSITIONS = 4096, FRAME_POOL = 32, FRAME_EPISODE = 200 };

// learning_starts 0 and train_every 1: as many updates as are asked for
#define COMMON                                                                      \
  "learning_starts: 0\ntrain_every: 1\nexploration: {start: 1, end: 1}\nenvs: 64\n" \
  "target: {every: 1000}\n"
#define MINATAR                                                                                \
  COMMON "network: [conv: {channels: 16, kernel: 3}, relu, dense: 128, relu]\nbatch: 32\n"     \
         "optimizer: {rmsprop: {learning_rate: 2.5e-4, alpha: 0.95, epsilon: 0.01, centered: " \
         "true}}\nreplay: {capacity: 100_000}\n"
#define CARTPOLE                                                                \
  COMMON "env: cartpole\nbatch: 64\noptimizer: {adam: {learning_rate: 1e-4}}\n" \
         "replay: {capacity: 100_000}\n"

static const struct problem_text {
  const char *name, *config;
} problems[] = {
    {"minatar4", MINATAR "env: minatar_breakout\n"},
    {"minatar10", MINATAR "env: minatar_seaquest\n"},
    {"cartpole_small", CARTPOLE "network: [dense: 120, relu, dense: 84, relu]\n"},
    {"cartpole", CARTPOLE "network: [dense: 256, relu, dense: 256, relu]\n"},
    {"nature",
     COMMON "env: cartpole\nbatch: 32\nnetwork: [conv: {channels: 32, kernel: 8, stride: 4}, "
            "relu, conv: {channels: 64, kernel: 4, stride: 2}, relu, conv: {channels: 64, "
            "kernel: 3}, relu, dense: 512, relu]\noptimizer: {adam: {learning_rate: 1e-4}}\n"
            "replay: {capacity: 1024}\n"},
};

const char *dqn_problem_names(void) {
  return "minatar4, minatar10, cartpole_small, cartpole, nature";
}

/* ---- frames of the size of Atari's */

static coh_status frames_prepare(const void *options, coh_env_spec *spec, void **model) {
  (void)options, (void)model;
  spec->observation = COH_OBSERVATION_REAL;
  spec->n_dims = 3;
  spec->shape[0] = spec->shape[1] = FRAME_SIDE;
  spec->shape[2] = FRAME_STACK;
  spec->n_actions = 6;
  spec->render_width = spec->render_height = FRAME_SIDE;
  return COH_OK;
}

static void frames_reset(const void *model, void *state, coh_env_random *random) {
  (void)model, (void)state, (void)random;
}

static void frames_step(const coh_env_slice *slice) {
  memset(slice->observations, 0, (size_t)slice->n * slice->observation_bytes);
  memset(slice->rewards, 0, (size_t)slice->n * sizeof *slice->rewards);
  memset(slice->terminated, 0, (size_t)slice->n);
}

static void frames_observe(const void *model, const void *state, uint8_t *row) {
  (void)model, (void)state;
  memset(row, 0, FRAME_BYTES * sizeof(float));
}

static bool frames_valid(const void *model, const void *state) {
  (void)model, (void)state;
  return true;
}

static void frames_render(const void *model, const void *state, coh_canvas *canvas) {
  (void)model, (void)state, (void)canvas;
}

static const coh_env_type frames_type = {
    .kind = {.name = "frames", .doc = "Frames of the size of Atari's."},
    .state_bytes = 8,
    .prepare = frames_prepare,
    .reset = frames_reset,
    .step = frames_step,
    .observe = frames_observe,
    .valid = frames_valid,
    .render = frames_render,
};

static void expand_bytes(const void *context, int64_t n, const void *rows, float *values) {
  (void)context;
  const uint8_t *byte = rows;
  for (int64_t i = 0; i < n * FRAME_BYTES; i++)
    values[i] = (float)byte[i] * (1.0F / 255);
}

static coh_status fill_frames(coh_dqn *dqn) {
  uint8_t *pool;
  coh_status status = COH_OK;
  int64_t n_envs = dqn->options->envs, per_env = FRAME_TRANSITIONS / n_envs;
  COH_NEW(pool, FRAME_POOL * FRAME_BYTES);
  coh_stream stream = coh_stream_begin(coh_key_make(1, "frames"), 0, 0);
  for (int64_t i = 0; i < FRAME_POOL * FRAME_BYTES; i++)
    pool[i] = (uint8_t)coh_stream_below(&stream, 256);
  for (int64_t t = 0; t < per_env * 5 / 4; t++)
    for (int64_t env = 0; env < n_envs && status == COH_OK; env++) {
      int64_t lane = env / dqn->lane_envs, frame = coh_stream_below(&stream, FRAME_POOL);
      coh_transition transition = {
          .frame = pool + frame * FRAME_BYTES,
          .action = (int32_t)coh_stream_below(&stream, dqn->spec.n_actions),
          .reward = coh_stream_below(&stream, 10) == 0,
          .terminated = t % FRAME_EPISODE == FRAME_EPISODE - 1,
          .final_frame = pool,
      };
      status = coh_replay_append(dqn->replay, lane, env % dqn->lane_envs, &transition);
    }
  coh_free(pool);
  return status;
}

static coh_status exchange_replay(coh_dqn *dqn) {
  coh_replay_config config = {
      .options = dqn->options->replay,
      .seed = dqn->context->seed,
      .world = dqn->context->world,
      .n_lanes = dqn->context->lanes.n_lanes,
      .n_envs = dqn->options->envs,
      .batch = dqn->options->batch,
      .in_flight = 1,
      .n_threads = dqn->context->n_threads,
      .row_bytes = FRAME_BYTES,
      .n_values = FRAME_BYTES,
      .n_channels = FRAME_STACK,
      .n_actions = dqn->spec.n_actions,
      .n_step = 1,
      .stack = 1,
      .gamma = dqn->options->gamma,
      .expand = expand_bytes,
  };
  config.options.capacity = FRAME_TRANSITIONS;
  coh_replay_destroy(&dqn->replay);
  COH_TRY(coh_replay_create(&config, &dqn->replay));
  return fill_frames(dqn);
}

/* ---- the rest */

// act until the replay has been filled one and a quarter times
static coh_status play(coh_dqn *dqn) {
  int64_t n_steps = dqn->options->replay.capacity / dqn->options->envs * 5 / 4;
  while (dqn->n_steps < n_steps) {
    COH_TRY(coh_dqn_act(dqn, dqn->params, 1));
    COH_TRY(coh_dqn_store(dqn, 1));
    dqn->n_steps += dqn->options->rollout;
    dqn->learner_steps = dqn->n_steps;
  }
  return COH_OK;
}

static coh_status read_options(dqn_problem *problem, const struct problem_text *text) {
  coh_config *config = NULL;
  COH_TRY(coh_config_parse(text->name, text->config, strlen(text->config), &config));
  coh_status status = coh_options_fill(coh_dqn_option_table, config, &problem->options);
  coh_config_destroy(&config);
  return status;
}

coh_status dqn_problem_open(dqn_problem *problem, const char *name, coh_world *world,
                            int64_t n_lanes, int64_t batch, bool prioritized) {
  *problem = (dqn_problem){0};
  const struct problem_text *text = NULL;
  for (size_t k = 0; k < sizeof problems / sizeof *problems; k++)
    if (strcmp(problems[k].name, name) == 0) text = &problems[k];
  COH_CHECK(text, COH_E_CONFIG, "no problem '%s'; there are %s", name, dqn_problem_names());
  COH_TRY(read_options(problem, text));
  bool is_nature = strcmp(name, "nature") == 0;
  if (is_nature) {
    coh_choice_clear(&problem->options.env);
    problem->options.env.kind = &frames_type.kind;
  }
  if (batch) problem->options.batch = batch;
  problem->options.replay.prioritized = prioritized;
  problem->context = (coh_run_context){
      .world = world, .n_threads = 1, .seed = 1, .steps = INT64_MAX, .config_name = name};
  COH_TRY(coh_lanes_split(world, n_lanes, &problem->context.lanes));
  void *task = NULL;
  COH_TRY(coh_dqn_create(&problem->context, &problem->options, &task));
  problem->dqn = task;
  return is_nature ? exchange_replay(problem->dqn) : play(problem->dqn);
}

void dqn_problem_close(dqn_problem *problem) {
  void *task = problem->dqn;
  coh_dqn_destroy(&task);
  problem->dqn = NULL;
  coh_options_clear(coh_dqn_option_table, &problem->options);
}
