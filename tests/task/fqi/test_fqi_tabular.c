/* Fitted Q-iteration on complete batches of finite worlds, where a regressor that can tell all
 * states apart makes it value iteration: the planner's certified values are the answer. */
#include "world_at_hand.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/mdp.h"
#include "task/fqi/fqi.h"

// every transition of a model as often as its probability says, in `shares` parts of one
static void write_batch(const coh_mdp *mdp, int64_t shares, const char *path) {
  int64_t n = mdp->n_states;
  coh_transitions *batch = NULL;
  float *state = test_calloc((size_t)n, sizeof *state),
        *next = test_calloc((size_t)n, sizeof *next);
  assert_ok(coh_transitions_create("model", n, mdp->n_actions, &batch));
  for (int64_t s = 0; s < n; s++) {
    if (coh_mdp_is_terminal(mdp, s)) continue;
    state[s] = 1;
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
      for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++) {
        double part = mdp->probability[e] * (double)shares;
        int64_t times = (int64_t)(part + 0.5);
        assert_within(part, times, 1e-9);
        next[mdp->next[e]] = 1;
        // the model knows the mean reward of a row; that is all that values depend on
        coh_transition_row row = {.state = state,
                                  .next_state = next,
                                  .action = mdp->action[r],
                                  .reward = (float)mdp->reward[r],
                                  .terminated = coh_mdp_is_terminal(mdp, mdp->next[e]),
                                  .truncated = !coh_mdp_is_terminal(mdp, mdp->next[e])};
        for (int64_t k = 0; k < times; k++)
          assert_ok(coh_transitions_append(batch, &row));
        next[mdp->next[e]] = 0;
      }
    state[s] = 0;
  }
  assert_ok(coh_transitions_write(batch, path));
  coh_transitions_destroy(&batch);
  test_free(state), test_free(next);
}

// the values that a run of so many iterations finds, beside V*
static void compare(const coh_mdp *mdp, const char *path, const char *regressor, int steps) {
  char yaml[1024];
  snprintf(yaml, sizeof yaml, "{batch: %s, gamma: %.17g, regressor: %s, cloning: {epochs: 0}}",
           path, mdp->discount, regressor);
  coh_config *config = NULL;
  coh_fqi_options options;
  assert_ok(coh_config_parse("test", yaml, strlen(yaml), &config));
  assert_ok(coh_options_fill(coh_fqi_option_table, config, &options));
  coh_config_destroy(&config);
  coh_run_context context = {.seed = 1, .n_threads = 1, .steps = steps, .config_name = "test"};
  context.world = world;
  assert_ok(coh_lanes_split(context.world, 2, &context.lanes));
  void *task = NULL;
  assert_ok(coh_fqi_create(&context, &options, &task));
  for (int k = 0; k < steps; k++)
    assert_ok(coh_fqi_step(task));

  coh_mdp_solution best;
  assert_ok(coh_mdp_solve(mdp, NULL, &best));
  int64_t n = mdp->n_states, n_actions = mdp->n_actions;
  const coh_fqi *fqi = task;
  float *states = test_calloc((size_t)(n * n), sizeof *states);
  double *q = test_calloc((size_t)(n * n_actions), sizeof *q);
  for (int64_t s = 0; s < n; s++)
    states[s * n + s] = 1;
  assert_ok(fqi->regressor.type->values(fqi->regressor.state, n, states, q));
  for (int64_t s = 0; s < n; s++)
    if (!coh_mdp_is_terminal(mdp, s))
      assert_within(q[s * n_actions + coh_greedy(q + s * n_actions, n_actions)], best.values[s],
                    1e-6);
  coh_mdp_solution_clear(&best);
  test_free(states), test_free(q);
  coh_fqi_destroy(&task);
  coh_options_clear(coh_fqi_option_table, &options);
}

static const char table[] =
    "{ridge: {ridge: 1e-9, basis: {polynomial: {degree: 1, constant: false}}}}";
static const char trees[] = "{extra_trees: {trees: 2, min_rows: 2}}";

static void make_env_model(const char *name, double discount, coh_mdp **mdp) {
  coh_choice choice;
  assert_ok(coh_choice_make(&coh_env_kinds, name, &choice));
  assert_ok(coh_mdp_from_env(&choice, discount, mdp));
  coh_choice_clear(&choice);
}

static void frozen_lake_has_the_planners_values(void **state) {
  (void)state;
  const char *path = COHORT_BINARY_DIR "/fqi_frozen_lake.npz";
  coh_mdp *mdp = NULL;
  make_env_model("frozen_lake", 0.95, &mdp);
  write_batch(mdp, 3, path);
  compare(mdp, path, table, 300);
  compare(mdp, path, trees, 300);
  coh_mdp_destroy(&mdp);
}

static void gridworld_has_the_planners_values(void **state) {
  (void)state;
  const char *path = COHORT_BINARY_DIR "/fqi_gridworld.npz";
  coh_mdp_grid grid = {.n_rows = 5,
                       .n_cols = 6,
                       .slip = 0.2,
                       .step_reward = -0.0625,
                       .goal_reward = 1,
                       .obstacles = 0.1,
                       .seed = 3,
                       .discount = 0.9};
  coh_mdp *mdp = NULL;
  assert_ok(coh_mdp_make_grid(&grid, &mdp));
  write_batch(mdp, 10, path);
  compare(mdp, path, table, 160);
  compare(mdp, path, trees, 160);
  coh_mdp_destroy(&mdp);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(frozen_lake_has_the_planners_values),
      cmocka_unit_test(gridworld_has_the_planners_values),
  };
  return cmocka_run_group_tests(tests, world_enter, world_leave);
}
