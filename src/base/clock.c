/* Clocks over POSIX clock_gettime. */
#include "base/clock.h"

#include <time.h>

static double seconds_of(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

double coh_clock_now(void) {
  return seconds_of(CLOCK_MONOTONIC);
}

double coh_clock_thread(void) {
  return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double coh_clock_wall(void) {
  return seconds_of(CLOCK_REALTIME);
}
