/* cohort run: train, evaluate and report what a config describes. */
#include <stdio.h>

#include "cli/command.h"
#include "cohort/run.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  coh_run_start_options options = {
      .overrides = arguments->override,
      .n_overrides = arguments->n_overrides,
      .folder = arguments->folder,
      .quiet = arguments->quiet,
      .output = stdout,
  };
  return coh_run_start(world, arguments->word[0], &options);
}

const coh_command coh_command_run = {
    .name = "run",
    .usage = "run CONFIG [-o FOLDER] [key=value ...]",
    .doc = "Run a config: train, evaluate, save, report.",
    .min_words = 1,
    .max_words = 1,
    .needs_world = true,
    .run = run,
};
