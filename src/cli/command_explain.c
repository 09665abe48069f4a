/* cohort explain: ask a run's network, or see what needs none. */
#include "base/log.h"
#include "cli/command.h"
#include "explain/topic.h"
#include "io/file.h"

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  (void)world;
  coh_run_start_options options = coh_arguments_start(arguments);
  const char *first = arguments->word[0];
  // a topic that needs no run stands where the run would; a folder of that name wins
  const coh_kind *kind = coh_kind_find(&coh_explain_topic_kinds, first);
  bool alone = kind && !coh_file_exists(first) &&
               !((const coh_explain_topic *)(const void *)kind)->needs_network;
  if (alone) {
    const char *folder = arguments->folder ? arguments->folder : ".";
    return coh_run_explain(folder, false, arguments->word, arguments->n_words, &options);
  }
  return coh_run_explain(first, true, arguments->word + 1, arguments->n_words - 1, &options);
}

const coh_command coh_command_explain = {
    .name = "explain",
    .usage = "explain RUN [TOPIC ...] [key=value ...] | explain activations [-o FOLDER] | "
             "explain provenance FILE ...",
    .doc = "Look into a run's network: feature maps, saliency, Grad-CAM, and what to believe.",
    .min_words = 1,
    .max_words = 64,
    .run = run,
};
