/* cohort eval: evaluate the newest checkpoint of a run, or rows that others have made. */
#include "cli/command.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  const coh_run_start_options options = coh_arguments_start(arguments);
  const char *folder = arguments->word[0];
  if (arguments->n_words == 1) return coh_run_evaluate(world, folder, &options);
  return coh_run_score(world, folder, arguments->word + 1, arguments->n_words - 1, &options);
}

const coh_command coh_command_eval = {
    .name = "eval",
    .usage = "eval RUN [FILE ...] [key=value ...]",
    .doc = "Evaluate a run's newest checkpoint, or images from anywhere by its measures; "
           "prints JSON.",
    .min_words = 1,
    .max_words = 64,
    .needs_world = true,
    .run = run,
};
