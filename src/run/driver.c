/* The loop that every task shares. What happens at which step is a function of the config and
 * the task's position only, so a resumed run does the same things at the same places. */
#include "run/driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

// rounds between two looks at other ranks' signals: a look is one small reduction
enum { ROUNDS_A_LOOK = 8 };

// whether a multiple of `every` lies in (before, now]
static bool is_due(int64_t every, int64_t before, int64_t now) {
  return every > 0 && now / every > before / every;
}

static double seconds_so_far(const coh_run *run) {
  return run->seconds_before + coh_clock_now() - run->begun;
}

// pick the metrics that the bar shows from the latest rows
static void show_progress(coh_run *run) {
  if (!run->root || run->quiet) return;
  coh_metric shown[8];
  int64_t n_shown = 0;
  for (const char *const *name = run->config.task->progress; name && *name; name++) {
    const coh_metric_row *rows[2] = {&run->exact, &run->timing};
    for (int r = 0; r < 2; r++)
      for (int64_t i = 0; i < rows[r]->n_metrics && n_shown < 8; i++)
        if (strcmp(rows[r]->metric[i].name, *name) == 0) shown[n_shown++] = rows[r]->metric[i];
  }
  coh_progress_update(&run->progress, run->config.task->position(run->task), shown, n_shown);
}

static coh_status write_rows(coh_run *run, int64_t position, const coh_metric_row *exact,
                             const coh_metric_row *timing) {
  if (!run->metrics) return COH_OK;
  if (exact->n_metrics)
    COH_TRY(coh_metrics_write(run->metrics, COH_METRIC_EXACT, position, exact->metric,
                              exact->n_metrics));
  if (timing->n_metrics)
    COH_TRY(coh_metrics_write(run->metrics, COH_METRIC_TIMING, position, timing->metric,
                              timing->n_metrics));
  return COH_OK;
}

// a full disk must not end a training: say so once a row, and go on
static void warn_of(coh_run *run, coh_status status, const char *what) {
  if (status == COH_OK) return;
  if (run->root) coh_progress_clear(&run->progress);
  if (run->root) coh_log(COH_LOG_WARNING, "%s: %s; the run goes on", what, coh_error_message());
}

static coh_status log_metrics(coh_run *run, int64_t position) {
  run->exact.n_metrics = run->timing.n_metrics = 0;
  COH_TRY(run->config.task->metrics(run->task, &run->exact, &run->timing));
  coh_metric_add(&run->timing, "time/seconds", seconds_so_far(run));
  coh_metric_add(&run->timing, "time/ranks", coh_world_size(run->world));
  coh_metric_add(&run->timing, "time/threads", run->context.n_threads);
  warn_of(run, write_rows(run, position, &run->exact, &run->timing), "metrics not written");
  return COH_OK;
}

static coh_status evaluate(coh_run *run, int64_t position) {
  if (!run->config.task->evaluate) return COH_OK;
  coh_metric_row exact = {0}, timing = {0};
  double begun = coh_clock_now();
  COH_TRY(run->config.task->evaluate(run->task, &exact));
  coh_metric_add(&timing, "time/evaluation", coh_clock_now() - begun);
  warn_of(run, write_rows(run, position, &exact, &timing), "evaluation not written");
  return COH_OK;
}

static coh_status save(coh_run *run, int64_t position) {
  coh_checkpoint_info info = {
      .step = position,
      .hash = run->config.hash,
      .n_lanes = run->lanes.n_lanes,
      .seconds = seconds_so_far(run),
  };
  coh_status status = COH_OK;
  if (run->metrics) status = coh_metrics_sync(run->metrics, &info.metrics);
  status = coh_comm_agree(run->world, status);
  if (status == COH_OK)
    status = coh_checkpoint_write(run->world, &run->lanes, &run->config, run->task, &info,
                                  run->folder, run->config.run->checkpoint_keep);
  if (status == COH_OK)
    coh_checkpoint_path(run->folder, position, run->checkpoint, sizeof run->checkpoint);
  return status;
}

static coh_status diverged(coh_run *run) {
  coh_fail(COH_E_DIVERGED, "%s; the last good checkpoint is %s", coh_error_message(),
           *run->checkpoint ? run->checkpoint : "none: set checkpoint_every");
  char message[1024];
  snprintf(message, sizeof message, "%s", coh_error_message());
  warn_of(run, log_metrics(run, run->config.task->position(run->task)), "metrics not written");
  if (run->root) coh_progress_end(&run->progress, NULL, 0);
  coh_fail(COH_E_DIVERGED, "%s", message);
  warn_of(run, coh_run_finish(run, "diverged"), "report not written");
  return coh_fail(COH_E_DIVERGED, "%s", message);
}

// the state of a run that cannot be saved stays in memory: warn and go on
static coh_status save_or_warn(coh_run *run, int64_t position) {
  coh_status status = save(run, position);
  if (status == COH_E_DIVERGED) return diverged(run);
  warn_of(run, status, "checkpoint not saved, the one before stays");
  coh_watchdog_beat(run->watchdog);
  return COH_OK;
}

static coh_status save_on_request(coh_run *run, int64_t position) {
  if (run->root) coh_progress_clear(&run->progress);
  coh_status status = save(run, position);
  if (status == COH_E_DIVERGED) return diverged(run);
  COH_TRY(status);
  return coh_fail(COH_E_SAVED,
                  "saved on request at %" PRId64 " %s; go on with: cohort resume %s", position,
                  run->config.task->unit, run->folder);
}

static bool is_over(const coh_run *run) {
  const coh_task_type *type = run->config.task;
  return type->position(run->task) >= run->config.run->steps ||
         (type->finished && type->finished(run->task));
}

coh_status coh_run_drive(coh_run *run) {
  const coh_task_type *type = run->config.task;
  const coh_run_options *options = run->config.run;
  int64_t position = type->position(run->task);
  int64_t logged = position;
  if (is_over(run)) return COH_OK; // resumed where there is nothing left to do
  if (run->root && !run->quiet)
    coh_progress_begin(&run->progress, 2, type->kind.name, "steps", position, options->steps);

  bool over = false;
  for (int64_t round = 0; !over; round++) {
    int64_t before = position;
    coh_status status = type->step(run->task);
    if (status == COH_E_DIVERGED) return diverged(run);
    if (status != COH_OK && coh_world_size(run->world) > 1) coh_comm_abort(run->world, status);
    COH_TRY(status);
    position = type->position(run->task);
    over = is_over(run);
    coh_watchdog_beat(run->watchdog);

    if (is_due(options->log_every, before, position)) {
      COH_TRY(log_metrics(run, position));
      logged = position;
    }
    if (is_due(options->evaluate_every, before, position) && !over)
      COH_TRY(evaluate(run, position));
    if (is_due(options->checkpoint_every, before, position) && !over)
      COH_TRY(save_or_warn(run, position));
    show_progress(run);

    coh_request request = COH_REQUEST_NONE;
    if (coh_world_size(run->world) == 1)
      request = coh_signals_seen();
    else if (round % ROUNDS_A_LOOK == 0)
      COH_TRY(coh_signals_agree(run->world, &request));
    // a run that is over saves anyway
    if (request != COH_REQUEST_NONE && !over) return save_on_request(run, position);
  }
  if (logged < position) COH_TRY(log_metrics(run, position));
  COH_TRY(evaluate(run, position));
  if (run->root && !run->quiet) {
    show_progress(run);
    coh_progress_end(&run->progress, NULL, 0);
  }
  coh_status status = save(run, position);
  return status == COH_E_DIVERGED ? diverged(run) : status;
}
