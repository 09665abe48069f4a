/* cohort config: check a config and print it with every default filled in. */
#include <stdio.h>

#include "cli/command.h"
#include "run/run_config.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  (void)world;
  coh_run_config config;
  COH_TRY(coh_run_config_read(arguments->word[0], arguments->override, arguments->n_overrides,
                              &config));
  printf("%s", config.text);
  coh_run_config_clear(&config);
  return COH_OK;
}

const coh_command coh_command_config = {
    .name = "config",
    .usage = "config FILE [key=value ...]",
    .doc = "Check a config and print it with every default.",
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
