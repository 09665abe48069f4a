/* cohort solve: plan in a model that is named, in a file, or in a config. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/command.h"
#include "cohort/mdp.h"

enum { MOST_OVERRIDES = 1024, LANES = 8 };

static bool is_config(const char *word) {
  const char *dot = strrchr(word, '.');
  return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

// "{grid: {rows: 5}}" is called grid, "models/chain.drn" chain
static void name_model(const char *word, char name[64]) {
  const char *slash = strrchr(word, '/');
  const char *first = *word == '{' ? word + 1 : slash ? slash + 1 : word;
  int length = (int)strcspn(first, ".:{} ");
  snprintf(name, 64, "solve-%.*s", length < 48 ? length : 48, first);
}

static coh_status start(coh_world *world, const coh_arguments *arguments,
                        const coh_run_start_options *options) {
  const char *word = arguments->word[0];
  if (is_config(word)) return coh_run_start(world, word, options);
  char name[64];
  name_model(word, name);
  coh_text text = {0};
  // a number of lanes for every machine: its ranks and threads do not change the answer
  int n_ranks = coh_world_size(world), n_lanes = n_ranks > LANES ? n_ranks : LANES;
  coh_text_add(&text,
               "task: solve\nlanes: %d\nsteps: 10_000_000\nlog_every: 1\nmodel: ", n_lanes);
  if (*word != '{' && coh_mdp_is_file(word))
    coh_text_add(&text, "{file: \"%s\"}\n", word);
  else
    coh_text_add(&text, "%s\n", word);
  char *yaml = NULL;
  COH_TRY(coh_text_take(&text, &yaml));
  coh_run_start_options with = *options;
  with.text = yaml;
  coh_status status = coh_run_start(world, name, &with);
  coh_free(yaml);
  return status;
}

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  coh_run_start_options options = coh_arguments_start(arguments);
  const char *overrides[MOST_OVERRIDES + 1];
  COH_CHECK(options.n_overrides <= MOST_OVERRIDES, COH_E_CONFIG, "over %d overrides",
            MOST_OVERRIDES);
  for (int64_t k = 0; k < options.n_overrides; k++)
    overrides[k] = options.overrides[k];
  if (arguments->compare) overrides[options.n_overrides++] = "compare=true";
  options.overrides = overrides;
  options.tables = true;
  return start(world, arguments, &options);
}

const coh_command coh_command_solve = {
    .name = "solve",
    .usage = "solve MODEL|CONFIG [--compare] [-o FOLDER] [key=value ...]",
    .doc = "Plan in a model (`cohort list models`, or a file) inside bounds that hold.",
    .min_words = 1,
    .max_words = 1,
    .needs_world = true,
    .run = run,
};
