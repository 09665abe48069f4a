/* cohort sweep: a grid or a random search over options, as one job. */
#include <stdio.h>

#include "cli/command.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  const coh_run_start_options start = coh_arguments_start(arguments);
  return coh_run_sweep(world, arguments->word[0], &start, &arguments->sweep);
}

const coh_command coh_command_sweep = {
    .name = "sweep",
    .usage = "sweep CONFIG key=a,b,c ... [--seeds 1..9]",
    .doc = "Run every setting with every seed, ranks in groups (--groups N); one table at the "
           "end (of --metric KEY). --random N draws settings, also from key=LOW..HIGH and "
           "key=log:LOW..HIGH (--random-seed N).",
    .min_words = 1,
    .max_words = 1,
    .needs_world = true,
    .run = run,
};
