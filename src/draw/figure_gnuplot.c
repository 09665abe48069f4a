/* gnuplot as a child process: spawned without a shell, watched, and never a reason to fail. */
#define _GNU_SOURCE // posix_spawn_file_actions_addchdir_np

#include "draw/figure_gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/file.h"

extern char **environ;

static const double LIMIT_SECONDS = 60;

// what gnuplot says goes to NAME.log in the folder
static int spawn(const char *folder, const char *script, const char *log, pid_t *child) {
  char *const arguments[] = {"gnuplot", "-d", (char *)(size_t)script, NULL};
  posix_spawn_file_actions_t actions;
  int failed = posix_spawn_file_actions_init(&actions);
  if (failed) return failed;
  failed = posix_spawn_file_actions_addchdir_np(&actions, folder);
  if (!failed) failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (!failed)
    failed =
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, 1, 2);
  if (!failed) failed = posix_spawnp(child, "gnuplot", &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

// the exit status of a child, or -1 when it had to be ended
static int wait_for(pid_t child) {
  double begun = coh_clock_now();
  struct timespec pause = {0, 5 * 1000 * 1000};
  for (;;) {
    int result;
    pid_t ended = waitpid(child, &result, WNOHANG);
    if (ended == child) return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
    if (ended < 0 && errno != EINTR) return -1;
    if (coh_clock_now() - begun > LIMIT_SECONDS) {
      kill(child, SIGKILL);
      waitpid(child, &result, 0);
      return -1;
    }
    nanosleep(&pause, NULL);
  }
}

bool coh_gnuplot_run(const char *folder, const char *name) {
  char script[256], log[256], path[4096];
  pid_t child;
  snprintf(script, sizeof script, "%s.gp", name);
  snprintf(log, sizeof log, "%s.log", name);
  int failed = spawn(folder, script, log, &child);
  snprintf(path, sizeof path, "%s/%s.log", folder, name);
  if (failed == ENOENT) {
    coh_log(COH_LOG_WARNING,
            "%s/%s was not drawn: gnuplot is not installed (apt install gnuplot-nox, then run "
            "gnuplot on it)",
            folder, script);
    unlink(path);
    return false;
  }
  if (failed) {
    coh_log(COH_LOG_WARNING, "%s/%s was not drawn: cannot run gnuplot: %s", folder, script,
            strerror(failed));
    return false;
  }
  if (wait_for(child) != 0) {
    coh_log(COH_LOG_WARNING, "%s/%s was not drawn: gnuplot failed, see %s", folder, script,
            path);
    return false;
  }
  unlink(path);
  return true;
}

// write a composed text as FOLDER/NAME.extension and forget it
static coh_status save(const coh_text *text, const char *folder, const char *name,
                       const char *extension) {
  coh_text path = {0};
  coh_text_add(&path, "%s/%s.%s", folder, name, extension);
  coh_status status = COH_OK;
  if (text->failed || path.failed)
    status = coh_fail(COH_E_MEMORY, "%s: out of memory for the figure", name);
  if (status == COH_OK) status = coh_file_save(path.data, text->data, text->n_bytes);
  coh_text_clear(&path);
  return status;
}

void coh_gnuplot_quote(coh_text *script, const char *text) {
  coh_text_add_bytes(script, "'", 1);
  for (const char *c = text; *c; c++) {
    if (*c == '\'')
      coh_text_add_bytes(script, "''", 2);
    else if (*c == '{')
      coh_text_add_bytes(script, "(", 1);
    else if (*c == '}')
      coh_text_add_bytes(script, ")", 1);
    else if ((unsigned char)*c < 0x20)
      coh_text_add_bytes(script, " ", 1);
    else
      coh_text_add_bytes(script, c, 1);
  }
  coh_text_add_bytes(script, "'", 1);
}

coh_status coh_gnuplot_write(coh_text *script, coh_text *data, const char *folder,
                             const char *name, bool *drawn) {
  coh_status status = save(data, folder, name, "dat");
  if (status == COH_OK) status = save(script, folder, name, "gp");
  coh_text_clear(script);
  coh_text_clear(data);
  COH_TRY(status);
  bool done = coh_gnuplot_run(folder, name);
  if (drawn) *drawn = done;
  return COH_OK;
}
