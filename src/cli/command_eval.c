/* cohort eval: evaluate the newest checkpoint of a run. */
#include "cli/command.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  const coh_run_start_options options = coh_arguments_start(arguments);
  return coh_run_evaluate(world, arguments->word[0], &options);
}

const coh_command coh_command_eval = {
    .name = "eval",
    .usage = "eval RUN [key=value ...]",
    .doc = "Evaluate the newest checkpoint of a run; prints JSON.",
    .min_words = 1,
    .max_words = 1,
    .needs_world = true,
    .run = run,
};
