/* cohort list: the names that configs can use. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/registries.h"

static void show(const coh_registry *registry) {
  printf("%s\n", registry->name);
  for (int64_t i = 0; i < registry->set->n_kinds; i++)
    printf("  %-24s %s\n", registry->set->kinds[i]->name, registry->set->kinds[i]->doc);
}

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  (void)world;
  const char *names[32];
  int64_t n_names = 0;
  bool found = false;
  for (const coh_registry *registry = coh_registries; registry->name; registry++) {
    names[n_names++] = registry->name;
    if (arguments->n_words && strcmp(arguments->word[0], registry->name) != 0) continue;
    show(registry);
    found = true;
  }
  if (found) return COH_OK;
  const char *nearest = coh_text_nearest(arguments->word[0], names, n_names);
  return coh_fail(COH_E_CONFIG, "list: '%s' is unknown; %s%s", arguments->word[0],
                  nearest ? "did you mean " : "`cohort list` shows everything",
                  nearest ? nearest : "");
}

const coh_command coh_command_list = {
    .name = "list",
    .usage = "list [tasks|envs|layers|...]",
    .doc = "List what configs can name.",
    .max_words = 1,
    .run = run,
};
