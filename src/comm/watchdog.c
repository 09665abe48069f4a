/* The watchdog: a thread that counts its own wake-ups since the last beat.
 *
 * It counts wake-ups instead of reading a clock so that a process that was suspended and
 * continued is not taken for one that hangs. All signals stay with the main thread. */
#include "comm/watchdog.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

struct coh_watchdog {
  atomic_ullong n_beats;
  int64_t tick_ns; /* between wake-ups */
  int64_t n_ticks; /* without a beat until the end */
  char line[160];  /* what is said then */
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  bool stop;
};

// sleep a tick; true if the watchdog is to stop
static bool sleep_tick(coh_watchdog *watchdog) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  int64_t ns = until.tv_nsec + watchdog->tick_ns;
  until.tv_sec += ns / 1000000000;
  until.tv_nsec = ns % 1000000000;
  pthread_mutex_lock(&watchdog->lock);
  int code = 0;
  while (!watchdog->stop && code == 0)
    code = pthread_cond_timedwait(&watchdog->wake, &watchdog->lock, &until);
  bool stop = watchdog->stop;
  pthread_mutex_unlock(&watchdog->lock);
  return stop;
}

static void *watch(void *argument) {
  coh_watchdog *watchdog = argument;
  unsigned long long n_seen = atomic_load(&watchdog->n_beats);
  int64_t n_idle = 0;
  while (!sleep_tick(watchdog)) {
    unsigned long long n_now = atomic_load(&watchdog->n_beats);
    n_idle = n_now == n_seen ? n_idle + 1 : 0;
    n_seen = n_now;
    if (n_idle < watchdog->n_ticks) continue;
    // the main thread may hold any lock, so nothing but a write and the end
    ssize_t n_written = write(STDERR_FILENO, watchdog->line, strlen(watchdog->line));
    (void)n_written;
    _exit(coh_status_exit_code(COH_E_HANG));
  }
  return NULL;
}

static void word_line(const coh_world *world, double seconds, char line[160]) {
  int size = coh_world_size(world);
  char who[64] = "";
  if (size > 1) snprintf(who, sizeof who, "rank %d of %d: ", coh_world_rank(world), size);
  snprintf(line, 160, "cohort: error: %sno progress for %g s; ending the job (exit code %d)\n",
           who, seconds, coh_status_exit_code(COH_E_HANG));
}

static int start_thread(coh_watchdog *watchdog) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&watchdog->wake, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_init(&watchdog->lock, NULL);

  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int code = pthread_create(&watchdog->thread, NULL, watch, watchdog);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code;
}

coh_status coh_watchdog_start(const coh_world *world, double seconds, coh_watchdog **watchdog) {
  *watchdog = NULL;
  if (seconds <= 0) return COH_OK;
  coh_watchdog *made;
  COH_NEW(made, 1);
  made->n_ticks = (int64_t)fmin(fmax(ceil(seconds), 4), 1e9);
  made->tick_ns = (int64_t)(seconds / (double)made->n_ticks * 1e9);
  word_line(world, seconds, made->line);
  if (start_thread(made) != 0) {
    COH_DELETE(made);
    return coh_fail(COH_E_INTERNAL, "cannot start the watchdog thread");
  }
  *watchdog = made;
  return COH_OK;
}

void coh_watchdog_beat(coh_watchdog *watchdog) {
  if (watchdog) atomic_fetch_add_explicit(&watchdog->n_beats, 1, memory_order_relaxed);
}

void coh_watchdog_stop(coh_watchdog **watchdog) {
  coh_watchdog *gone = *watchdog;
  if (!gone) return;
  pthread_mutex_lock(&gone->lock);
  gone->stop = true;
  pthread_cond_signal(&gone->wake);
  pthread_mutex_unlock(&gone->lock);
  pthread_join(gone->thread, NULL);
  pthread_cond_destroy(&gone->wake);
  pthread_mutex_destroy(&gone->lock);
  COH_DELETE(*watchdog);
}
