/* Deep Q-learning against dynamic programming: on a small world whose action values are
 * computed here, from a model written down here, the whole task must learn those values. */
#include "world_at_hand.h"

#include "run/run_config.h"
#include "task/dqn/dqn.h"

enum { ROWS = 3, COLS = 4, N_CELLS = ROWS * COLS, N_ACTIONS = 4 };

// the 4 x 3 world of Russell and Norvig without slipping: a wall in the middle, two ends
static const char cells[] = "...+"
                            ".#.-"
                            "S...";
static const double gamma_ = 0.9, step_reward = -0.04;

static int next_cell(int cell, int action, double *reward, bool *ends) {
  static const int d_row[N_ACTIONS] = {-1, 0, 1, 0}, d_col[N_ACTIONS] = {0, 1, 0, -1};
  int row = cell / COLS + d_row[action], col = cell % COLS + d_col[action];
  int next = row * COLS + col;
  if (row < 0 || row >= ROWS || col < 0 || col >= COLS || cells[next] == '#') next = cell;
  *ends = cells[next] == '+' || cells[next] == '-';
  *reward = cells[next] == '+' ? 1 : cells[next] == '-' ? -1 : step_reward;
  return next;
}

static void solve(double q[N_CELLS][N_ACTIONS]) {
  memset(q, 0, N_CELLS * sizeof *q);
  for (int sweep = 0; sweep < 400; sweep++)
    for (int cell = 0; cell < N_CELLS; cell++)
      for (int action = 0; action < N_ACTIONS; action++) {
        double reward, best = -INFINITY;
        bool ends;
        int next = next_cell(cell, action, &reward, &ends);
        for (int a = 0; a < N_ACTIONS; a++)
          best = fmax(best, q[next][a]);
        q[cell][action] = reward + (ends ? 0 : gamma_ * best);
      }
}

// episodes are cut often, so that a truncation taken for an end would show as wrong values; all
// actions are random, so that every pair of state and action is seen
static const char config_text[] = "task: dqn\n"
                                  "lanes: 2\n"
                                  "steps: 16000\n"
                                  "env: {gridworld: {slip: 0, max_steps: 7}}\n"
                                  "optimizer: {adam: {learning_rate: 0.01}}\n"
                                  "loss: squared\n"
                                  "envs: 8\n"
                                  "rollout: 2\n"
                                  "train_every: 8\n"
                                  "learning_starts: 400\n"
                                  "batch: 64\n"
                                  "gamma: 0.9\n"
                                  "target: {every: 0, tau: 0.05}\n"
                                  "exploration: {start: 1, end: 1}\n"
                                  "replay: {capacity: 4000}\n"
                                  "evaluation: {episodes: 12}\n"; // rows for all cells

// a run without a driver
typedef struct trained {
  coh_run_config config;
  coh_run_context context;
  void *task;
} trained;

static void open_run(trained *run, const char *const *overrides, int64_t n_overrides) {
  *run = (trained){0};
  scratch_write("truth.yaml", config_text, sizeof config_text - 1);
  assert_ok(coh_run_config_read("truth.yaml", overrides, n_overrides, &run->config));
  run->context = (coh_run_context){
      .world = world,
      .lanes = {run->config.run->lanes, 0, run->config.run->lanes},
      .n_threads = 1,
      .seed = (uint64_t)run->config.run->seed,
      .steps = run->config.run->steps,
      .config_name = "truth.yaml",
  };
  assert_ok(run->config.task->create(&run->context, run->config.task_options, &run->task));
}

static void close_run(trained *run) {
  run->config.task->destroy(&run->task);
  coh_run_config_clear(&run->config);
}

static void learned_values(coh_dqn *dqn, float q[N_CELLS][N_ACTIONS]) {
  coh_workspace *workspace = NULL;
  assert_true(dqn->evaluate.n_rows * 2 >= N_CELLS);
  assert_ok(coh_workspace_create(dqn->evaluate.program, &workspace));
  assert_ok(coh_workspace_bind_parameters(workspace, dqn->params));
  float *input = coh_workspace_data(workspace, dqn->evaluate.input);
  for (int cell = 0; cell < N_CELLS; cell += (int)dqn->evaluate.n_rows) {
    int64_t n = dqn->evaluate.n_rows;
    memset(input, 0, (size_t)(n * N_CELLS) * sizeof *input);
    for (int64_t i = 0; i < n; i++)
      input[i * N_CELLS + cell + i] = 1;
    assert_ok(coh_program_run(dqn->evaluate.program, workspace));
    memcpy(q[cell], coh_workspace_data(workspace, dqn->evaluate.q),
           (size_t)(n * N_ACTIONS) * sizeof(float));
  }
  coh_workspace_destroy(&workspace);
}

static void learn(const char *const *overrides, int64_t n_overrides, double tolerance) {
  trained run;
  open_run(&run, overrides, n_overrides);
  while (run.config.task->position(run.task) < run.config.run->steps)
    assert_ok(run.config.task->step(run.task));
  double truth[N_CELLS][N_ACTIONS];
  float learned[N_CELLS][N_ACTIONS];
  solve(truth);
  learned_values(run.task, learned);
  for (int cell = 0; cell < N_CELLS; cell++) {
    if (cells[cell] != '.' && cells[cell] != 'S') continue;
    for (int action = 0; action < N_ACTIONS; action++)
      if (fabs((double)learned[cell][action] - truth[cell][action]) > tolerance)
        fail_msg("cell %d, action %d: learned %g, truth %g", cell, action,
                 (double)learned[cell][action], truth[cell][action]);
  }
  // the shortest way takes five steps: four at -0.04, one that pays 1
  coh_score score;
  assert_ok(coh_dqn_play(run.task, 0, &score));
  assert_within(score.mean, 1 + 4 * step_reward, 1e-6);
  assert_within(score.length, 5, 0);
  assert_within(score.low, score.high, 1e-6);
  assert_int_equal(score.n_episodes, 12);
  close_run(&run);
}

static void dqn_learns_the_action_values_of_a_small_world(void **state) {
  (void)state;
  const char *linear[] = {"network=[]"};
  learn(linear, 1, 0.02);
}

static void dqn_learns_them_with_a_dueling_network_and_double_targets(void **state) {
  (void)state;
  const char *overrides[] = {"network=[dense: 32, relu, dueling]", "double=true",
                             "optimizer.adam.learning_rate=3e-3"};
  learn(overrides, 3, 0.05);
}

static void dqn_learns_them_from_prioritized_replay(void **state) {
  (void)state;
  const char *overrides[] = {"network=[]", "replay.prioritized=true", "target.every=20",
                             "loss=huber"};
  learn(overrides, 4, 0.02);
}

// all values equal: always action 0 (up), against the edge, until the limit
static void dqn_evaluation_counts_steps_and_rewards(void **state) {
  (void)state;
  trained run;
  const char *overrides[] = {"env=cliff_walking", "initializer=zeros", "network=[]",
                             "evaluation={episodes: 5, max_steps: 50}"};
  open_run(&run, overrides, 4);
  coh_score score;
  assert_ok(coh_dqn_play(run.task, 0, &score));
  assert_within(score.mean, -50, 0);
  assert_within(score.length, 50, 0);
  assert_within(score.low, -50, 0);
  assert_within(score.worst, -50, 0);
  assert_int_equal(score.n_episodes, 6); // rounded up to the two lanes
  close_run(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dqn_learns_the_action_values_of_a_small_world),
      cmocka_unit_test(dqn_learns_them_with_a_dueling_network_and_double_targets),
      cmocka_unit_test(dqn_learns_them_from_prioritized_replay),
      cmocka_unit_test(dqn_evaluation_counts_steps_and_rewards),
  };
  return cmocka_run_group_tests(tests, scratch_world_enter, scratch_world_leave);
}
