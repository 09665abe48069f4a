/* cohort resume: go on with a run from its newest whole checkpoint. */
#include "cli/command.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  const coh_run_start_options options = coh_arguments_start(arguments);
  if (coh_run_is_sweep(arguments->word[0]))
    return coh_run_sweep(world, arguments->word[0], &options, &arguments->sweep);
  return coh_run_resume(world, arguments->word[0], &options);
}

const coh_command coh_command_resume = {
    .name = "resume",
    .usage = "resume RUN [key=value ...]",
    .doc = "Go on with a run (or a sweep) from its newest checkpoint, on any number of ranks.",
    .min_words = 1,
    .max_words = 1,
    .needs_world = true,
    .run = run,
};
