/* cohort report: draw a run's figures again and write its report. */
#include <stdio.h>

#include "cli/command.h"
#include "cohort/run.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  (void)world;
  if (coh_run_is_sweep(arguments->word[0]))
    return coh_run_sweep_report(arguments->word[0], stdout);
  COH_TRY(coh_run_report(arguments->word[0]));
  printf("%s/report.html\n", arguments->word[0]);
  return COH_OK;
}

const coh_command coh_command_report = {
    .name = "report",
    .usage = "report RUN",
    .doc = "Draw the figures of a run again and write its report.html.",
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
