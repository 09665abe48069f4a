/* cohort resume: see the usage line below. */
#include <stdio.h>

#include "cli/command.h"
#include "cohort/run.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  coh_run_start_options options = {
      .overrides = arguments->override,
      .n_overrides = arguments->n_overrides,
      .quiet = arguments->quiet,
      .output = stdout,
  };
  return coh_run_resume(world, arguments->word[0], &options);
}

const coh_command coh_command_resume = {
    .name = "resume",
    .usage = "resume RUN [key=value ...]",
    .doc = "Go on with a run from its newest checkpoint, on any number of ranks.",
    .min_words = 1,
    .max_words = 1,
    .needs_world = true,
    .run = run,
};
