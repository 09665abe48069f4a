/* cohort report: draw a run's figures again and write its report, or compare several runs. */
#include <stdio.h>

#include "cli/command.h"
#include "cohort/run.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  (void)world;
  const char *folder = arguments->word[0];
  if (arguments->n_words > 1) {
    folder = arguments->folder ? arguments->folder : "runs/comparison";
    COH_TRY(coh_run_compare(arguments->word, arguments->n_words, folder));
  } else if (coh_run_is_sweep(folder)) {
    return coh_run_sweep_report(folder, stdout);
  } else {
    COH_TRY(coh_run_report(folder));
  }
  printf("%s/report.html\n", folder);
  return COH_OK;
}

const coh_command coh_command_report = {
    .name = "report",
    .usage = "report RUN... [-o FOLDER]",
    .doc = "Draw the figures of a run again and write its report.html; several runs: one page "
           "with their curves side by side, means and intervals over seeds (in FOLDER, "
           "runs/comparison).",
    .min_words = 1,
    .max_words = 256,
    .run = run,
};
