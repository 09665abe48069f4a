/* Signals as requests. A handler may only set a flag, and it finds no other place for it than
 * process-wide variables; those are here and nowhere else.
 *
 * Handlers run on a stack of their own. Compiled kernels of oneDNN 2.6 keep data further below
 * the stack pointer than the 128 bytes that a signal's frame leaves alone, so that a request in
 * the middle of a product would overwrite it. */
#include "comm/signals.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t request_seen;
static struct sigaction action_before[3];
static int n_open; // opens that were not closed
static stack_t stack_before;
static _Alignas(64) char stack[1 << 16]; // a frame with AVX-512 and AMX state is 12 KiB

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

// for the calling thread, which the kernel asks first; a stack that it has stays
static coh_status open_stack(void) {
  const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
  COH_CHECK(sigaltstack(NULL, &stack_before) == 0, COH_E_INTERNAL, "no stack for signals");
  if (!(stack_before.ss_flags & SS_DISABLE)) return COH_OK;
  COH_CHECK(sigaltstack(&own, NULL) == 0, COH_E_INTERNAL, "no stack for signals");
  return COH_OK;
}

coh_status coh_signals_open(void) {
  if (n_open > 0) {
    n_open++;
    return COH_OK;
  }
  request_seen = COH_REQUEST_NONE;
  COH_TRY(open_stack());
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
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
  if (stack_before.ss_flags & SS_DISABLE) sigaltstack(&stack_before, NULL);
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
