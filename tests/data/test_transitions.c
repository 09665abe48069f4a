/* Recorded behaviour through its files: what is written is read, what is wrong is named. */
#include "scratch.h"

#include "cohort/io.h"
#include "data/transitions.h"

// two episodes on two values; the second one is cut off
static void make(coh_transitions **t) {
  static const float way[] = {0.1f, -1, 1.5f, 2e-7f, 3, 4};
  assert_ok(coh_transitions_create("made", 2, 3, t));
  for (int i = 0; i < 4; i++) {
    coh_transition_row row = {
        .state = way + 2 * (i % 2),
        .next_state = way + 2 * (i % 2 + 1),
        .action = i % 3,
        .reward = 0.25f * (float)i,
        .terminated = i == 1,
        .truncated = i == 3,
    };
    assert_ok(coh_transitions_append(*t, &row));
  }
}

static void assert_same(const coh_transitions *a, const coh_transitions *b) {
  assert_int_equal(a->n_rows, b->n_rows);
  assert_int_equal(a->n_values, b->n_values);
  assert_int_equal(a->n_actions, b->n_actions);
  assert_int_equal(a->n_episodes, b->n_episodes);
  size_t n = (size_t)a->n_rows, wide = n * (size_t)a->n_values * sizeof(float);
  assert_memory_equal(a->states, b->states, wide);
  assert_memory_equal(a->next_states, b->next_states, wide);
  assert_memory_equal(a->actions, b->actions, n * sizeof *a->actions);
  assert_memory_equal(a->rewards, b->rewards, n * sizeof *a->rewards);
  assert_memory_equal(a->terminated, b->terminated, n);
  assert_memory_equal(a->truncated, b->truncated, n);
  assert_memory_equal(a->episodes, b->episodes, n * sizeof *a->episodes);
}

static void transitions_survive_every_file(void **state) {
  (void)state;
  const char *const paths[] = {"t.npz", "t.csv", "t/"};
  coh_transitions *made = NULL;
  make(&made);
  assert_int_equal(made->n_episodes, 2);
  for (size_t k = 0; k < sizeof paths / sizeof *paths; k++) {
    coh_transitions *read = NULL;
    assert_ok(coh_transitions_write(made, paths[k]));
    assert_ok(coh_transitions_read(paths[k], 3, &read));
    assert_same(made, read);
    coh_transition_row row = {.state = made->states, .next_state = made->states};
    assert_fails(coh_transitions_append(read, &row), COH_E_INTERNAL, "does not grow");
    coh_transitions_destroy(&read);
  }
  assert_fails(coh_transitions_write(made, "t.txt"), COH_E_CONFIG, "t.txt");
  coh_transitions_destroy(&made);
}

static void transitions_grow(void **state) {
  (void)state;
  coh_transitions *t = NULL;
  assert_ok(coh_transitions_create("made", 1, 1, &t));
  for (int i = 0; i < 5000; i++) {
    float from = (float)i, to = (float)i + 1;
    coh_transition_row row = {&from, &to, 0, 1, i % 10 == 9, false};
    assert_ok(coh_transitions_append(t, &row));
  }
  assert_int_equal(t->n_episodes, 500);
  for (int i = 0; i < 5000; i++) {
    assert_int_equal(t->states[i], i);
    assert_int_equal(t->episodes[i], i / 10);
  }
  coh_transitions_destroy(&t);
}

// the columns may stand in any order, and those that may be missing are filled
static void transitions_of_csv_fill_what_is_not_told(void **state) {
  (void)state;
  static const char text[] = "reward,action,state0,next_state0,terminated\n"
                             "1,0,0,1,0\n"
                             "1,1,1,2,0\n"
                             "1,0,7,8,0\n"
                             "1,0,8,9,1\n"
                             "1,0,9,9,1\n";
  scratch_write("t.csv", text, sizeof text - 1);
  coh_transitions *t = NULL;
  assert_ok(coh_transitions_read("t.csv", 0, &t));
  assert_int_equal(t->n_actions, 2);
  static const int64_t episodes[] = {0, 0, 1, 1, 2};
  assert_memory_equal(t->episodes, episodes, sizeof episodes);
  assert_int_equal(t->n_episodes, 3);
  assert_int_equal(t->truncated[0], 0);
  coh_transitions_destroy(&t);
}

static void refuse(const char *text, const char *message) {
  coh_transitions *t = NULL;
  scratch_write("bad.csv", text, strlen(text));
  assert_fails(coh_transitions_read("bad.csv", 2, &t), COH_E_DATA, message);
  assert_null(t);
}

#define HEADER "state0,action,reward,next_state0,terminated,truncated,episode\n"

static void transitions_name_what_is_wrong_and_where(void **state) {
  (void)state;
  refuse("", "bad.csv");
  refuse(HEADER, "bad.csv: holds no transitions");
  refuse(HEADER "0,0,1,1,0,0,0\n1,2,1,1,0,0,0\n", "bad.csv:3: action 2 is out of range");
  refuse(HEADER "0,-1,1,1,0,0,0\n", "bad.csv:2: action -1 is out of range");
  refuse(HEADER "0,0,nan,1,0,0,0\n", "bad.csv:2: reward: 'nan' is no finite number");
  refuse(HEADER "0,0,1e300,1,0,0,0\n", "bad.csv:2: the reward is not a finite number");
  refuse(HEADER "0,0.5,1,1,0,0,0\n", "bad.csv:2: action: 0.5 is no whole number");
  refuse(HEADER "0,0,1,1,2,0,0\n", "bad.csv:2: terminated is neither 0 nor 1");
  refuse(HEADER "0,0,1,1,1,0,0\n1,0,1,1,0,0,0\n", "bad.csv:3: goes on with an episode");
  refuse(HEADER "0,0,1,1,0,0,1\n1,0,1,1,0,0,0\n", "bad.csv:3: the number of the episode falls");
  refuse("state0,action,reward,next_state0\n0,0,1,1\n", "there is no column 'terminated'");
  refuse("state0,action,reward,next_state0,terminated,speed\n0,0,1,1,0,1\n", "6 columns; 5");
  coh_transitions *t = NULL;
  assert_fails(coh_transitions_read("absent.npz", 0, &t), COH_E_DATA, "absent.npz");
  assert_fails(coh_transitions_read("t.txt", 0, &t), COH_E_DATA, "t.txt");
}

static void transitions_of_arrays_must_fit_each_other(void **state) {
  (void)state;
  coh_transitions *made = NULL, *t = NULL;
  make(&made);
  assert_ok(coh_transitions_write(made, "fit/"));
  coh_transitions_destroy(&made);
  assert_fails(coh_transitions_read("fit", 2, &t), COH_E_DATA, "a problem with 3 actions");
  double actions[4] = {0, 1, 2, 0};
  coh_array array = {COH_DTYPE_F64, 1, {4}, actions};
  assert_ok(coh_npy_write("fit/actions.npy", &array));
  assert_fails(coh_transitions_read("fit", 3, &t), COH_E_DATA, "actions are real numbers");
  int64_t wide[4] = {0, 1, (int64_t)1 << 40, 0};
  array = (coh_array){COH_DTYPE_I64, 1, {4}, wide};
  assert_ok(coh_npy_write("fit/actions.npy", &array));
  assert_fails(coh_transitions_read("fit", 3, &t), COH_E_DATA, "row 2: action 2147483647");
  array.shape[0] = 3;
  assert_ok(coh_npy_write("fit/actions.npy", &array));
  assert_fails(coh_transitions_read("fit", 3, &t), COH_E_DATA, "actions has 3 rows");
  assert_int_equal(remove("fit/rewards.npy"), 0);
  assert_fails(coh_transitions_read("fit", 3, &t), COH_E_DATA, "has no rewards");
}

static void a_false_hdf5_file_is_named(void **state) {
  (void)state;
  coh_transitions *t = NULL;
  scratch_write("false.hdf5", "no such thing", 13);
  assert_fails(coh_transitions_read("false.hdf5", 0, &t), COH_E_DATA, "false.hdf5: ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(transitions_survive_every_file),
      cmocka_unit_test(transitions_grow),
      cmocka_unit_test(transitions_of_csv_fill_what_is_not_told),
      cmocka_unit_test(transitions_name_what_is_wrong_and_where),
      cmocka_unit_test(transitions_of_arrays_must_fit_each_other),
      cmocka_unit_test(a_false_hdf5_file_is_named),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
