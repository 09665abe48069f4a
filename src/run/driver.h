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

enum { COH_PATH_BYTES = 4096 };

/* A run that is open: config, task, folder, sinks. */
typedef struct coh_run {
  coh_world *world;
  bool root;    /* rank 0: the one that writes and speaks */
  bool quiet;   /* no progress */
  bool tables;  /* print them */
  FILE *output; /* closing lines, NULL: none; borrowed */
  coh_run_config config;
  coh_lanes lanes;
  coh_run_context context;
  void *task;
  double trace_origin; /* of the timeline */
  char folder[COH_PATH_BYTES - 1024];
  char checkpoint[COH_PATH_BYTES]; /* the last good one, "" before the first */
  coh_metrics *metrics;            /* rank 0 only */
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

/* Step to the end: the loop. Collective. Fails: as coh_run_start. */
coh_status coh_run_drive(coh_run *run);

/* Make the results and the report. status: "finished", "stopped" or "diverged". Collective.
 * Fails (agreed): COH_E_IO ... */
coh_status coh_run_finish(coh_run *run, const char *status);

#endif
