/* Models against what textbooks and other packages publish. */

#include <string.h>

#include "base/alloc.h"
#include "base/choice.h"
#include "cohort/env.h"
#include "cohort/mdp.h"
#include "tests_mdp.h"

static void forest_is_pymdptoolbox(void **state) {
  (void)state;
  const double discount[2] = {0.9, 0.96};
  const double expected[2][3] = {{26.244, 29.484, 33.484}, {74.6496, 78.1056, 82.1056}};
  for (int k = 0; k < 2; k++) {
    coh_mdp *mdp;
    assert_ok(coh_mdp_make_forest(3, 4.0, 2.0, 0.1, discount[k], &mdp));
    coh_mdp_solution solution;
    assert_ok(coh_mdp_solve(mdp, NULL, &solution));
    for (int s = 0; s < 3; s++) {
      assert_within(solution.values[s], expected[k][s], 1e-9 * expected[k][s]);
      assert_int_equal(solution.choice[s], 0);
    }
    assert_true(solution.width <= 1e-7);
    coh_mdp_solution_clear(&solution);
    coh_mdp_destroy(&mdp);
  }
}

static void car_rental_is_the_textbooks(void **state) {
  (void)state;
  coh_mdp *mdp;
  assert_ok(coh_mdp_make_car_rental(20, 5, 0.9, &mdp));
  coh_mdp_solution solution;
  assert_ok(coh_mdp_solve(mdp, NULL, &solution));
  assert_within(solution.values[0], 421.4141, 5e-5);
  assert_within(solution.values[10 * 21 + 10], 574.9483, 5e-5);
  assert_within(solution.values[20 * 21 + 20], 636.9896, 5e-5);
  coh_mdp_solution_clear(&solution);
  coh_mdp_destroy(&mdp);
}

static void frozen_lake_is_known(void **state) {
  (void)state;
  static const char *const map[3] = {"frozen_lake", "frozen_lake", "{frozen_lake: {map: 8x8}}"};
  const double discount[3] = {0.99, 0.95, 0.99},
               expected[3] = {0.5420259320, 0.1804715784, 0.4146403618};
  for (int k = 0; k < 3; k++) {
    coh_choice choice = {0};
    assert_ok(coh_choice_parse("test", &coh_env_kinds, map[k], &choice));
    coh_mdp *mdp;
    assert_ok(coh_mdp_from_env(&choice, discount[k], &mdp));
    coh_mdp_solution solution;
    assert_ok(coh_mdp_solve(mdp, NULL, &solution));
    assert_within(solution.values[0], expected[k], 1e-10);
    coh_mdp_solution_clear(&solution);
    coh_mdp_destroy(&mdp);
    coh_choice_clear(&choice);
  }
}

/* Sutton and Barto's 4 x 4 world, example 4.1: both corners end it, -1 a step. */
static void random_walk_on_4x4(void **state) {
  (void)state;
  coh_mdp *mdp = small_gridworld();
  const double expected[16] = {0,   -14, -20, -22, -14, -18, -20, -20,
                               -20, -20, -18, -14, -22, -20, -14, 0};
  for (int method = 0; method < 2; method++) {
    double values[16] = {0};
    assert_ok(
        coh_mdp_evaluate(mdp, (coh_mdp_policy){0}, (coh_mdp_krylov)method, 1e-12, 1, values));
    for (int s = 0; s < 16; s++)
      assert_within(values[s], expected[s], 1e-9 * 22);
  }
  coh_mdp_destroy(&mdp);
}

/* Example 3.5 and 3.8: the 5 x 5 world of two jumps. */
static void jumping_world_5x5(void **state) {
  (void)state;
  coh_mdp *mdp = jumping_world();
  const double best[5] = {21.9775, 24.4194, 21.9775, 19.4194, 17.4775};
  const double random[5] = {3.309, 8.789, 4.428, 5.322, 1.492};
  coh_mdp_solution solution;
  assert_ok(coh_mdp_solve(mdp, NULL, &solution));
  double values[25] = {0};
  assert_ok(coh_mdp_evaluate(mdp, (coh_mdp_policy){0}, COH_MDP_BICGSTAB, 1e-12, 1, values));
  for (int s = 0; s < 5; s++) {
    assert_within(solution.values[s], best[s], 5e-5);
    assert_within(values[s], random[s], 5e-4);
  }
  assert_within(solution.values[24], 11.6797, 5e-5);
  coh_mdp_solution_clear(&solution);
  coh_mdp_destroy(&mdp);
}

/* <b, (I - g P)^-1 r> = <(I - g P^T)^-1 b, r>: visits and values tell the same return. */
static void visits_are_the_adjoint_of_values(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_mdp_random options = {3000, 3, 5, 100, 7, 0.97};
  assert_ok(coh_mdp_make_random(&options, &mdp));
  coh_mdp_incoming *incoming;
  assert_ok(coh_mdp_incoming_create(mdp, &incoming));
  double *values = coh_alloc_array(3000, sizeof *values);
  double *visits = coh_alloc_array(3000, sizeof *visits);
  double *start = coh_alloc_array(3000, sizeof *start);
  start[17] = 0.25;
  start[2900] = 0.75;
  assert_ok(coh_mdp_evaluate(mdp, (coh_mdp_policy){0}, COH_MDP_GMRES, 1e-12, 2, values));
  assert_ok(coh_mdp_visits(incoming, (coh_mdp_policy){0}, start, 1e-14, 2, visits));
  double from_visits = 0.0, mass = 0.0;
  for (int64_t s = 0; s < 3000; s++) {
    mass += visits[s];
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
      from_visits += visits[s] * mdp->reward[r] / 3.0;
  }
  assert_within(mass, 1.0 / (1.0 - 0.97), 1e-9);
  assert_within(from_visits, 0.25 * values[17] + 0.75 * values[2900], 1e-9);
  coh_free(values);
  coh_free(visits);
  coh_free(start);
  coh_mdp_incoming_destroy(&incoming);
  coh_mdp_destroy(&mdp);
}

/* Along a path that nothing leaves BiCGStab's recurrence breaks down: visits are powers of the
 * discount all the same. */
static void visits_along_a_path(void **state) {
  (void)state;
  enum { N = 400 };
  coh_mdp_builder *builder;
  coh_mdp *mdp;
  assert_ok(coh_mdp_build(N, 0.99, &builder));
  for (int64_t s = 0; s < N; s++) {
    assert_ok(coh_mdp_add_row(builder, s, 0, 1.0));
    assert_ok(coh_mdp_add_entry(builder, s + 1 < N ? s + 1 : s, 1.0, 0.0));
  }
  assert_ok(coh_mdp_finish(&builder, &mdp));
  coh_mdp_incoming *incoming;
  assert_ok(coh_mdp_incoming_create(mdp, &incoming));
  double *visits = coh_alloc_array(N, sizeof *visits),
         *start = coh_alloc_array(N, sizeof *start);
  start[0] = 1;
  assert_ok(coh_mdp_visits(incoming, (coh_mdp_policy){0}, start, 1e-12, 1, visits));
  for (int64_t s = 0; s < N; s++)
    assert_within(visits[s], pow(0.99, (double)s) / (s + 1 < N ? 1 : 0.01), 1e-9);
  coh_free(visits);
  coh_free(start);
  coh_mdp_incoming_destroy(&incoming);
  coh_mdp_destroy(&mdp);
}

/* The same bits on one and two threads, and the bound holds against a tighter solve. */
static void threads_do_not_matter(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_mdp_random options = {10000, 4, 6, 500, 3, 0.995};
  assert_ok(coh_mdp_make_random(&options, &mdp));
  coh_mdp_solution one, two, loose;
  assert_ok(coh_mdp_solve(mdp, &(coh_mdp_solve_options){.n_threads = 1}, &one));
  assert_ok(coh_mdp_solve(mdp, &(coh_mdp_solve_options){.n_threads = 2}, &two));
  assert_memory_equal(one.values, two.values, 10000 * sizeof(double));
  assert_memory_equal(one.choice, two.choice, 10000 * sizeof(int32_t));
  assert_ok(coh_mdp_solve(mdp, &(coh_mdp_solve_options){.tolerance = 0.1}, &loose));
  for (int s = 0; s < 10000; s++)
    assert_true(fabs(loose.values[s] - one.values[s]) <= 0.5 * (loose.width + one.width));
  coh_mdp_solution_clear(&one);
  coh_mdp_solution_clear(&two);
  coh_mdp_solution_clear(&loose);
  coh_mdp_destroy(&mdp);
}

static void faults_are_found_on_entry(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_mdp_builder *builder;
  assert_ok(coh_mdp_build(3, 0.9, &builder));
  assert_ok(coh_mdp_add_row(builder, 0, 0, 1.0));
  assert_fails(coh_mdp_add_entry(builder, 3, 0.5, 0.0), COH_E_DATA, "next state 3");
  assert_fails(coh_mdp_add_entry(builder, 1, -0.5, 0.0), COH_E_DATA, "not a probability");
  assert_fails(coh_mdp_add_entry(builder, 1, NAN, 0.0), COH_E_DATA, "not a probability");
  assert_fails(coh_mdp_add_entry(builder, 1, 0.5, NAN), COH_E_DATA, "reward");
  assert_ok(coh_mdp_add_entry(builder, 1, 0.5, 0.0));
  assert_fails(coh_mdp_add_row(builder, 2, 0, 0.0), COH_E_DATA, "state 1 has no action");
  assert_fails(coh_mdp_add_row(builder, 1, 0, 0.0), COH_E_DATA, "sum to 0.5");
  coh_mdp_discard(&builder);
  assert_ok(coh_mdp_build(2, 0.9, &builder));
  assert_ok(coh_mdp_add_terminal(builder, 0));
  assert_fails(coh_mdp_finish(&builder, &mdp), COH_E_DATA, "state 1 has no action");
  assert_fails(coh_mdp_build(2, 1.5, &builder), COH_E_DATA, "discount");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forest_is_pymdptoolbox),
      cmocka_unit_test(car_rental_is_the_textbooks),
      cmocka_unit_test(frozen_lake_is_known),
      cmocka_unit_test(random_walk_on_4x4),
      cmocka_unit_test(jumping_world_5x5),
      cmocka_unit_test(visits_are_the_adjoint_of_values),
      cmocka_unit_test(visits_along_a_path),
      cmocka_unit_test(threads_do_not_matter),
      cmocka_unit_test(faults_are_found_on_entry),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
