/* cohort sample: generate with the newest checkpoint of a run. */
#include "cli/command.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  const coh_run_start_options options = coh_arguments_start(arguments);
  return coh_run_sample(world, arguments->word[0], arguments->word + 1, arguments->n_words - 1,
                        &options);
}

const coh_command coh_command_sample = {
    .name = "sample",
    .usage = "sample RUN [FILE ...] [n=N] [seed=S] [class=C]",
    .doc = "Generate: a grid (.png), arrays (.safetensors, .npz), or single images (FOLDER/).",
    .min_words = 1,
    .max_words = 64,
    .needs_world = true,
    .run = run,
};
