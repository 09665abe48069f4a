/* The log sink: time, level and one line, to stderr and to the rank's log file. */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *sink_file;
static coh_log_level stderr_level = COH_LOG_WARNING;

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void coh_log(coh_log_level level, const char *format, ...) {
  char line[2048];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);

  pthread_mutex_lock(&sink_lock);
  if (level >= stderr_level) fprintf(stderr, "cohort: %s: %s\n", level_names[level], line);
  if (sink_file && level >= COH_LOG_INFO) {
    char when[32];
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    fprintf(sink_file, "%s %s: %s\n", when, level_names[level], line);
    fflush(sink_file);
  }
  pthread_mutex_unlock(&sink_lock);
}

void coh_log_set_stderr_level(coh_log_level level) {
  stderr_level = level;
}

coh_status coh_log_open(const char *path) {
  FILE *file = NULL;
  if (path) {
    file = fopen(path, "a");
    COH_CHECK(file, COH_E_IO, "%s: cannot open the log: %s", path, strerror(errno));
  }
  pthread_mutex_lock(&sink_lock);
  if (sink_file) fclose(sink_file);
  sink_file = file;
  pthread_mutex_unlock(&sink_lock);
  return COH_OK;
}
