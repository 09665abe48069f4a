/* Signals as requests. A handler may only set a flag, and it finds no other place for it than
 * process-wide variables; those are here and nowhere else. */
#include "comm/signals.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t request_seen;
static struct sigaction action_before[3];
static int n_open; // opens that were not closed

static const int caught[3] = {SIGUSR1, SIGTERM, SIGINT};

static void on_signal(int number) {
  sig_atomic_t request = number == SIGUSR1 ? COH_REQUEST_REQUEUE : COH_REQUEST_STOP;
  if (request > request_seen) request_seen = request;
  // a person who interrupts twice means it
  if (number == SIGINT) {
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigaction(SIGINT, &plain, NULL);
  }
}

coh_status coh_signals_open(void) {
  if (n_open > 0) {
    n_open++;
    return COH_OK;
  }
  request_seen = COH_REQUEST_NONE;
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < 3; ++i)
    COH_CHECK(sigaction(caught[i], &action, &action_before[i]) == 0, COH_E_INTERNAL,
              "cannot catch signal %d", caught[i]);
  n_open = 1;
  return COH_OK;
}

void coh_signals_close(void) {
  if (n_open == 0 || --n_open > 0) return;
  for (int i = 0; i < 3; ++i)
    sigaction(caught[i], &action_before[i], NULL);
  request_seen = COH_REQUEST_NONE;
}

coh_request coh_signals_seen(void) {
  return (coh_request)request_seen;
}

coh_status coh_signals_agree(coh_world *world, coh_request *request) {
  int64_t highest = coh_signals_seen();
  COH_TRY(coh_comm_reduce_int(world, COH_REDUCE_MAX, &highest, 1));
  *request = (coh_request)highest;
  return COH_OK;
}
