/* Assertions for tests that run on several ranks.
 *
 * A cmocka assertion that fails on one rank leaves the others waiting in a collective call. So
 * a test notes what it sees with EXPECT, which never leaves the test, and ends with
 * assert_all_ranks, a collective: it fails on every rank if any rank noted a failure. Use
 * EXPECT_HERE_AND_THERE before code that only works if the condition held on all ranks. */
#ifndef COHORT_TESTS_MPI_TEST_H
#define COHORT_TESTS_MPI_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cohort/comm.h"

/* The world under test and this rank's failures in the running test. One a program. */
typedef struct mpi_test {
  coh_world *world;
  int64_t n_failures;
} mpi_test;

static mpi_test mpi_test_state;

static inline void mpi_test_note(int held, const char *condition, const char *file, int line) {
  if (held) return;
  mpi_test_state.n_failures++;
  if (mpi_test_state.n_failures <= 5)
    fprintf(stderr, "%s:%d: rank %d of %d: %s; last error: %s\n", file, line,
            coh_world_rank(mpi_test_state.world), coh_world_size(mpi_test_state.world),
            condition, coh_error_message());
}

/* Collective: the failures of all ranks; forgets them. */
static inline int64_t mpi_test_failures(void) {
  int64_t n = mpi_test_state.n_failures;
  mpi_test_state.n_failures = 0;
  if (coh_comm_reduce_int(mpi_test_state.world, COH_REDUCE_SUM, &n, 1) != COH_OK) return -1;
  return n;
}

/* Note a failure on this rank and go on. Not collective. */
#define EXPECT(condition) mpi_test_note((condition) ? 1 : 0, #condition, __FILE__, __LINE__)

/* End a test: fail on all ranks if EXPECT failed on any. Collective. */
#define assert_all_ranks() assert_int_equal(mpi_test_failures(), 0)

/* Note, and leave the test at once on all ranks if it failed on any. Collective. */
#define EXPECT_HERE_AND_THERE(condition) \
  do {                                   \
    EXPECT(condition);                   \
    assert_all_ranks();                  \
  } while (0)

/* Run a group of tests in an open world; the body of main. Only rank 0's cmocka speaks; other
 * ranks' failures are lines on stderr. Fails too when allocations are left at the end. */
#define mpi_test_main(tests) mpi_test_run(#tests, (tests), sizeof(tests) / sizeof *(tests))

static inline int mpi_test_run(const char *name, const struct CMUnitTest *tests,
                               size_t n_tests) {
  if (coh_world_open(&mpi_test_state.world) != COH_OK) {
    fprintf(stderr, "%s\n", coh_error_message());
    return 1;
  }
  if (coh_world_rank(mpi_test_state.world) != 0)
    if (!freopen("/dev/null", "w", stdout)) return 1;
  int n_failed = _cmocka_run_group_tests(name, tests, n_tests, NULL, NULL);
  coh_world_close(&mpi_test_state.world);
  if (coh_alloc_live() != 0) {
    fprintf(stderr, "%s: %lld allocations are not released\n", name,
            (long long)coh_alloc_live());
    return 1;
  }
  return n_failed ? 1 : 0;
}

#endif
