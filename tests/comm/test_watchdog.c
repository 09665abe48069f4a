/* The watchdog ends a process that makes no progress, and only such a one. Each case is a
 * child process; this one opens no world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "comm/watchdog.h"

typedef int child_body(coh_world *world);

static int run_child(child_body *body) {
  pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stderr)) _exit(99);
    coh_world *world = NULL;
    if (coh_world_open(&world) != COH_OK) _exit(99);
    int code = body(world);
    coh_world_close(&world);
    _exit(coh_alloc_live() == 0 ? code : 98);
  }
  int state = 0;
  assert_int_equal(waitpid(child, &state, 0), child);
  assert_true(WIFEXITED(state));
  return WEXITSTATUS(state);
}

static void work(double seconds, coh_watchdog *watchdog) {
  double end = coh_clock_now() + seconds;
  while (coh_clock_now() < end)
    coh_watchdog_beat(watchdog);
}

static int makes_no_progress(coh_world *world) {
  coh_watchdog *watchdog;
  if (coh_watchdog_start(world, 0.1, &watchdog) != COH_OK) return 1;
  work(5.0, NULL);
  coh_watchdog_stop(&watchdog);
  return 0;
}

static int makes_progress(coh_world *world) {
  coh_watchdog *watchdog;
  if (coh_watchdog_start(world, 0.2, &watchdog) != COH_OK) return 1;
  work(0.6, watchdog);
  coh_watchdog_stop(&watchdog);
  work(0.3, NULL); // nobody watches any more
  return watchdog == NULL ? 0 : 1;
}

static int is_off(coh_world *world) {
  coh_watchdog *watchdog;
  if (coh_watchdog_start(world, 0, &watchdog) != COH_OK || watchdog != NULL) return 1;
  coh_watchdog_beat(watchdog);
  coh_watchdog_stop(&watchdog);
  return 0;
}

static void watchdog_ends_a_process_without_progress(void **state) {
  (void)state;
  assert_int_equal(run_child(makes_no_progress), 86);
}

static void watchdog_lets_a_process_with_progress_live(void **state) {
  (void)state;
  assert_int_equal(run_child(makes_progress), 0);
}

static void watchdog_of_zero_seconds_is_off(void **state) {
  (void)state;
  assert_int_equal(run_child(is_off), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(watchdog_ends_a_process_without_progress),
      cmocka_unit_test(watchdog_lets_a_process_with_progress_live),
      cmocka_unit_test(watchdog_of_zero_seconds_is_off),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
