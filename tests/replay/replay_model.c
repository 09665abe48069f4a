/* The model: lists and loops, no rings, no trees. */
#include "replay_model.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "cohort_test.h"

__extension__ typedef unsigned __int128 wide;

void model_expand(const void *context, int64_t n, const void *rows, float *values) {
  const coh_replay_config *config = context;
  for (int64_t i = 0; i < n; i++) {
    const uint8_t *row = (const uint8_t *)rows + (size_t)i * config->row_bytes;
    for (int64_t k = 0; k < config->n_values; k++)
      *values++ = (float)(row[k / 8] >> (k % 8) & 1);
  }
}

static const coh_replay_config expand_shape = {.row_bytes = 6, .n_values = 48};
static const coh_replay_config wide_shape = {.row_bytes = 64, .n_values = 510};

coh_replay_config model_config(int64_t n_lanes, int64_t n_envs, int64_t capacity,
                               int64_t batch) {
  return (coh_replay_config){
      .options = {.capacity = capacity,
                  .memory = 1 << 30,
                  .tier = COH_REPLAY_HOT,
                  .chunk = 16,
                  .cache = 3,
                  .episode = 4,
                  .alpha = 0.6,
                  .epsilon = 1e-6},
      .seed = 11,
      .n_threads = 1,
      .n_lanes = n_lanes,
      .n_envs = n_envs,
      .batch = batch,
      .in_flight = 2,
      .row_bytes = 6,
      .n_values = 48,
      .n_channels = 3,
      .n_actions = 300,
      .n_step = 1,
      .stack = 1,
      .gamma = 0.9,
      .expand = model_expand,
      .expand_context = &expand_shape,
  };
}

void model_make_cold(coh_replay_config *config) {
  config->row_bytes = wide_shape.row_bytes;
  config->n_values = wide_shape.n_values;
  config->expand_context = &wide_shape;
  config->options.tier = COH_REPLAY_COLD;
}

void model_begin(model *m, const coh_replay_config *config, double end_rate) {
  *m = (model){.config = *config, .end_rate = end_rate, .known_max = 1u << 20};
  m->n_kept = config->options.capacity / config->n_envs;
  m->n_places = m->n_kept + config->stack - 1;
  m->env = coh_alloc_array((size_t)config->n_envs, sizeof *m->env);
  m->lane_max = coh_alloc_array((size_t)config->n_lanes, sizeof *m->lane_max);
  assert_non_null(m->env);
  assert_non_null(m->lane_max);
  for (int64_t i = 0; i < config->n_lanes; i++)
    m->lane_max[i] = 1u << 20;
}

void model_end(model *m) {
  coh_free(m->env);
  coh_free(m->lane_max);
}

void model_frame(const model *m, int64_t env, int64_t row, uint8_t *out) {
  // a few things that move over a fixed ground, as in a game
  size_t n_bytes = m->config.row_bytes;
  for (size_t i = 0; i < n_bytes; i++)
    out[i] = (uint8_t)((size_t)env * 37 + i * 11);
  coh_stream stream = coh_stream_begin(coh_key_make(3, "frame"), (uint32_t)env, (uint64_t)row);
  for (int k = 0; k < 3; k++)
    out[coh_stream_u32(&stream) % n_bytes] ^= (uint8_t)(1u << (coh_stream_u32(&stream) % 8));
}

static int64_t lane_of(const model *m, int64_t env) {
  return env / (m->config.n_envs / m->config.n_lanes);
}

void model_step(model *m, coh_replay *replay, int64_t first_lane, int64_t n_local) {
  uint8_t frame[4096], final_frame[4096];
  int64_t per_lane = m->config.n_envs / m->config.n_lanes;
  for (int64_t i = 0; i < m->config.n_envs; i++) {
    model_env *env = m->env + i;
    assert_true(env->n < MODEL_MOST);
    coh_stream stream =
        coh_stream_begin(coh_key_make(5, "step"), (uint32_t)i, (uint64_t)env->n);
    int64_t number = env->n++;
    env->action[number] = (int32_t)coh_stream_below(&stream, m->config.n_actions);
    env->reward[number] = (float)coh_stream_normal(&stream);
    int64_t low = m->config.reward_low, n_rewards = m->config.reward_high - low + 1;
    if (n_rewards > 1)
      env->reward[number] = (float)(low + coh_stream_below(&stream, n_rewards));
    bool ends = coh_stream_uniform(&stream) < m->end_rate;
    env->end[number] = ends ? 1 + (int)coh_stream_below(&stream, 2) : 0;
    env->row[number] = env->n_rows;
    env->n_rows += env->end[number] == 2 ? 2 : 1; // a cut episode shows one frame more

    // the window is complete n steps later, or when the episode ends
    int64_t lane = i / per_lane;
    uint32_t mass = m->lane_max[lane] > m->known_max ? m->lane_max[lane] : m->known_max;
    while (env->n_ready < (ends ? env->n : env->n - m->config.n_step))
      env->mass[env->n_ready++] = mass;

    if (lane < first_lane || lane >= first_lane + n_local) continue;
    model_frame(m, i, env->row[number], frame);
    model_frame(m, i, env->row[number] + 1, final_frame);
    coh_transition transition = {.frame = frame,
                                 .action = env->action[number],
                                 .reward = env->reward[number],
                                 .terminated = env->end[number] == 1,
                                 .truncated = env->end[number] == 2,
                                 .final_frame = env->end[number] == 2 ? final_frame : NULL};
    assert_ok(coh_replay_append(replay, lane, i % per_lane, &transition));
  }
}

void model_note_refresh(model *m) {
  for (int64_t lane = 0; lane < m->config.n_lanes; lane++)
    if (m->lane_max[lane] > m->known_max) m->known_max = m->lane_max[lane];
}

void model_window(const model *m, int64_t env, int64_t *first, int64_t *end) {
  int64_t n = m->env[env].n;
  *first = n > m->n_kept ? n - m->n_kept : 0;
  *end = m->env[env].n_ready;
}

static uint64_t mass_of(const model *m, int64_t env, int64_t number) {
  return m->config.options.prioritized ? m->env[env].mass[number] : 1;
}

void model_pick(const model *m, uint64_t update, int64_t j, int64_t *env, int64_t *number,
                uint32_t *mass) {
  uint64_t total = 0;
  int64_t first, end;
  for (int64_t i = 0; i < m->config.n_envs; i++) {
    model_window(m, i, &first, &end);
    for (int64_t k = first; k < end; k++)
      total += mass_of(m, i, k);
  }
  coh_stream stream =
      coh_stream_begin(coh_key_make(m->config.seed, "sample"), (uint32_t)j, update);
  wide scaled = ((wide)(uint64_t)j << 64) + coh_stream_u64(&stream); // (j + u) 2^64
  // floor(scaled * total / (batch 2^64)), in two halves that do not overflow
  wide high = (scaled >> 64) * total, low = (scaled & UINT64_MAX) * total;
  uint64_t target = (uint64_t)((high + (low >> 64)) / (uint64_t)m->config.batch);
  for (int64_t i = 0; i < m->config.n_envs; i++) {
    model_window(m, i, &first, &end);
    for (int64_t place = 0; place < m->n_places; place++) {
      for (int64_t k = first; k < end; k++) {
        if (k % m->n_places != place) continue;
        if (target < mass_of(m, i, k)) {
          *env = i, *number = k, *mass = (uint32_t)mass_of(m, i, k);
          return;
        }
        target -= mass_of(m, i, k);
      }
    }
  }
  fail_msg("the target lies beyond all masses");
}

// the stack that ends with frame `row`, `depth` frames into its episode
static void stack_of(const model *m, int64_t env, int64_t row, int64_t depth, uint8_t *out) {
  size_t n_bytes = m->config.row_bytes;
  for (int64_t k = 0; k < m->config.stack; k++) {
    int64_t back = m->config.stack - 1 - k;
    if (back > depth)
      memset(out + (size_t)k * n_bytes, 0, n_bytes);
    else
      model_frame(m, env, row - back, out + (size_t)k * n_bytes);
  }
}

void model_fetch(const model *m, int64_t env, int64_t number, model_row *row) {
  const model_env *e = m->env + env;
  int64_t start = number;
  while (start > 0 && e->end[start - 1] == 0)
    start--;
  double sum = 0;
  int64_t steps = 0;
  int end = 0;
  while (steps < m->config.n_step && !end) {
    sum += pow(m->config.gamma, (double)steps) * (double)e->reward[number + steps];
    end = e->end[number + steps++];
  }
  row->returned = (float)sum;
  row->discount = end == 1 ? 0.0f : (float)pow(m->config.gamma, (double)steps);
  row->action = e->action[number];
  stack_of(m, env, e->row[number], number - start, row->state);
  if (end == 1)
    memset(row->after, 0, (size_t)m->config.stack * m->config.row_bytes);
  else
    stack_of(m, env, e->row[number] + steps, number - start + steps, row->after);
}

void model_set_error(model *m, int64_t env, int64_t number, float error) {
  int64_t first, end;
  model_window(m, env, &first, &end);
  if (number < first || number >= end) return;
  const coh_replay_options *options = &m->config.options;
  double mass = round(pow(fabs((double)error) + options->epsilon, options->alpha) * 1048576);
  if (mass < 1) mass = 1;
  m->env[env].mass[number] = (uint32_t)mass;
  uint32_t *most = m->lane_max + lane_of(m, env);
  if ((uint32_t)mass > *most) *most = (uint32_t)mass;
}

void model_buffers_begin(model_buffers *buffers, const coh_replay_config *config, int64_t n) {
  size_t rows = (size_t)n, stack = (size_t)config->stack;
  size_t n_floats = rows * stack * (size_t)config->n_values;
  buffers->n = n;
  buffers->rows = (coh_replay_rows){
      .states = coh_alloc_array(n_floats, sizeof(float)),
      .next_states = coh_alloc_array(n_floats, sizeof(float)),
      .packed_states = coh_alloc_array(rows * stack, config->row_bytes),
      .packed_next = coh_alloc_array(rows * stack, config->row_bytes),
      .actions = coh_alloc_array(rows, sizeof(int32_t)),
      .returns = coh_alloc_array(rows, sizeof(float)),
      .discounts = coh_alloc_array(rows, sizeof(float)),
      .weights = coh_alloc_array(rows, sizeof(float)),
      .transitions = coh_alloc_array(rows, sizeof(uint64_t)),
  };
}

void model_buffers_end(model_buffers *buffers) {
  coh_replay_rows *rows = &buffers->rows;
  void *blocks[] = {rows->states,      rows->next_states, rows->packed_states,
                    rows->packed_next, rows->actions,     rows->returns,
                    rows->discounts,   rows->weights,     rows->transitions};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
    coh_free(blocks[i]);
}

// expanded floats are the packed bits, frames side by side in the channels
static void check_floats(const model *m, const uint8_t *packed, const float *floats) {
  int64_t n_channels = m->config.n_channels, stack = m->config.stack;
  for (int64_t k = 0; k < stack; k++)
    for (int64_t i = 0; i < m->config.n_values; i++) {
      int64_t pixel = i / n_channels, channel = i % n_channels;
      float bit =
          (float)(packed[(size_t)k * m->config.row_bytes + (size_t)i / 8] >> (i % 8) & 1);
      float found = floats[(pixel * stack + k) * n_channels + channel];
      if (found != bit) fail_msg("value %d of frame %d is %g", (int)i, (int)k, (double)found);
    }
}

void model_check_lane(const model *m, coh_replay *replay, uint64_t update, double beta,
                      int64_t lane, model_buffers *buffers) {
  const coh_replay_config *config = &m->config;
  coh_replay_rows *rows = &buffers->rows;
  int64_t n = config->batch / config->n_lanes, env, number;
  int64_t per_lane = config->n_envs / config->n_lanes;
  uint32_t mass, least = UINT32_MAX;
  for (int64_t j = 0; j < config->batch; j++) {
    model_pick(m, update, j, &env, &number, &mass);
    if (mass < least) least = mass;
  }
  assert_ok(coh_replay_gather(replay, update, lane, rows));
  size_t n_bytes = (size_t)config->stack * config->row_bytes;
  for (int64_t i = 0; i < n; i++) {
    model_pick(m, update, lane * n + i, &env, &number, &mass);
    uint64_t id =
        (uint64_t)(env / per_lane) << 48 | (uint64_t)(env % per_lane) << 32 | (uint64_t)number;
    assert_int_equal(rows->transitions[i], id);
    model_row row;
    model_fetch(m, env, number, &row);
    const uint8_t *state = (const uint8_t *)rows->packed_states + (size_t)i * n_bytes;
    const uint8_t *after = (const uint8_t *)rows->packed_next + (size_t)i * n_bytes;
    assert_memory_equal(state, row.state, n_bytes);
    assert_memory_equal(after, row.after, n_bytes);
    check_floats(m, state, rows->states + i * config->stack * config->n_values);
    check_floats(m, after, rows->next_states + i * config->stack * config->n_values);
    assert_int_equal(rows->actions[i], row.action);
    // powers are multiplied up in the library and taken by pow here
    assert_float_equal(rows->returns[i], row.returned, 1e-5);
    assert_float_equal(rows->discounts[i], row.discount, 1e-6);
    double weight = config->options.prioritized ? pow((double)least / mass, beta) : 1;
    assert_float_equal(rows->weights[i], weight, 1e-6);
  }
}
