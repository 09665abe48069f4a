/* cohort record: behaviour of chance, of a run's agent or of a person, as a file. */
#include "cli/command.h"
#include "cli/play.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  const coh_run_start_options options = coh_arguments_start(arguments);
  coh_play *play = NULL;
  if (arguments->play) {
    COH_CHECK(coh_world_size(world) == 1, COH_E_CONFIG, "--play is for one rank");
    COH_TRY(coh_play_begin(&play));
  }
  coh_status status = coh_run_record(world, arguments->word[0], arguments->word[1], &options,
                                     play ? coh_play_choose : NULL, play);
  coh_play_end(&play);
  return status;
}

const coh_command coh_command_record = {
    .name = "record",
    .usage = "record ENV|RUN FILE [--play] [key=value ...]",
    .doc = "Record behaviour: random, a run's agent, or yours.",
    .min_words = 2,
    .max_words = 2,
    .needs_world = true,
    .run = run,
};
