/* Every method reaches the same answer inside its bound, with the same bits on two threads. */
#include <string.h>

#include "base/alloc.h"
#include "base/choice.h"
#include "mdp/mdp_chain.h"
#include "mdp/mdp_components.h"
#include "mdp/plan.h"
#include "tests_mdp.h"

static const char *const methods[] = {
    "value_iteration",
    "{value_iteration: {sweep: gauss_seidel}}",
    "{value_iteration: {sweep: sor}}",
    "{value_iteration: {sweep: sor, omega: 1.9}}",
    "{modified_policy_iteration: {sweep: jacobi}}",
    "modified_policy_iteration",
    "{modified_policy_iteration: {sweep: sor}}",
    "policy_iteration",
    "{policy_iteration: {solver: gmres}}",
    "{policy_iteration: {solver: jacobi}}",
    "{policy_iteration: {solver: gauss_seidel}}",
    "{policy_iteration: {solver: sor}}",
    "inexact_policy_iteration",
    "{inexact_policy_iteration: {solver: gmres}}",
    "{inexact_policy_iteration: {solver: jacobi}}",
    "{inexact_policy_iteration: {solver: gauss_seidel}}",
    "{inexact_policy_iteration: {solver: sor}}",
    "{policy_iteration: {solver: aggregation}}",
    "{inexact_policy_iteration: {solver: aggregation}}",
    "aggregation",
    "anderson",
    "topological",
    "prioritized",
};
enum { N_METHODS = sizeof methods / sizeof *methods };

static coh_mdp_plan *solved(const coh_mdp *mdp, const char *method, int n_threads,
                            bool minimize, double tolerance) {
  coh_choice choice = {0};
  coh_mdp_plan *plan = NULL;
  assert_ok(coh_choice_parse("test", &coh_mdp_method_kinds, method, &choice));
  coh_mdp_solve_options options = {minimize, tolerance, n_threads};
  assert_ok(coh_mdp_plan_create(mdp, &choice, &options, &plan));
  while (!plan->is_done)
    if (coh_mdp_plan_step(plan) != COH_OK) fail_msg("%s: %s", method, coh_error_message());
  coh_choice_clear(&choice);
  return plan;
}

/* all methods against a tighter solution */
static void compare(const coh_mdp *mdp, bool minimize, double tolerance) {
  size_t bytes = (size_t)mdp->n_states * sizeof(double);
  coh_mdp_solution truth;
  coh_mdp_solve_options options = {minimize, 1e-3 * tolerance, 1};
  assert_ok(coh_mdp_solve(mdp, &options, &truth));
  for (int k = 0; k < N_METHODS; k++) {
    coh_mdp_plan *one = solved(mdp, methods[k], 1, minimize, tolerance);
    coh_mdp_plan *two = solved(mdp, methods[k], 2, minimize, tolerance);
    assert_memory_equal(one->values, two->values, bytes);
    assert_true(one->width <= tolerance);
    for (int64_t s = 0; s < mdp->n_states; s++)
      if (!(fabs(one->values[s] - truth.values[s]) <= 0.5 * (one->width + truth.width)))
        fail_msg("%s: state %lld: %.17g, not %.17g", methods[k], (long long)s, one->values[s],
                 truth.values[s]);
    coh_mdp_plan_destroy(&one);
    coh_mdp_plan_destroy(&two);
  }
  coh_mdp_solution_clear(&truth);
}

static void random_rows_in_a_band(void **state) {
  (void)state;
  coh_mdp *mdp;
  assert_ok(coh_mdp_make_random(&(coh_mdp_random){2500, 2, 4, 200, 11, 0.95}, &mdp));
  compare(mdp, false, 1e-5);
  coh_mdp_destroy(&mdp);
}

static void slippery_grid(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_mdp_grid options = {.n_rows = 30,
                          .n_cols = 30,
                          .slip = 0.2,
                          .step_reward = -1,
                          .goal_reward = 10,
                          .obstacles = 0.15,
                          .seed = 5,
                          .discount = 0.95};
  assert_ok(coh_mdp_make_grid(&options, &mdp));
  compare(mdp, true, 1e-5);
  coh_mdp_destroy(&mdp);
}

/* the policy that was found is worth what was promised, by the chain that it makes */
static void the_policy_earns_its_value(void **state) {
  (void)state;
  coh_mdp *mdp, *chain;
  assert_ok(coh_mdp_make_random(&(coh_mdp_random){1000, 3, 5, 100, 3, 0.97}, &mdp));
  for (int k = 0; k < N_METHODS; k += 3) {
    coh_mdp_plan *plan = solved(mdp, methods[k], 1, false, 1e-7);
    assert_ok(coh_mdp_chain_make(mdp, (coh_mdp_policy){.choice = plan->choice}, &chain));
    coh_mdp_plan *worth =
        solved(chain, "{inexact_policy_iteration: {solver: gmres}}", 1, false, 1e-8);
    for (int64_t s = 0; s < mdp->n_states; s++)
      assert_true(worth->values[s] >= plan->values[s] - 1e-7);
    coh_mdp_plan_destroy(&worth);
    coh_mdp_plan_destroy(&plan);
    coh_mdp_destroy(&chain);
  }
  coh_mdp_destroy(&mdp);
}

/* two rings, one leading to the other, and a tail that leads to both */
static void components_come_after_what_they_lead_to(void **state) {
  (void)state;
  const uint32_t to[7][2] = {{1, 1}, {2, 4}, {0, 0}, {4, 4}, {3, 3}, {0, 3}, {5, 6}};
  coh_mdp_builder *builder;
  coh_mdp *mdp;
  assert_ok(coh_mdp_build(7, 0.9, &builder));
  for (int64_t s = 0; s < 7; s++) {
    assert_ok(coh_mdp_add_row(builder, s, 0, 0));
    assert_ok(coh_mdp_add_entry(builder, to[s][0], 0.5, 0));
    assert_ok(coh_mdp_add_entry(builder, to[s][1], 0.5, 0));
  }
  assert_ok(coh_mdp_finish(&builder, &mdp));
  coh_mdp_components found;
  assert_ok(coh_mdp_components_find(mdp, NULL, NULL, &found));
  assert_int_equal(found.n, 4);
  assert_true(found.of[0] == found.of[1] && found.of[1] == found.of[2]);
  assert_true(found.of[3] == found.of[4]);
  assert_true(found.of[3] < found.of[0] && found.of[0] < found.of[5] &&
              found.of[5] < found.of[6]);
  assert_int_equal(found.first[4], 7);
  coh_mdp_components_clear(&found);
  coh_mdp_destroy(&mdp);
}

static void a_tolerance_below_rounding_is_said(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_choice choice;
  coh_mdp_plan *plan;
  assert_ok(coh_mdp_make_forest(10, 4, 2, 0.1, 0.99, &mdp));
  assert_ok(coh_choice_parse("test", &coh_mdp_method_kinds, "policy_iteration", &choice));
  assert_ok(
      coh_mdp_plan_create(mdp, &choice, &(coh_mdp_solve_options){.tolerance = 1e-17}, &plan));
  coh_status status = COH_OK;
  while (status == COH_OK && !plan->is_done)
    status = coh_mdp_plan_step(plan);
  assert_fails(status, COH_E_DIVERGED, "rounding alone");
  coh_mdp_plan_destroy(&plan);
  coh_choice_clear(&choice);
  coh_mdp_destroy(&mdp);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_rows_in_a_band),
      cmocka_unit_test(slippery_grid),
      cmocka_unit_test(the_policy_earns_its_value),
      cmocka_unit_test(components_come_after_what_they_lead_to),
      cmocka_unit_test(a_tolerance_below_rounding_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
