/* Ranks: a replay spread over any number of ranks gives the rows, masses and saved bytes of one
 * that has all lanes on one rank. Every rank keeps such a whole copy to compare with. */
#include "cohort_test.h"

#include <string.h>

#include "base/alloc.h"
#include "cohort/comm.h"
#include "replay_model.h"
#include "replay_stream.h"

enum { LANES = 8, ENVS = 16, BATCH = 32, ROWS = BATCH / LANES };

static coh_world *world;

static float error_of(uint64_t transition, uint64_t update) {
  return (float)((transition * 31 + transition / 4294967296u * 7 + update) % 23) * 0.21f;
}

static void compare_lane(const coh_replay_config *config, const coh_replay_rows *a,
                         const coh_replay_rows *b) {
  size_t n_floats = (size_t)(ROWS * config->stack * config->n_values) * sizeof(float);
  size_t n_packed = (size_t)(ROWS * config->stack) * config->row_bytes;
  assert_memory_equal(a->states, b->states, n_floats);
  assert_memory_equal(a->next_states, b->next_states, n_floats);
  assert_memory_equal(a->packed_states, b->packed_states, n_packed);
  assert_memory_equal(a->packed_next, b->packed_next, n_packed);
  assert_memory_equal(a->actions, b->actions, ROWS * sizeof *a->actions);
  assert_memory_equal(a->returns, b->returns, ROWS * sizeof *a->returns);
  assert_memory_equal(a->discounts, b->discounts, ROWS * sizeof *a->discounts);
  assert_memory_equal(a->weights, b->weights, ROWS * sizeof *a->weights);
  assert_memory_equal(a->transitions, b->transitions, ROWS * sizeof *a->transitions);
}

typedef struct pair {
  coh_replay_config config, whole_config;
  coh_lanes lanes;
  coh_replay *spread, *whole;
  model ms, mw;
  model_buffers bs, bw;
} pair;

static void pair_begin(pair *p, int tier, bool prioritized, int n_threads) {
  coh_replay_config config = model_config(LANES, ENVS, 16 * 25, BATCH);
  if (tier == COH_REPLAY_COLD) model_make_cold(&config);
  config.options.chunk = 8;
  config.options.prioritized = prioritized;
  config.n_step = 3;
  config.stack = 2;
  p->whole_config = p->config = config;
  p->config.world = world;
  p->config.n_threads = n_threads;
  assert_ok(coh_lanes_split(world, LANES, &p->lanes));
  assert_ok(coh_replay_create(&p->config, &p->spread));
  assert_ok(coh_replay_create(&p->whole_config, &p->whole));
  model_begin(&p->ms, &p->config, 0.05);
  model_begin(&p->mw, &p->whole_config, 0.05);
  model_buffers_begin(&p->bs, &config, ROWS);
  model_buffers_begin(&p->bw, &config, ROWS);
}

static void pair_end(pair *p) {
  coh_replay_destroy(&p->spread);
  coh_replay_destroy(&p->whole);
  model_end(&p->ms);
  model_end(&p->mw);
  model_buffers_end(&p->bs);
  model_buffers_end(&p->bw);
}

static void pair_play(pair *p, uint64_t first, uint64_t n_rounds) {
  float errors[BATCH], own[BATCH];
  for (uint64_t update = first; update < first + n_rounds; update++) {
    model_step(&p->ms, p->spread, p->lanes.first, p->lanes.n_local);
    model_step(&p->mw, p->whole, 0, LANES);
    if (update < 4) continue;
    assert_ok(coh_replay_refresh(p->spread));
    assert_ok(coh_replay_refresh(p->whole));
    assert_int_equal(coh_replay_sampleable(p->spread), coh_replay_sampleable(p->whole));
    assert_ok(coh_replay_draw(p->spread, update, 0.5));
    assert_ok(coh_replay_draw(p->whole, update, 0.5));
    for (int64_t lane = 0; lane < LANES; lane++) {
      assert_ok(coh_replay_gather(p->whole, update, lane, &p->bw.rows));
      for (int i = 0; i < ROWS; i++)
        errors[lane * ROWS + i] = error_of(p->bw.rows.transitions[i], update);
      int64_t local = lane - p->lanes.first;
      if (local < 0 || local >= p->lanes.n_local) continue;
      assert_ok(coh_replay_gather(p->spread, update, lane, &p->bs.rows));
      compare_lane(&p->config, &p->bs.rows, &p->bw.rows);
      for (int i = 0; i < ROWS; i++)
        own[local * ROWS + i] = error_of(p->bs.rows.transitions[i], update);
    }
    assert_ok(coh_replay_write_back(p->whole, update, errors));
    assert_ok(coh_replay_write_back(p->spread, update, own));
  }
}

// what a lane saves is the same on any layout: frames, priorities, counters
static void compare_saved(pair *p) {
  for (int64_t lane = p->lanes.first; lane < p->lanes.first + p->lanes.n_local; lane++) {
    stream a = {0}, b = {0};
    assert_ok(coh_replay_save_lane(p->spread, lane, stream_write, &a));
    assert_ok(coh_replay_save_lane(p->whole, lane, stream_write, &b));
    assert_int_equal(a.n_bytes, b.n_bytes);
    assert_memory_equal(a.data, b.data, a.n_bytes);
    coh_free(a.data);
    coh_free(b.data);
  }
}

static void rows_do_not_depend_on_ranks_or_threads(void **state) {
  (void)state;
  for (int tier = COH_REPLAY_HOT; tier <= COH_REPLAY_COLD; tier++)
    for (int prioritized = 0; prioritized < 2; prioritized++) {
      pair p;
      pair_begin(&p, tier, prioritized, 1 + prioritized);
      pair_play(&p, 0, 60);
      compare_saved(&p);
      pair_end(&p);
    }
}

static void a_save_loads_on_another_number_of_ranks(void **state) {
  (void)state;
  pair p;
  pair_begin(&p, COH_REPLAY_COLD, true, 1);
  pair_play(&p, 0, 40);
  // lanes of the copy on one rank go into a new one over all ranks, and the run goes on
  coh_replay_destroy(&p.spread);
  assert_ok(coh_replay_create(&p.config, &p.spread));
  for (int64_t lane = p.lanes.first; lane < p.lanes.first + p.lanes.n_local; lane++) {
    stream saved = {0};
    assert_ok(coh_replay_save_lane(p.whole, lane, stream_write, &saved));
    assert_ok(coh_replay_load_lane(p.spread, lane, stream_read, &saved));
    coh_free(saved.data);
  }
  pair_play(&p, 40, 30);
  // and lanes of all ranks go back into one on a single rank
  int size = coh_world_size(world);
  stream own = {0};
  for (int64_t lane = p.lanes.first; lane < p.lanes.first + p.lanes.n_local; lane++)
    assert_ok(coh_replay_save_lane(p.spread, lane, stream_write, &own));
  size_t *n_bytes = coh_alloc_array((size_t)size, sizeof *n_bytes), total = 0;
  assert_ok(coh_comm_allgather(world, &own.n_bytes, sizeof own.n_bytes, n_bytes));
  for (int rank = 0; rank < size; rank++)
    total += n_bytes[rank];
  stream all = {coh_alloc_array(total, 1), total, total, 0};
  assert_ok(coh_comm_allgather_varied(world, own.data, n_bytes, all.data));
  coh_replay_destroy(&p.whole);
  assert_ok(coh_replay_create(&p.whole_config, &p.whole));
  for (int64_t lane = 0; lane < LANES; lane++)
    assert_ok(coh_replay_load_lane(p.whole, lane, stream_read, &all));
  assert_int_equal(all.at, all.n_bytes);
  pair_play(&p, 70, 30);
  compare_saved(&p);
  coh_free(own.data);
  coh_free(all.data);
  coh_free(n_bytes);
  pair_end(&p);
}

static void all_ranks_agree_on_a_failure(void **state) {
  (void)state;
  coh_replay_config config = model_config(LANES, ENVS, 16 * 25, BATCH);
  config.world = world;
  config.options.memory = 1000;
  coh_replay *replay = NULL;
  assert_fails(coh_replay_create(&config, &replay), COH_E_CONFIG, "memory: allows 1000");
  assert_null(replay);
}

int main(void) {
  if (coh_world_open(&world) != COH_OK) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_do_not_depend_on_ranks_or_threads),
      cmocka_unit_test(a_save_loads_on_another_number_of_ranks),
      cmocka_unit_test(all_ranks_agree_on_a_failure),
  };
  int n_failed = cmocka_run_group_tests_name("replay_ranks", tests, NULL, NULL);
  coh_world_close(&world);
  if (coh_alloc_live() != 0) n_failed++;
  return n_failed;
}
