/* cohort export: copy a run's model out of its newest checkpoint. */
#include "cli/command.h"
#include "cohort/run.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  return coh_run_export(world, arguments->word[0], arguments->word[1]);
}

const coh_command coh_command_export = {
    .name = "export",
    .usage = "export RUN FILE",
    .doc = "Copy the newest checkpoint's model to FILE.safetensors or FILE.npz.",
    .min_words = 2,
    .max_words = 2,
    .needs_world = true,
    .run = run,
};
