/* Worlds of cells: dynamics against their tables, and the strict reader of maps. */
#include <math.h>
#include <stdio.h>

#include "env/grid_map.h"
#include "env_play.h"

static int64_t position(const env_play *play, int64_t i) {
  const uint8_t *row = play_row(play, i);
  int64_t found = -1;
  for (int64_t k = 0; k < play->spec->n_values; k++)
    if (row[k / 8] >> k % 8 & 1) {
      assert_int_equal(found, -1); // one cell is lit
      found = k;
    }
  return found;
}

static void go(env_play *play, int32_t action) {
  for (int64_t i = 0; i < play->n; i++)
    play->actions[i] = action;
  assert_ok(coh_env_step(play->env, play->actions, play->rows, play->rewards, play->terminated,
                         play->truncated));
}

static env_play begin_with(const char *name, const char *options, int64_t n) {
  coh_config *config;
  coh_choice choice = {.kind = coh_kind_find(&coh_env_kinds, name)};
  uint64_t storage[16] = {0};
  assert_true(choice.kind->options_size <= sizeof storage);
  assert_ok(coh_config_parse("options", options, strlen(options), &config));
  assert_ok(coh_options_fill(choice.kind->options, config, storage));
  coh_config_destroy(&config);
  choice.options = storage;
  env_play play = play_begin(name, n, 0, 1);
  coh_env_destroy(&play.env);
  assert_ok(coh_env_create(&choice, n, 0, 1, &play.env));
  coh_options_clear(choice.kind->options, storage);
  play.spec = coh_env_spec_of(play.env);
  coh_free(play.rows);
  play.rows = coh_alloc_array((size_t)n, play.spec->observation_bytes);
  coh_env_reset(play.env, play.rows);
  return play;
}

/* From the start, "right" (2) leads down, right or up (staying) with 1/3 each. */
static void frozen_lake_slips_to_either_side(void **state) {
  (void)state;
  enum { N = 30000 };
  env_play play = play_begin("frozen_lake", N, 0, 1);
  assert_int_equal(play.spec->time_limit, 100);
  go(&play, 2);
  int64_t n_stay = 0, n_right = 0, n_down = 0;
  for (int64_t i = 0; i < N; i++) {
    int64_t at = position(&play, i);
    n_stay += at == 0, n_right += at == 1, n_down += at == 4;
  }
  assert_int_equal(n_stay + n_right + n_down, N);
  double five_sigma = 5.0 * sqrt(N * 2.0 / 9.0);
  assert_within((double)n_stay, N / 3.0, five_sigma);
  assert_within((double)n_right, N / 3.0, five_sigma);
  assert_within((double)n_down, N / 3.0, five_sigma);
  play_end(&play);
}

static void frozen_lake_pays_at_the_goal_only(void **state) {
  (void)state;
  env_play play = begin_with("frozen_lake", "{slippery: false}", 1);
  static const int32_t path[] = {1, 1, 2, 2, 1, 2};
  static const int64_t cells[] = {4, 8, 9, 10, 14, 15};
  for (int k = 0; k < 6; k++) {
    go(&play, path[k]);
    assert_int_equal(position(&play, 0), cells[k]);
    assert_int_equal(play.terminated[0], k == 5);
    assert_true(play.rewards[0] == (k == 5 ? 1.0f : 0.0f));
  }
  coh_env_reset_ended(play.env, play.rows);
  go(&play, 1);
  go(&play, 2); // a hole
  assert_int_equal(play.terminated[0], 1);
  assert_true(play.rewards[0] == 0.0f);
  play_end(&play);
  play = begin_with("frozen_lake", "{map: 8x8}", 1);
  assert_int_equal(play.spec->n_values, 64);
  assert_int_equal(play.spec->time_limit, 200);
  play_end(&play);
}

static void cliff_walking_sends_back_from_the_cliff(void **state) {
  (void)state;
  env_play play = play_begin("cliff_walking", 1, 0, 1);
  assert_int_equal(position(&play, 0), 36);
  go(&play, 1); // into the cliff
  assert_int_equal(position(&play, 0), 36);
  assert_true(play.rewards[0] == -100.0f && !play.terminated[0]);
  go(&play, 3); // the edge
  assert_int_equal(position(&play, 0), 36);
  assert_true(play.rewards[0] == -1.0f);
  go(&play, 0);
  for (int k = 0; k < 11; k++)
    go(&play, 1);
  assert_int_equal(position(&play, 0), 35);
  go(&play, 2);
  assert_int_equal(position(&play, 0), 47);
  assert_true(play.rewards[0] == -1.0f && play.terminated[0]);
  play_end(&play);
}

static void gridworld_keeps_to_its_map(void **state) {
  (void)state;
  char options[512];
  snprintf(options, sizeof options,
           "{map: \"%s/configs/maps/four_rooms.txt\", slip: 0, step_reward: -0.5}",
           COHORT_SOURCE_DIR);
  env_play play = begin_with("gridworld", options, 1);
  assert_int_equal(play.spec->n_values, 169);
  assert_int_equal(position(&play, 0), 11 * 13 + 1);
  go(&play, 3); // a wall
  assert_int_equal(position(&play, 0), 11 * 13 + 1);
  assert_true(play.rewards[0] == -0.5f);
  static const struct {
    int32_t action;
    int times;
  } path[] = {{0, 1}, {1, 8}, {0, 8}, {1, 1}};
  for (size_t leg = 0; leg < sizeof path / sizeof path[0]; leg++)
    for (int k = 0; k < path[leg].times && !play.terminated[0]; k++)
      go(&play, path[leg].action);
  assert_int_equal(position(&play, 0), 2 * 13 + 10);
  assert_true(play.terminated[0] && play.rewards[0] == 1.0f);
  play_end(&play);
}

/* The textbook's 4 x 3 world: up from the start goes up with 0.8, to each side with 0.1. */
static void gridworld_slips_as_in_the_textbook(void **state) {
  (void)state;
  enum { N = 30000 };
  env_play play = play_begin("gridworld", N, 0, 3);
  go(&play, 0);
  int64_t n_up = 0, n_right = 0, n_stay = 0;
  for (int64_t i = 0; i < N; i++) {
    int64_t at = position(&play, i);
    n_up += at == 4, n_right += at == 9, n_stay += at == 8;
    assert_true(play.rewards[i] == -0.04f);
  }
  assert_int_equal(n_up + n_right + n_stay, N);
  assert_within((double)n_up, 0.8 * N, 5.0 * sqrt(0.16 * N));
  assert_within((double)n_right, 0.1 * N, 5.0 * sqrt(0.09 * N));
  play_end(&play);
}

static void gridworld_starts_are_equally_likely(void **state) {
  (void)state;
  enum { N = 9000 };
  static const char map[] = "goal G 1\nmap\nS.S\n#.G\nS..";
  coh_grid *grid;
  assert_ok(coh_grid_parse("map", map, strlen(map), 0.0f, &grid));
  assert_int_equal(grid->n_starts, 3);
  assert_int_equal(grid->starts[2], 6);
  coh_grid_release(grid);
  char path[512];
  snprintf(path, sizeof path, "%s/test_grid.map", COHORT_BINARY_DIR);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(map, file);
  fclose(file);
  char options[600];
  snprintf(options, sizeof options, "{map: \"%s\"}", path);
  env_play play = begin_with("gridworld", options, N);
  int64_t count[9] = {0};
  for (int64_t i = 0; i < N; i++)
    count[position(&play, i)]++;
  for (int k = 0; k < 9; k++)
    assert_within((double)count[k], k == 0 || k == 2 || k == 6 ? N / 3.0 : 0.0,
                  5.0 * sqrt(N * 2.0 / 9.0));
  play_end(&play);
  remove(path);
}

static void gridworld_reader_says_what_is_wrong_and_where(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } bad[] = {
      {"", "m:1:1: the file ends before"},
      {"goal G 1\n", "m:2:1: the file ends before"},
      {"gaol G 1\nmap\nSG\n", "m:1:1: expected"},
      {"goal G\nmap\nSG\n", "m:1:6: a goal is written"},
      {"goal G one\nmap\nSG\n", "m:1:8: 'one' is not a reward"},
      {"goal G nan\nmap\nSG\n", "m:1:8: 'nan' is not a reward"},
      {"goal G 1e999\nmap\nSG\n", "m:1:8: '1e999' is not a reward"},
      {"goal # 1\nmap\nSG\n", "m:1:6: '#' has a meaning already"},
      {"goal G 1\ngoal G 2\nmap\nSG\n", "m:2:6: 'G' has a meaning already"},
      {"goal G 1\nmap\n", "m:3:1: the map has no rows"},
      {"goal G 1\nmap\nSG\n..G\n", "m:4:4: a row of 3 cells below rows of 2"},
      {"goal G 1\nmap\nSG\n\n..\n", "m:4:1: an empty line"},
      {"goal G 1\nmap\nSG\n.x\n", "m:4:2: 'x' is neither"},
      {"goal G 1\nmap\n.G\n", "no start"},
      {"goal G 1\ngoal H 2\nmap\nSG\n", "m:2:6: goal 'H' is not on the map"},
      {"map\nS.\n", "no goal"},
      {"goal G 1\r\nmap\nSG\n", "m:1:9: byte 0x0d"},
      {"goal G 1\nmap\nS\tG\n", "m:3:2: byte 0x09"},
  };
  for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
    coh_grid *grid = NULL;
    assert_fails(coh_grid_parse("m", bad[k].text, strlen(bad[k].text), 0.0f, &grid), COH_E_DATA,
                 bad[k].message);
    assert_null(grid);
  }
}

/* No text makes the reader read or write out of bounds (run under ASan). */
static void gridworld_reader_survives_noise(void **state) {
  (void)state;
  static const char letters[] = "goal G 1\nmap\nS.G#;-\r x";
  coh_stream stream = coh_stream_begin(coh_key_make(2, "noise"), 0, 0);
  for (int trial = 0; trial < 20000; trial++) {
    char text[96];
    size_t n = (size_t)coh_stream_below(&stream, sizeof text);
    size_t head = trial % 2 && n > 13 ? 13 : 0;
    memcpy(text, letters, head);
    for (size_t k = head; k < n; k++)
      text[k] = letters[coh_stream_below(&stream, sizeof letters)];
    char *exact = coh_alloc_array(1, n + 1); // so that ASan sees the end
    memcpy(exact, text, n);
    coh_grid *grid;
    if (coh_grid_parse("noise", exact, n, 0.0f, &grid) == COH_OK) coh_grid_release(grid);
    coh_free(exact);
  }
}

static void gridworld_names_a_missing_map(void **state) {
  (void)state;
  coh_choice choice = {0};
  coh_env *env;
  assert_ok(coh_choice_make(&coh_env_kinds, "gridworld", &choice));
  char **map = choice.options; // the first option
  coh_free(*map);
  *map = coh_alloc_string("/nowhere/no.map");
  assert_fails(coh_env_create(&choice, 1, 0, 1, &env), COH_E_DATA, "/nowhere/no.map");
  coh_choice_clear(&choice);
}

static void grid_frees_what_it_allocates(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(frozen_lake_slips_to_either_side),
      cmocka_unit_test(frozen_lake_pays_at_the_goal_only),
      cmocka_unit_test(cliff_walking_sends_back_from_the_cliff),
      cmocka_unit_test(gridworld_keeps_to_its_map),
      cmocka_unit_test(gridworld_slips_as_in_the_textbook),
      cmocka_unit_test(gridworld_starts_are_equally_likely),
      cmocka_unit_test(gridworld_reader_says_what_is_wrong_and_where),
      cmocka_unit_test(gridworld_reader_survives_noise),
      cmocka_unit_test(gridworld_names_a_missing_map),
      cmocka_unit_test(grid_frees_what_it_allocates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
