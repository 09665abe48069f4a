/* The log sink: one line a call, prefixed with time and level, to stderr and, once opened, to
 * the rank's log file. The only mutable global beside the allocation counters. */
#ifndef COHORT_BASE_LOG_H
#define COHORT_BASE_LOG_H

#include "cohort/status.h"

typedef enum coh_log_level {
  COH_LOG_DEBUG,
  COH_LOG_INFO,
  COH_LOG_WARNING,
  COH_LOG_ERROR
} coh_log_level;

/* Write one line (printf format, no newline). Never called inside a step. Thread-safe. */
__attribute__((format(printf, 2, 3))) void coh_log(coh_log_level level, const char *format,
                                                   ...);

/* Lines at or above this level go to stderr (default COH_LOG_WARNING); all of INFO and above
 * go to the file. */
void coh_log_set_stderr_level(coh_log_level level);

/* Copy log lines to a file (appended); NULL closes it. Fails: COH_E_IO. */
coh_status coh_log_open(const char *path);

#endif
