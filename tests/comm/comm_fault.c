/* A program that fails as it is told, on the highest rank, for test_faults:
 *   comm_fault agree | abort | hang | stop | kill | save | ok */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "comm/signals.h"
#include "comm/watchdog.h"

// step until a request comes, as a run does; then it would save
static coh_status run_until_asked(coh_world *world, coh_watchdog *watchdog) {
  coh_request request = COH_REQUEST_NONE;
  COH_TRY(coh_signals_open());
  COH_TRY(coh_comm_barrier(world));
  if (coh_world_rank(world) == 0) fprintf(stderr, "running\n");
  while (request == COH_REQUEST_NONE) {
    coh_watchdog_beat(watchdog);
    COH_TRY(coh_signals_agree(world, &request));
  }
  coh_signals_close();
  return COH_E_SAVED;
}

static int fail_as(coh_world *world, const char *how) {
  int is_last = coh_world_rank(world) == coh_world_size(world) - 1;
  coh_status status = COH_OK;
  coh_watchdog *watchdog = NULL;
  if (coh_watchdog_start(world, 2.0, &watchdog) != COH_OK) return 1;
  if (strcmp(how, "agree") == 0) {
    if (is_last) status = coh_fail(COH_E_DATA, "no such data");
    status = coh_comm_agree(world, status);
    if (status != COH_OK && coh_world_rank(world) == 0)
      fprintf(stderr, "cohort: error: %s\n", coh_error_message());
  } else if (strcmp(how, "save") == 0) {
    status = run_until_asked(world, watchdog);
  } else if (is_last && strcmp(how, "abort") == 0) {
    coh_fail(COH_E_DIVERGED, "the loss is not finite");
    coh_comm_abort(world, COH_E_DIVERGED);
  } else if (is_last && strcmp(how, "hang") == 0) {
    for (;;)
      pause();
  } else if (is_last && strcmp(how, "stop") == 0) {
    raise(SIGSTOP);
  } else if (is_last && strcmp(how, "kill") == 0) {
    raise(SIGKILL);
  }
  // the others wait here for a peer that does not come
  if (status == COH_OK) status = coh_comm_barrier(world);
  coh_watchdog_stop(&watchdog);
  return coh_status_exit_code(status);
}

int main(int argc, char **argv) {
  coh_world *world = NULL;
  if (argc != 2 || coh_world_open(&world) != COH_OK) return 2;
  int code = fail_as(world, argv[1]);
  coh_world_close(&world);
  return code;
}
