/* Demonstrations from files: what fits a model is taken, what does not is named. */
#include "cohort_test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cohort/mdp.h"
#include "task/irl/irl_demos.h"

// three states in a row; action 0 stays, action 1 goes right; the last one is terminal
static coh_mdp *make_corridor(void) {
  coh_mdp_builder *builder = NULL;
  coh_mdp *mdp = NULL;
  assert_ok(coh_mdp_build(3, 0.9, &builder));
  for (int64_t s = 0; s < 2; s++)
    for (int action = 0; action < 2; action++) {
      assert_ok(coh_mdp_add_row(builder, s, action, 1));
      assert_ok(coh_mdp_add_entry(builder, s + action, 1, 0));
    }
  assert_ok(coh_mdp_add_terminal(builder, 2));
  assert_ok(coh_mdp_finish(&builder, &mdp));
  return mdp;
}

static coh_status read_text(const char *rows, coh_irl_demos *demos) {
  char path[64];
  snprintf(path, sizeof path, "/tmp/cohort-irl-%d.csv", (int)getpid());
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fprintf(file, "state0,action,reward,next_state0,terminated,truncated%s", rows);
  fclose(file);
  coh_mdp *mdp = make_corridor();
  coh_irl_demos held = {0};
  coh_status status = coh_irl_demos_read(mdp, path, 100, 0, demos, &held);
  coh_irl_demos_clear(&held);
  coh_mdp_destroy(&mdp);
  unlink(path);
  return status;
}

static void trajectories_are_read(void **state) {
  (void)state;
  coh_irl_demos demos = {0};
  assert_ok(read_text("\n0,0,1,0,0,0\n0,1,1,1,0,0\n1,1,1,2,1,0\n1,0,1,1,0,1\n", &demos));
  assert_int_equal(demos.n_trajectories, 2);
  assert_int_equal(demos.n_steps, 4);
  assert_int_equal(demos.last[0], 2);
  assert_ok(coh_irl_demos_weigh(&demos, true));
  // by time: both first steps, then the longer one's others
  assert_int_equal(demos.uses.n_uses, 4);
  assert_int_equal(demos.use[0].time + demos.use[1].time, 0);
  assert_int_equal(demos.use[3].time, 2);
  double visits[3];
  coh_irl_demos_visits(&demos, 0.9, 3, visits);
  assert_within(visits[0], (1 + 0.9) / 2, 1e-15);
  assert_within(visits[1], (0.81 + 1) / 2, 1e-15);
  coh_irl_demos_clear(&demos);
}

static void what_does_not_fit_is_named(void **state) {
  (void)state;
  static const struct {
    const char *rows, *words;
  } bad[] = {
      {"\n0,1,1,1,0,0\n1,1,1,0,0,1\n",
       "trajectory 0, step 1: the model gives probability zero"},
      {",episode\n0,1,1,1,0,1,0\n0,1,1,1,0,0,1\n0,0,1,0,0,1,1\n",
       "trajectory 1, step 1 begins in state 0"},
      {"\n0,0,1,0,0,1\n7,0,1,7,0,1\n", "row 1 (trajectory 1): no state of the model"},
      {"\n0.5,0,1,0,0,1\n", "no state of the model"},
      {"\n0,5,1,0,0,1\n", "5"},
      {"\n2,1,1,2,0,1\n", "state 2 has no action 1"},
      {"\n0,0,nan,0,0,1\n", "no finite number"},
      {"\n", "no transitions"},
  };
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    coh_irl_demos demos = {0};
    assert_fails(read_text(bad[k].rows, &demos), COH_E_DATA, bad[k].words);
    coh_irl_demos_clear(&demos);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trajectories_are_read),
      cmocka_unit_test(what_does_not_fit_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
