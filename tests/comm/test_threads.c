/* The choice of threads a rank and the words for it. */
#include "mpi_test.h"

#include <stdlib.h>
#include <string.h>

#include "comm/threads.h"

static int choose(int64_t asked, int64_t n_lanes) {
  coh_lanes lanes;
  int n_threads = -1;
  EXPECT(coh_lanes_split(mpi_test_state.world, n_lanes, &lanes) == COH_OK);
  EXPECT(coh_threads_choose(mpi_test_state.world, asked, &lanes, &n_threads) == COH_OK);
  return n_threads;
}

static void threads_follow_config_then_environment(void **state) {
  (void)state;
  int size = coh_world_size(mpi_test_state.world);
  setenv("OMP_NUM_THREADS", "3", 1);
  EXPECT(choose(0, 100 * size) == 3);
  EXPECT(choose(5, 100 * size) == 5);
  setenv("OMP_NUM_THREADS", "4,2", 1);
  EXPECT(choose(0, 100 * size) == 4);
  setenv("OMP_NUM_THREADS", "many", 1);
  EXPECT(choose(0, 100 * size) >= 1);
  unsetenv("OMP_NUM_THREADS");
  EXPECT(choose(0, 100 * size) >= 1);
  assert_all_ranks();
}

static void threads_are_never_more_than_local_lanes(void **state) {
  (void)state;
  int size = coh_world_size(mpi_test_state.world);
  EXPECT(choose(7, size) == 1);
  EXPECT(choose(7, 2 * size) == 2);
  assert_all_ranks();
}

static void threads_below_zero_are_refused(void **state) {
  (void)state;
  coh_lanes lanes;
  int n_threads;
  EXPECT(coh_lanes_split(mpi_test_state.world, 8, &lanes) == COH_OK);
  EXPECT(coh_threads_choose(mpi_test_state.world, -1, &lanes, &n_threads) == COH_E_CONFIG);
  assert_all_ranks();
}

static void threads_are_described(void **state) {
  (void)state;
  int size = coh_world_size(mpi_test_state.world);
  char text[128], expected[64];
  EXPECT(coh_threads_describe(mpi_test_state.world, 1, text) == COH_OK);
  snprintf(expected, sizeof expected, "%d rank%s x 1 thread on ", size, size == 1 ? "" : "s");
  EXPECT(strncmp(text, expected, strlen(expected)) == 0);
  EXPECT(coh_threads_describe(mpi_test_state.world,
                              1 + (coh_world_rank(mpi_test_state.world) == 0), text) == COH_OK);
  EXPECT(strstr(text, size == 1 ? " x 2 threads on " : " x 1-2 threads on ") != NULL);
  assert_all_ranks();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_follow_config_then_environment),
      cmocka_unit_test(threads_are_never_more_than_local_lanes),
      cmocka_unit_test(threads_below_zero_are_refused),
      cmocka_unit_test(threads_are_described),
  };
  return mpi_test_main(tests);
}
