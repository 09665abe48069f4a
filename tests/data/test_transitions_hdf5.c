/* D4RL and Minari files, written here by libhdf5 itself. */
#include "cohort_test.h"

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "data/transitions.h"

enum { N = 5, D = 2 };

static const char path[] = COHORT_BINARY_DIR "/transitions.hdf5";

static void put(hid_t group, const char *name, hid_t type, int n_dims, const hsize_t *side,
                const void *data) {
  hid_t space = H5Screate_simple(n_dims, side, NULL);
  hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(set >= 0);
  assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  H5Dclose(set);
  H5Sclose(space);
}

// the enumeration over a byte that h5py writes booleans as
static hid_t make_boolean(void) {
  int8_t no = 0, yes = 1;
  hid_t type = H5Tenum_create(H5T_NATIVE_INT8);
  H5Tenum_insert(type, "FALSE", &no);
  H5Tenum_insert(type, "TRUE", &yes);
  return type;
}

// two episodes: one terminates after two steps, one is cut after three
static void d4rl_files_are_read(void **state) {
  (void)state;
  const float observations[N][D] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8, 9}};
  const float next[N][D] = {{2, 3}, {-1, -1}, {6, 7}, {8, 9}, {10, 11}};
  const int64_t actions[N] = {0, 2, 1, 0, 1};
  const double rewards[N] = {0.5, 1, 0, 0, -1};
  const int8_t terminals[N] = {0, 1, 0, 0, 0}, timeouts[N] = {0, 0, 0, 0, 1};
  const hsize_t side[2] = {N, D};
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), flag = make_boolean();
  put(file, "observations", H5T_NATIVE_FLOAT, 2, side, observations);
  put(file, "next_observations", H5T_NATIVE_FLOAT, 2, side, next);
  put(file, "actions", H5T_NATIVE_INT64, 1, side, actions);
  put(file, "rewards", H5T_NATIVE_DOUBLE, 1, side, rewards);
  put(file, "terminals", flag, 1, side, terminals);
  put(file, "timeouts", flag, 1, side, timeouts);
  H5Tclose(flag);
  H5Fclose(file);
  coh_transitions *t = NULL;
  assert_ok(coh_transitions_read(path, 0, &t));
  assert_int_equal(t->n_rows, N);
  assert_int_equal(t->n_values, D);
  assert_int_equal(t->n_actions, 3);
  assert_int_equal(t->n_episodes, 2);
  assert_memory_equal(t->states, observations, sizeof observations);
  assert_memory_equal(t->next_states, next, sizeof next);
  for (int i = 0; i < N; i++) {
    assert_int_equal(t->actions[i], actions[i]);
    assert_within(t->rewards[i], rewards[i], 0);
    assert_int_equal(t->terminated[i], terminals[i]);
    assert_int_equal(t->truncated[i], timeouts[i]);
  }
  coh_transitions_destroy(&t);
}

// groups of T + 1 observations and T of everything else
static void minari_files_are_read(void **state) {
  (void)state;
  const hsize_t wide[2] = {3, D}, steps[1] = {2};
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), flag = make_boolean();
  for (int k = 0; k < 2; k++) {
    char name[32];
    snprintf(name, sizeof name, "episode_%d", k);
    hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    float observations[3][D];
    for (int i = 0; i < 3 * D; i++)
      observations[i / D][i % D] = (float)(10 * k + i);
    const int64_t actions[2] = {1, k};
    const double rewards[2] = {0, k};
    const int8_t ended[2] = {0, (int8_t)k}, cut[2] = {0, (int8_t)(1 - k)};
    put(group, "observations", H5T_NATIVE_FLOAT, 2, wide, observations);
    put(group, "actions", H5T_NATIVE_INT64, 1, steps, actions);
    put(group, "rewards", H5T_NATIVE_DOUBLE, 1, steps, rewards);
    put(group, "terminations", flag, 1, steps, ended);
    put(group, "truncations", flag, 1, steps, cut);
    H5Gclose(group);
  }
  H5Tclose(flag);
  H5Fclose(file);
  coh_transitions *t = NULL;
  assert_ok(coh_transitions_read(path, 2, &t));
  assert_int_equal(t->n_rows, 4);
  assert_int_equal(t->n_episodes, 2);
  for (int i = 0; i < 4; i++) {
    assert_within(t->states[i * D], 10 * (i / 2) + D * (i % 2), 0);
    assert_within(t->next_states[i * D], 10 * (i / 2) + D * (i % 2 + 1), 0);
  }
  assert_int_equal(t->truncated[1], 1);
  assert_int_equal(t->terminated[3], 1);
  coh_transitions_destroy(&t);
}

static void damaged_files_are_refused(void **state) {
  (void)state;
  coh_transitions *t = NULL;
  const hsize_t side[2] = {N, D};
  const float observations[N][D] = {{0}};
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  put(file, "observations", H5T_NATIVE_FLOAT, 2, side, observations);
  put(file, "actions", H5T_NATIVE_FLOAT, 2, side, observations);
  H5Fclose(file);
  assert_fails(coh_transitions_read(path, 0, &t), COH_E_DATA, "transitions.hdf5: ");
  FILE *other = fopen(path, "wb");
  fputs("this is no HDF5", other);
  fclose(other);
  assert_fails(coh_transitions_read(path, 0, &t), COH_E_DATA, "is no HDF5 file");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(d4rl_files_are_read),
      cmocka_unit_test(minari_files_are_read),
      cmocka_unit_test(damaged_files_are_refused),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return failed || coh_alloc_live() != 0;
}
