/* cohort help: the overview, a command, or any kind and its options, from the same tables that
 * configs are read by. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/registries.h"
#include "cohort/alloc.h"
#include "run/record.h"
#include "run/run_config.h"
#include "run/run_embed.h"
#include "run/run_sample.h"

static void overview(void) {
  printf("cohort trains agents on MPI clusters; a run is a function of its config and seed.\n\n"
         "usage: [mpirun -n RANKS] cohort COMMAND ...\n\n");
  for (const coh_command *const *command = coh_commands; *command; command++)
    printf("  %-42s %s\n", (*command)->usage, (*command)->doc);
  printf("\n  -o FOLDER   the run folder        -q   no progress bar\n"
         "  --version   the version           key.path=value   override one option\n\n"
         "help topics: run, and every name that `cohort list` shows\n"
         "exit codes: 0 ok, 2 usage or config, 3 data, 4 no usable checkpoint, 5 diverged,\n"
         "            85 saved on request (requeue), 86 hang, 1 anything else\n");
}

static coh_status show_table(const char *title, const char *doc, const coh_option *table) {
  printf("%s: %s\n", title, doc);
  if (!table) {
    printf("  (no options)\n");
    return COH_OK;
  }
  char *text = NULL;
  COH_TRY(coh_options_help(table, 2, &text));
  printf("%s", text);
  coh_free(text);
  return COH_OK;
}

coh_status coh_help_show(const char *topic) {
  if (!topic) {
    overview();
    return COH_OK;
  }
  const char *names[256] = {"run"};
  int64_t n_names = 1;
  bool found = strcmp(topic, "run") == 0;
  if (found) COH_TRY(show_table("run", "keys that every config has", coh_run_option_table));
  if (strcmp(topic, "embed") == 0)
    COH_TRY(show_table("embed --on", "keys of `cohort embed DATA --on RUN`",
                       coh_place_option_table));
  if (strcmp(topic, "record") == 0)
    COH_TRY(show_table("record", "keys of `cohort record`", coh_record_option_table));
  if (strcmp(topic, "sample") == 0)
    COH_TRY(show_table("sample", "keys of `cohort sample`", coh_sample_option_table));
  for (const coh_registry *registry = coh_registries; registry->name; registry++) {
    const coh_kind *kind = coh_kind_find(registry->set, topic);
    // activations are layers too: once is enough
    if (kind && !found) COH_TRY(show_table(kind->name, kind->doc, kind->options));
    found = found || kind;
    for (int64_t i = 0; i < registry->set->n_kinds && n_names < 256; i++)
      names[n_names++] = registry->set->kinds[i]->name;
  }
  for (const coh_command *const *command = coh_commands; *command && !found; command++) {
    if (strcmp((*command)->name, topic) != 0) continue;
    printf("cohort %s\n  %s\n", (*command)->usage, (*command)->doc);
    found = true;
  }
  if (found) return COH_OK;
  const char *nearest = coh_text_nearest(topic, names, n_names);
  return coh_fail(COH_E_CONFIG, "help: no topic '%s'; %s%s", topic,
                  nearest ? "did you mean " : "see `cohort help` and `cohort list`",
                  nearest ? nearest : "");
}

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  (void)world;
  return coh_help_show(arguments->n_words ? arguments->word[0] : NULL);
}

const coh_command coh_command_help = {
    .name = "help",
    .usage = "help [TOPIC]",
    .doc = "Explain a task, an environment, a layer, ... with all options.",
    .max_words = 1,
    .run = run,
};
