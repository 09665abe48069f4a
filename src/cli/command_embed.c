/* cohort embed: a map of data, or other rows on a map that there is. */
#include "cli/command.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  const coh_run_start_options options = coh_arguments_start(arguments);
  const char *first = arguments->word[0];
  const char *second = arguments->n_words > 1 ? arguments->word[1] : NULL;
  if (!arguments->on) return coh_run_embed(world, first, second, &options);
  COH_CHECK(!second, COH_E_CONFIG, "--on: one thing to place is expected, not %s and %s", first,
            second);
  return coh_run_place(world, arguments->on, first, &options);
}

const coh_command coh_command_embed = {
    .name = "embed",
    .usage = "embed DATA|CONFIG|RUN [DATA] [--on RUN] [-o PATH] [task=pca] [key=value ...]",
    .doc =
        "Map data, or a layer of a run's network over data, by t-SNE or PCA; --on RUN: place "
        "other rows on a finished map (.npy, .csv).",
    .min_words = 1,
    .max_words = 2,
    .needs_world = true,
    .run = run,
};
