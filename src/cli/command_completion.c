/* cohort completion: a bash completion script, made from the same tables as everything else.
 *   source <(cohort completion) */
#include <stdio.h>

#include "cli/command.h"
#include "cli/registries.h"
#include "cohort/task.h"
#include "run/run_config.h"

// the keys that can stand before '=' on a command line, groups with their members
static void print_keys(const coh_option *table, const char *prefix) {
  for (const coh_option *row = table; row && row->name; row++) {
    if (row->type != COH_GROUP) {
      printf(" %s%s=", prefix, row->name);
      continue;
    }
    for (const coh_option *inner = row->group; inner->name; inner++)
      printf(" %s.%s=", row->name, inner->name);
  }
}

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  (void)world;
  (void)arguments;
  printf("# bash completion for cohort; use: source <(cohort completion)\n_cohort() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}\n"
         "  local commands='");
  for (const coh_command *const *command = coh_commands; *command; command++)
    printf("%s ", (*command)->name);
  printf("'\n  local topics='run ");
  for (const coh_registry *registry = coh_registries; registry->name; registry++)
    for (int64_t i = 0; i < registry->set->n_kinds; i++)
      printf("%s ", registry->set->kinds[i]->name);
  printf("'\n  local registries='");
  for (const coh_registry *registry = coh_registries; registry->name; registry++)
    printf("%s ", registry->name);
  printf("'\n  local keys='");
  print_keys(coh_run_option_table, "");
  for (int64_t i = 0; i < coh_task_kinds.n_kinds; i++)
    print_keys(coh_task_kinds.kinds[i]->options, "");
  printf("'\n  if [ \"$COMP_CWORD\" = 1 ]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$word\")\n"
         "    return\n  fi\n"
         "  case $command in\n"
         "  help) mapfile -t COMPREPLY < <(compgen -W \"$commands $topics\" -- \"$word\") ;;\n"
         "  list) mapfile -t COMPREPLY < <(compgen -W \"$registries\" -- \"$word\") ;;\n"
         "  *)\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\"; compgen -W \"$keys\" -- "
         "\"$word\")\n"
         "    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
         "    ;;\n  esac\n}\ncomplete -o filenames -F _cohort cohort\n");
  return COH_OK;
}

const coh_command coh_command_completion = {
    .name = "completion",
    .usage = "completion",
    .doc = "Print a bash completion script: source <(cohort completion).",
    .run = run,
};
