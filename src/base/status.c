/* The error mechanism: a status code and one worded message per thread.
 * The first function that knows the cause words it; everyone above propagates. */
#include "cohort/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES = 1024 };
static _Thread_local char message[MESSAGE_BYTES];

static const struct {
  const char *name;
  int exit_code;
} status_table[] = {
    [COH_OK] = {"ok", 0},
    [COH_E_CONFIG] = {"config", 2},
    [COH_E_DATA] = {"data", 3},
    [COH_E_CHECKPOINT] = {"checkpoint", 4},
    [COH_E_DIVERGED] = {"diverged", 5},
    [COH_E_MEMORY] = {"memory", 1},
    [COH_E_IO] = {"io", 1},
    [COH_E_COMM] = {"comm", 1},
    [COH_E_INTERNAL] = {"internal", 1},
    [COH_E_SAVED] = {"saved", 85},
    [COH_E_HANG] = {"hang", 86},
};
enum { N_STATUSES = sizeof status_table / sizeof *status_table };

int coh_status_exit_code(coh_status status) {
  return (unsigned)status < N_STATUSES ? status_table[status].exit_code : 1;
}

const char *coh_status_name(coh_status status) {
  return (unsigned)status < N_STATUSES ? status_table[status].name : "unknown";
}

const char *coh_error_message(void) {
  return message;
}

coh_status coh_fail(coh_status status, const char *format, ...) {
  // the arguments may point into the old message, so word the new one beside it
  char worded[MESSAGE_BYTES];
  va_list args;
  va_start(args, format);
  vsnprintf(worded, sizeof worded, format, args);
  va_end(args);
  memcpy(message, worded, sizeof message);
  return status;
}

coh_status coh_fail_within(coh_status status, const char *format, ...) {
  char context[MESSAGE_BYTES / 2];
  va_list args;
  va_start(args, format);
  vsnprintf(context, sizeof context, format, args);
  va_end(args);
  return coh_fail(status, "%s: %s", context, message);
}
