/* The certified optimum on models that are hard for it, and without the model in memory:
 * bounds hold, threads do not matter. */
#include "tests_mdp.h"

#include <string.h>

#include "base/alloc.h"
#include "cohort/mdp_rows.h"

/* Solved with every thread count to the same bits, and T V = V to the width. */
static void solve_all_ways(const coh_mdp *mdp, double tolerance) {
  coh_mdp_solution one, two;
  coh_mdp_solve_options options = {.tolerance = tolerance, .n_threads = 1};
  assert_ok(coh_mdp_solve(mdp, &options, &one));
  assert_true(one.width <= tolerance);
  options.n_threads = 3;
  assert_ok(coh_mdp_solve(mdp, &options, &two));
  size_t n = (size_t)mdp->n_states;
  assert_memory_equal(one.values, two.values, n * sizeof(double));
  assert_memory_equal(one.choice, two.choice, n * sizeof(int32_t));
  double *next = coh_alloc_array(n, sizeof *next), low, high;
  coh_mdp_sweep(mdp, false, 1, one.values, next, NULL, &low, &high);
  assert_true(fabs(low) <= tolerance && fabs(high) <= tolerance);
  coh_free(next);
  coh_mdp_solution_clear(&one);
  coh_mdp_solution_clear(&two);
}

/* Slow to mix: what the coarser chains are for. */
static void test_banded_models(void **state) {
  (void)state;
  const double discount[] = {0.9, 0.999, 0.99999, 0.999999};
  for (int k = 0; k < 4; k++) {
    coh_mdp_random random = {.n_states = 9000,
                             .n_actions = 3,
                             .n_successors = 6,
                             .band = 60,
                             .seed = 11,
                             .discount = discount[k]};
    coh_mdp *mdp;
    assert_ok(coh_mdp_make_random(&random, &mdp));
    solve_all_ways(mdp, 1e-6 / (1.0 - discount[k]));
    coh_mdp_destroy(&mdp);
  }
}

/* One reward far away, gains and costs, open and in a maze. */
static void test_rare_rewards(void **state) {
  (void)state;
  coh_mdp_grid grid = {.n_rows = 61, .n_cols = 61, .slip = 0.2, .goal_reward = 1, .seed = 2};
  for (int k = 0; k < 5; k++) {
    coh_mdp *mdp;
    grid.discount = k % 2 ? 0.9999 : 0.99;
    grid.maze = k / 2 == 1;
    grid.obstacles = k / 2 == 0 ? 0.25 : 0.0;
    grid.step_reward = k / 2 == 2 ? -1.0 : 0.0;
    grid.goal_reward = k / 2 == 2 ? 0.0 : 1.0;
    assert_ok(coh_mdp_make_grid(&grid, &mdp));
    solve_all_ways(mdp, 1e-7);
    coh_mdp_destroy(&mdp);
  }
}

/* A corridor without slip: V(d) = discount^(d - 1), d steps from the goal. */
static void test_corridor(void **state) {
  (void)state;
  coh_mdp_grid grid = {.n_rows = 1, .n_cols = 3000, .goal_reward = 1, .discount = 0.999};
  coh_mdp *mdp;
  coh_mdp_solution solution;
  coh_mdp_solve_options options = {.tolerance = 1e-10};
  assert_ok(coh_mdp_make_grid(&grid, &mdp));
  assert_ok(coh_mdp_solve(mdp, &options, &solution));
  for (int64_t s = 0; s < 2999; s++)
    assert_within(solution.values[s], pow(0.999, (double)(2998 - s)), 1e-10);
  coh_mdp_solution_clear(&solution);
  coh_mdp_destroy(&mdp);
}

/* The rows of a source are the model's, to the bit. */
static void assert_rows(const coh_mdp *mdp, const coh_mdp_source *source) {
  int64_t first_entry[8];
  uint32_t next[64];
  double probability[64], reward[8];
  int32_t action[8];
  coh_mdp_state_rows rows = {0, first_entry, next, probability, reward, action};
  assert_int_equal(source->n_states, mdp->n_states);
  for (int64_t s = 0; s < mdp->n_states; s++) {
    source->rows(source->context, s, &rows);
    int64_t row = mdp->first_row[s], e = mdp->first_entry[row];
    assert_int_equal(rows.n_rows, mdp->first_row[s + 1] - row);
    for (int64_t k = 0; k <= rows.n_rows; k++)
      assert_int_equal(rows.first_entry[k], mdp->first_entry[row + k] - e);
    size_t n = (size_t)rows.first_entry[rows.n_rows];
    assert_memory_equal(rows.next, mdp->next + e, n * sizeof *next);
    assert_memory_equal(rows.probability, mdp->probability + e, n * sizeof *probability);
    assert_memory_equal(rows.reward, mdp->reward + row, (size_t)rows.n_rows * sizeof *reward);
  }
}

static void test_sources_are_the_models(void **state) {
  (void)state;
  coh_mdp_grid grid = {.n_rows = 13,
                       .n_cols = 17,
                       .slip = 0.3,
                       .step_reward = -0.1,
                       .goal_reward = 2,
                       .obstacles = 0.3,
                       .seed = 4,
                       .discount = 0.9};
  coh_mdp_random random = {.n_states = 500,
                           .n_actions = 3,
                           .n_successors = 7,
                           .band = 50,
                           .seed = 3,
                           .discount = 0.9};
  coh_mdp *mdp;
  coh_mdp_source source;
  coh_mdp_grid_source *cells;
  assert_ok(coh_mdp_make_grid(&grid, &mdp));
  assert_ok(coh_mdp_grid_source_create(&grid, &cells, &source));
  assert_rows(mdp, &source);
  coh_mdp_source_of(mdp, &source);
  assert_rows(mdp, &source);
  coh_mdp_grid_source_destroy(&cells);
  coh_mdp_destroy(&mdp);
  assert_ok(coh_mdp_make_random(&random, &mdp));
  coh_mdp_random_source(&random, &source);
  assert_rows(mdp, &source);
  coh_mdp_destroy(&mdp);
}

/* Matrix-free: inside the bound at any number of sweeps, the same bits on any threads. */
static void test_matrix_free(void **state) {
  (void)state;
  coh_mdp_grid grid = {.n_rows = 90,
                       .n_cols = 110,
                       .slip = 0.2,
                       .goal_reward = 1,
                       .obstacles = 0.2,
                       .seed = 6,
                       .discount = 0.95};
  coh_mdp *mdp;
  coh_mdp_grid_source *cells;
  coh_mdp_source source;
  coh_mdp_solution exact, one, two;
  coh_mdp_solve_options options = {.tolerance = 1e-9};
  assert_ok(coh_mdp_make_grid(&grid, &mdp));
  assert_ok(coh_mdp_solve(mdp, &options, &exact));
  assert_ok(coh_mdp_grid_source_create(&grid, &cells, &source));
  const int64_t n_sweeps[] = {1, 2, 7, 40, 100000};
  for (int k = 0; k < 5; k++) {
    options.n_threads = 1;
    assert_ok(coh_mdp_solve_source(&source, &options, n_sweeps[k], &one));
    options.n_threads = 3;
    assert_ok(coh_mdp_solve_source(&source, &options, n_sweeps[k], &two));
    assert_memory_equal(one.values, two.values, (size_t)mdp->n_states * sizeof(double));
    assert_true(k < 4 || one.width <= 1e-9);
    for (int64_t s = 0; s < mdp->n_states; s++)
      assert_within(one.values[s], exact.values[s], 0.5 * (one.width + exact.width));
    coh_mdp_solution_clear(&one);
    coh_mdp_solution_clear(&two);
  }
  coh_mdp_solution_clear(&exact);
  coh_mdp_grid_source_destroy(&cells);
  coh_mdp_destroy(&mdp);
}

static void half_rows(const void *context, int64_t s, coh_mdp_state_rows *rows) {
  (void)context;
  rows->n_rows = 1;
  rows->first_entry[0] = 0, rows->first_entry[1] = 1;
  rows->next[0] = (uint32_t)s;
  rows->probability[0] = s == 5 ? 0.5 : 1.0;
  rows->reward[0] = 0.0;
  rows->action[0] = 0;
}

static void test_bad_source(void **state) {
  (void)state;
  coh_mdp_source source = {NULL, 9, 0.9, 1, 1, half_rows};
  coh_mdp_solution solution;
  assert_fails(coh_mdp_solve_source(&source, NULL, 4, &solution), COH_E_DATA, "state 5:");
  source.discount = 1.0;
  assert_fails(coh_mdp_solve_source(&source, NULL, 4, &solution), COH_E_DATA, "discount");
}

static int nothing_left(void **state) {
  (void)state;
  return coh_alloc_live() == 0 ? 0 : -1;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_banded_models), cmocka_unit_test(test_rare_rewards),
      cmocka_unit_test(test_corridor),      cmocka_unit_test(test_sources_are_the_models),
      cmocka_unit_test(test_matrix_free),   cmocka_unit_test(test_bad_source),
  };
  return cmocka_run_group_tests(tests, NULL, nothing_left);
}
