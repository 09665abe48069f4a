/* Readers and writers: files written by hand as Storm and PRISM write them, everything back as
 * it was, and each kind of bad input with its place. */
#include "scratch.h"
#include "tests_mdp.h"

static void put(const char *path, const char *text) {
  scratch_write(path, text, strlen(text));
}

static void refuse(const char *path, const char *text, const char *message) {
  coh_mdp *mdp = NULL;
  put(path, text);
  assert_fails(coh_mdp_open(path, NULL, &mdp), COH_E_DATA, message);
  assert_null(mdp);
}

static void assert_same(const coh_mdp *a, const coh_mdp *b) {
  assert_int_equal(a->n_states, b->n_states);
  assert_int_equal(a->n_rows, b->n_rows);
  assert_int_equal(a->n_entries, b->n_entries);
  assert_int_equal(a->n_actions, b->n_actions);
  assert_memory_equal(a->first_row, b->first_row, ((size_t)a->n_states + 1) * 8);
  assert_memory_equal(a->first_entry, b->first_entry, ((size_t)a->n_rows + 1) * 8);
  assert_memory_equal(a->next, b->next, (size_t)a->n_entries * 4);
  assert_memory_equal(a->probability, b->probability, (size_t)a->n_entries * 8);
  assert_memory_equal(a->action, b->action, (size_t)a->n_rows * 4);
}

/* Knuth and Yao's die of coin flips, as Storm exports it: states 7 to 12 are the six sides. */
static const char *die_drn = "// Exported by storm\n"
                             "// Original model type: DTMC\n"
                             "@type: DTMC\n"
                             "@parameters\n"
                             "\n"
                             "@reward_models\n"
                             "coin_flips \n"
                             "@nr_states\n"
                             "13\n"
                             "@nr_choices\n"
                             "13\n"
                             "@model\n"
                             "state 0 [1] init\n"
                             "//[s=0\t& d=0]\n"
                             "\taction 0 [0]\n"
                             "\t\t1 : 0.5\n"
                             "\t\t2 : 0.5\n"
                             "state 1 [1]\n\taction 0 [0]\n\t\t3 : 0.5\n\t\t4 : 0.5\n"
                             "state 2 [1]\n\taction 0 [0]\n\t\t5 : 1/2\n\t\t6 : 1/2\n"
                             "state 3 [1]\n\taction 0 [0]\n\t\t1 : 0.5\n\t\t7 : 0.5\n"
                             "state 4 [1]\n\taction 0 [0]\n\t\t8 : 0.5\n\t\t9 : 0.5\n"
                             "state 5 [1]\n\taction 0 [0]\n\t\t10 : 0.5\n\t\t11 : 0.5\n"
                             "state 6 [1]\n\taction 0 [0]\n\t\t2 : 0.5\n\t\t12 : 0.5\n"
                             "state 7 [0] one done\n\taction 0 [0]\n\t\t7 : 1\n"
                             "state 8 [0] done two\n\taction 0 [0]\n\t\t8 : 1\n"
                             "state 9 [0] done three\n\taction 0 [0]\n\t\t9 : 1\n"
                             "state 10 [0] done four\n\taction 0 [0]\n\t\t10 : 1\n"
                             "state 11 [0] done five\n\taction 0 [0]\n\t\t11 : 1\n"
                             "state 12 [0] done six\n\taction 0 [0]\n\t\t12 : 1\n";

static void assert_die(const coh_mdp *mdp, const char *side) {
  coh_mdp_bounds bounds;
  coh_mdp_solve_options options = {.tolerance = 1e-9};
  assert_int_equal(mdp->n_states, 13);
  assert_int_equal(mdp->n_entries, 20);
  assert_true(mdp->start[0] == 1.0);
  assert_ok(coh_mdp_reach(mdp, coh_mdp_label_find(mdp, side), &options, &bounds));
  assert_true(bounds.lower[0] <= 1.0 / 6 && bounds.upper[0] >= 1.0 / 6 && bounds.width < 1e-9);
  coh_mdp_bounds_clear(&bounds);
  // 11/3 flips
  assert_ok(coh_mdp_total_until(mdp, coh_mdp_label_find(mdp, "done"), &options, &bounds));
  assert_true(bounds.lower[0] <= 11.0 / 3 && bounds.upper[0] >= 11.0 / 3);
  coh_mdp_bounds_clear(&bounds);
}

static void test_drn_as_storm_writes_it(void **state) {
  (void)state;
  coh_mdp *mdp, *again;
  put("die.drn", die_drn);
  assert_ok(coh_mdp_open("die.drn", NULL, &mdp));
  assert_die(mdp, "four");
  assert_ok(coh_mdp_save(mdp, "die.tra"));
  assert_ok(coh_mdp_open("die.tra", NULL, &again));
  assert_same(mdp, again);
  assert_die(again, "six");
  coh_mdp_destroy(&again);
  coh_mdp_destroy(&mdp);
}

/* Rewards by name, on states and actions; actions with names; no @nr_choices. */
static void test_drn_rewards_and_actions(void **state) {
  (void)state;
  const char *text =
      "@type: MDP\n@value_type: double\n@reward_models\ntime cost\n@nr_states\n2\n"
      "@model\nstate 0 [1, 0.25] init\n\taction go [0, 2]\n\t\t0 : 0.125\n"
      "\t\t1 : 0.875\n\taction __NOLABEL__ [3,4]\n\t\t1 : 1\n"
      "state 1 [0, 0] end\n\taction stay [0, 0]\n\t\t1 : 1\n";
  coh_mdp *mdp;
  coh_mdp_file_options options = {.discount = 0.5, .reward = "cost"};
  put("two.drn", text);
  assert_ok(coh_mdp_open("two.drn", &options, &mdp));
  assert_true(mdp->discount == 0.5);
  assert_true(mdp->reward[0] == 2.25 && mdp->reward[1] == 4.25 && mdp->reward[2] == 0);
  assert_int_equal(mdp->action[1], 1);
  coh_mdp_destroy(&mdp);
  assert_ok(coh_mdp_open("two.drn", NULL, &mdp));
  assert_true(mdp->discount == 1.0 && mdp->reward[0] == 1.0 && mdp->reward[1] == 4.0);
  coh_mdp_destroy(&mdp);
  options.reward = "price";
  assert_fails(coh_mdp_open("two.drn", &options, &mdp), COH_E_DATA,
               "two.drn:4: no reward model is called 'price'");
}

/* The same die as PRISM exports a chain, with labels and rewards of states. */
static void test_prism_chain(void **state) {
  (void)state;
  put("coin.tra", "13 20\n0 1 0.5\n0 2 0.5\n1 3 0.5\n1 4 0.5\n2 5 0.5\n2 6 0.5\n3 1 0.5\n"
                  "3 7 0.5\n4 8 0.5\n4 9 0.5\n5 10 0.5\n5 11 0.5\n6 2 0.5\n6 12 0.5\n7 7 1\n"
                  "8 8 1\n9 9 1\n10 10 1\n11 11 1\n12 12 1\n");
  put("coin.lab", "0=\"init\" 1=\"deadlock\" 2=\"done\" 3=\"six\"\n0: 0\n7: 2\n8: 2\n9: 2\n"
                  "10: 2\n11: 2\n12: 2 3\n");
  put("coin.srew", "# Reward structure \"coin_flips\"\n# State rewards\n13 7\n0 1\n1 1\n2 1\n"
                   "3 1\n4 1\n5 1\n6 1\n");
  coh_mdp *mdp;
  assert_ok(coh_mdp_open("coin.tra", NULL, &mdp));
  assert_die(mdp, "six");
  coh_mdp_destroy(&mdp);
}

/* Choices, their names, and rewards of transitions. */
static void test_prism_choices(void **state) {
  (void)state;
  put("m.tra", "3 4 6\n0 0 0 0.25 wait\n0 0 1 0.75 wait\n0 1 2 1 go\n1 0 0 0.5\n1 0 2 0.5\n"
               "2 0 2 1\n");
  put("m.rew", "1 0.5\n");
  put("m.trew", "3 4 2\n0 0 1 8\n0 1 2 -2\n");
  coh_mdp *mdp;
  coh_mdp_file_options options = {.discount = 0.9};
  assert_ok(coh_mdp_open("m.tra", &options, &mdp));
  assert_true(mdp->reward[0] == 6.0 && mdp->reward[1] == -2.0 && mdp->reward[2] == 0.5);
  assert_true(coh_mdp_is_terminal(mdp, 2));
  coh_mdp_destroy(&mdp);
  put("m.trew", "3 4 1\n0 0 2 8\n");
  assert_fails(coh_mdp_open("m.tra", NULL, &mdp), COH_E_DATA,
               "m.trew:2: state 0, choice 0 does not lead to state 2");
  put("m.trew", "3 4 1\n1 1 2 8\n");
  assert_fails(coh_mdp_open("m.tra", NULL, &mdp), COH_E_DATA,
               "m.trew:2: state 1 has no choice 1");
  put("m.trew", "3 4 1\n0 0 1 inf\n");
  assert_fails(coh_mdp_open("m.tra", NULL, &mdp), COH_E_DATA, "m.trew:2: 'inf' is not");
  put("m.trew", "3 4 0\n");
  put("m.rew", "2 1\n1 1\n");
  assert_fails(coh_mdp_open("m.tra", NULL, &mdp), COH_E_DATA, "m.rew:2: state 1 comes after");
  put("m.rew", "0 1\n");
  put("m.lab", "0=\"init\" 2=\"x\"\n");
  assert_fails(coh_mdp_open("m.tra", NULL, &mdp), COH_E_DATA, "m.lab:1: label 1 is expected");
  put("m.lab", "0=\"init\"\n3: 0\n");
  assert_fails(coh_mdp_open("m.tra", NULL, &mdp), COH_E_DATA,
               "m.lab:2: '3': states are 0 to 2");
  put("m.lab", "0=\"init\"\n1: 1\n");
  assert_fails(coh_mdp_open("m.tra", NULL, &mdp), COH_E_DATA,
               "m.lab:2: the label's number is 1, not within 0 and 0");
}

/* Everything that a format can hold comes back with the same bits. */
static void test_round_trips(void **state) {
  (void)state;
  static const char *const path[] = {"r.tra", "r.drn", "r.csv", "r.npz"};
  coh_mdp *made[3], *mdp;
  assert_ok(coh_mdp_make_car_rental(4, 2, 0.9, &made[0]));
  coh_mdp_random random = {
      .n_states = 300, .n_actions = 3, .n_successors = 7, .seed = 5, .discount = 0.99};
  assert_ok(coh_mdp_make_random(&random, &made[1]));
  coh_mdp_grid grid = {.n_rows = 9,
                       .n_cols = 7,
                       .slip = 0.3,
                       .step_reward = -1,
                       .obstacles = 0.2,
                       .seed = 3,
                       .discount = 0.95};
  assert_ok(coh_mdp_make_grid(&grid, &made[2]));
  for (int m = 0; m < 3; m++) {
    for (int f = 0; f < 4; f++) {
      coh_mdp_file_options options = {.discount = f < 3 ? made[m]->discount : 0.0};
      assert_ok(coh_mdp_save(made[m], path[f]));
      assert_ok(coh_mdp_open(path[f], &options, &mdp));
      assert_same(made[m], mdp);
      assert_true(mdp->discount == made[m]->discount);
      for (int64_t r = 0; r < mdp->n_rows; r++)
        assert_within(mdp->reward[r], made[m]->reward[r],
                      f == 0 || f == 2 ? 1e-13 * fabs(mdp->reward[r]) : 0.0);
      if (f != 2) assert_int_equal(mdp->n_labels, made[m]->n_labels);
      if (m == 2 && f != 2) assert_true(mdp->start && mdp->start[0] == 1.0);
      if (m == 2 && f == 3) assert_memory_equal(mdp->picture.wall, made[m]->picture.wall, 63);
      coh_mdp_destroy(&mdp);
    }
    coh_mdp_destroy(&made[m]);
    for (int k = 0; k < 3; k++)
      unlink((const char *[]){"r.lab", "r.trew", "r.tra"}[k]);
  }
}

/* Jack's car rental through a file keeps its published answer. */
static void test_answer_through_file(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_mdp_solution solution;
  assert_ok(coh_mdp_make_car_rental(20, 5, 0.9, &mdp));
  assert_ok(coh_mdp_save(mdp, "jack.npz"));
  coh_mdp_destroy(&mdp);
  assert_ok(coh_mdp_open("jack.npz", NULL, &mdp));
  assert_ok(coh_mdp_solve(mdp, NULL, &solution));
  assert_within(solution.values[0], 421.4141, 5e-5);
  assert_within(solution.values[10 * 21 + 10], 574.9483, 5e-5);
  coh_mdp_solution_clear(&solution);
  coh_mdp_destroy(&mdp);
}

static void test_csv(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_mdp_file_options options = {.discount = 0.9};
  put("a.csv", "1,0,1,1\r\n0,1,1,0.5,4\n0,1,0,0.5,2\n0,0,1,1,-1\n");
  // lines in any order; a reward in some of them
  assert_ok(coh_mdp_open("a.csv", &options, &mdp));
  assert_int_equal(mdp->n_rows, 3);
  assert_true(mdp->reward[0] == -1.0 && mdp->reward[1] == 3.0 && mdp->reward[2] == 0.0);
  coh_mdp_destroy(&mdp);
  refuse("b.csv", "state,action,next,probability\n0,0,1,1\n", "b.csv:2: leads to state 1");
  refuse("b.csv", "0,0,0,0.5\n", "b.csv:1: state 0, action 0: probabilities sum to 0.5");
  refuse("b.csv", "0,0,0,0.5\n1,0,0,1\n0,0,1,0.4\n",
         "b.csv:3: state 0, action 0: probabilities sum to 0.9");
  refuse("b.csv", "0,0,0,-0.5\n", "b.csv:1: state 0, action 0: -0.5 is not a probability");
  refuse("b.csv", "0,0,0,nan\n", "b.csv:1: 'nan' is not the probability");
  refuse("b.csv", "0,0,-1,1\n", "b.csv:1: the next state is -1");
  refuse("b.csv", "0,0,,1\n", "b.csv:1: an empty field where the next state is expected");
  refuse("b.csv", "0,0,0,1,\n", "b.csv:1: nothing follows the last ','");
  refuse("b.csv", "0,0,0\n", "b.csv:1: the line ends where the probability");
  refuse("b.csv", "0,0,0,1,2,3\n", "b.csv:1: '3' follows");
  refuse("b.csv", "s,a,t,p\n", "b.csv: holds no transition");
  refuse("b.csv", "0,0,4000000000,1\n", "states");
  refuse("b.csv", "0,0,0,1,1e999\n", "b.csv:1: '1e999' is not the reward");
}

static void test_bad_prism(void **state) {
  (void)state;
  refuse("b.tra", "", "b.tra: is empty");
  refuse("b.tra", "2\n", "b.tra:1: 1 count in the first line");
  refuse("b.tra", "0 0 0\n", "a model has 1 to 2^32 - 1 states");
  refuse("b.tra", "2 2 2\n0 0 1 1\n", "b.tra:2: ends after 1 choices and 1 transitions");
  refuse("b.tra", "2 2 3\n0 0 1 0.5\n0 0 0 0.4\n1 0 1 1\n",
         "b.tra:3: state 0, action 0: probabilities sum to 0.9");
  refuse("b.tra", "2 2 2\n0 0 2 1\n1 0 1 1\n",
         "b.tra:2: the next state is 2, not within 0 and 1");
  refuse("b.tra", "3 2 2\n0 0 1 1\n2 0 1 1\n", "b.tra:3: state 1 has no action");
  refuse("b.tra", "2 2 2\n1 0 1 1\n0 0 1 1\n", "b.tra:2: state 0 has no action");
  refuse("b.tra", "2 2 2\n0 0 1 NaN\n1 0 1 1\n", "b.tra:2: 'NaN' is not the probability");
  refuse("b.tra", "2 2 2\n0 0 1 1.5\n1 0 1 1\n", "b.tra:2: state 0, action 0: 1.5 is not");
  refuse("b.tra", "2 2 2\n0 0 1\n1 0 1 1\n", "b.tra:2: the line ends where the probability");
  refuse("b.tra", "2 2 2\n0 0 1 1 a b\n1 0 1 1\n", "b.tra:2: 'b' follows");
}

static void test_bad_drn(void **state) {
  (void)state;
#define HEAD "@type: MDP\n@nr_states\n2\n@nr_choices\n2\n@model\n"
#define REST "state 1\n\taction 0\n\t\t1 : 1\n"
  refuse("b.drn", "@nr_states\n2\n@model\n", "b.drn:3: @type is missing");
  refuse("b.drn", "@type: CTMC\n", "b.drn:1: type 'CTMC'");
  refuse("b.drn", "@type: MDP\n@parameters\np q\n", "b.drn:3: parametric models are not read");
  refuse("b.drn", "@type: MDP\n@nr_states\n2\n", "b.drn:3: the file ends before @model");
  refuse("b.drn", HEAD "state 0\n" REST, "b.drn:8: state 0 has no action");
  refuse("b.drn", HEAD "state 0\n\taction 0\n\t\t1 : 0.5\n" REST,
         "b.drn:9: state 0, action 0: probabilities sum to 0.5");
  refuse("b.drn", HEAD "state 0\n\taction 0\n" REST, "b.drn:8: state 0, action 0: probab");
  refuse("b.drn", HEAD "state 0\n\taction 0\n\t\t5 : 1\n" REST, "b.drn:9: the next state is 5");
  refuse("b.drn", HEAD "state 0\n\taction 0\n\t\t1 = 1\n" REST, "b.drn:9: '=' where ':'");
  refuse("b.drn", HEAD "state 0\n\taction 0\n\t\t1 : -1\n" REST, "-1 is not a probability");
  refuse("b.drn", HEAD "state 0\n\taction 0\n\t\t1 : 1/0\n" REST, "b.drn:9: '1/0' is not");
  refuse("b.drn", HEAD "state 0\n\taction 0\n\t\t1 : 1\n", "b.drn:9: the file ends in state 0");
  refuse("b.drn", HEAD "state 0\n\taction 0\n\t\t1 : 1\n\taction 1\n\t\t1 : 1\n" REST,
         "the file ends after 3 choices");
  refuse("b.drn", HEAD "state 0 [1\n", "b.drn:7: rewards are not closed");
  refuse("b.drn", HEAD "state 0 [1]\n", "b.drn:7: 1 rewards; there are 0 models");
  refuse("b.drn", HEAD "state 1\n", "b.drn:7: state 1 comes after state -1");
}

static void test_bad_npz(void **state) {
  (void)state;
  coh_mdp *mdp;
  assert_ok(coh_mdp_make_gambler(10, 0.4, &mdp));
  mdp->next[3] = 77;
  assert_ok(coh_mdp_save(mdp, "b.npz"));
  coh_mdp *read = NULL;
  assert_fails(coh_mdp_open("b.npz", NULL, &read), COH_E_DATA, "b.npz: next[3] is 77");
  mdp->next[3] = 0;
  mdp->probability[2] = NAN;
  assert_ok(coh_mdp_save(mdp, "b.npz"));
  assert_fails(coh_mdp_open("b.npz", NULL, &read), COH_E_DATA, "nan is not a probability");
  coh_mdp_destroy(&mdp);
  // cut off: every length of a good file's beginning is refused, never believed
  assert_ok(coh_mdp_make_gambler(10, 0.4, &mdp));
  assert_ok(coh_mdp_save(mdp, "b.npz"));
  coh_mdp_destroy(&mdp);
  size_t n;
  char *bytes = scratch_read("b.npz", &n);
  for (size_t k = 1; k < n; k += 97) {
    scratch_write("cut.npz", bytes, k);
    assert_int_equal(coh_mdp_open("cut.npz", NULL, &read), COH_E_DATA);
  }
  coh_free(bytes);
  assert_fails(coh_mdp_open("model.txt", NULL, &read), COH_E_DATA, "models end in .tra");
  assert_fails(coh_mdp_open("absent.csv", NULL, &read), COH_E_DATA, "absent.csv: cannot open");
}

/* A file that is cut anywhere is refused, or is a whole model by chance: never a crash. */
static void test_cut_text(void **state) {
  (void)state;
  coh_mdp *mdp = NULL;
  for (size_t n = 1; n < strlen(die_drn); n += 3) {
    scratch_write("cut.drn", die_drn, n);
    coh_status status = coh_mdp_open("cut.drn", NULL, &mdp);
    assert_true(status == COH_E_DATA || n + 2 >= strlen(die_drn));
    coh_mdp_destroy(&mdp);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_drn_as_storm_writes_it),
      cmocka_unit_test(test_drn_rewards_and_actions),
      cmocka_unit_test(test_prism_chain),
      cmocka_unit_test(test_prism_choices),
      cmocka_unit_test(test_round_trips),
      cmocka_unit_test(test_answer_through_file),
      cmocka_unit_test(test_csv),
      cmocka_unit_test(test_bad_prism),
      cmocka_unit_test(test_bad_drn),
      cmocka_unit_test(test_bad_npz),
      cmocka_unit_test(test_cut_text),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
