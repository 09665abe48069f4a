/* cohort run: train, evaluate and report what a config describes. */
#include "cli/command.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  const coh_run_start_options options = coh_arguments_start(arguments);
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
