/* The one driver: every task is run, logged, evaluated, saved and reported by this loop. */
#ifndef COHORT_RUN_DRIVER_H
#define COHORT_RUN_DRIVER_H

#include <stdio.h>

#include "cohort/run.h"
#include "comm/signals.h"
#include "comm/watchdog.h"
#include "run/checkpoint.h"
#include "run/metrics.h"
#include "run/progress.h"
#include "run/results.h"
#include "run/run_config.h"

enum { COH_PATH_BYTES = 4096, COH_NAME_BYTES = 256 };

/* A run that is open: config, task, folder, sinks. */
typedef struct coh_run {
  coh_world *world;
  bool root;    /* rank 0: the one that writes and speaks */
  bool quiet;   /* no progress */
  FILE *output; /* closing lines, NULL: none; borrowed */
  coh_run_config config;
  coh_lanes lanes;
  coh_run_context context;
  void *task;
  double trace_origin; /* of the timeline */
  char folder[COH_PATH_BYTES - 1024];
  char checkpoint[COH_PATH_BYTES]; /* the last good one, "" before the first */
  char provenance[512];
  coh_metrics *metrics; /* rank 0 only */
  coh_progress progress;
  coh_metric_row exact, timing; /* the last rows, for the progress bar */
  coh_watchdog *watchdog;
  double begun, seconds_before; /* clock at the start, run time of earlier sessions */
} coh_run;

/* Open the config's task: lanes, threads, create. path names the config. folder: the run's, may
 * be "". Collective. Fails (agreed), with the run closed. */
coh_status coh_run_open(coh_run *run, coh_world *world, const char *config_path,
                        const coh_run_start_options *options, const char *folder);
void coh_run_close(coh_run *run);

/* Open a run to ask it: the task of its newest whole checkpoint, or as it begins where
 * `is_trained` is false. Nothing is written into the folder. Collective; the caller closes and
 * frees. Fails (agreed): as coh_run_resume. */
coh_status coh_run_open_saved(coh_world *world, const char *folder,
                              const coh_run_start_options *options, bool is_trained,
                              coh_run **run);

/* Fill the options of a command that has a table of its own from the overrides of a command
 * line. name: stands in messages; target: out, caller clears. Not collective. Fails:
 * COH_E_CONFIG. */
coh_status coh_run_read_overrides(const char *name, const coh_option *table,
                                  const coh_run_start_options *given, void *target);

/* One object of JSON for a row of metrics, as a member of what is being written. */
struct coh_json_writer;
void coh_run_write_row(const coh_metric_row *row, struct coh_json_writer *out);

/* Make the folder that was asked for, or runs/NAME, runs/NAME-2 ... NULL asked: the first that
 * is free. n_existing: out, bytes of the part of its path that was there before. Not
 * collective. Fails: COH_E_CONFIG where a run or a sweep lies there already; COH_E_IO. */
coh_status coh_run_choose_folder(const char *name, const char *asked, char *folder,
                                 size_t n_bytes, size_t *n_existing);

/* The name of a run: its config's file name without what follows the first dot. */
void coh_run_name_of(const char *config_path, char name[COH_NAME_BYTES]);

/* Step to the end: the loop. Collective. Fails: as coh_run_start. */
coh_status coh_run_drive(coh_run *run);

/* Make the results and the report. status: "finished", "stopped" or "diverged". Collective.
 * Fails (agreed): COH_E_IO ... */
coh_status coh_run_finish(coh_run *run, const char *status);

#endif
