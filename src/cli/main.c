/* The `cohort` program: takes the command line apart and calls the library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/command.h"
#include "cohort/version.h"

#define X(name) extern const coh_command coh_command_##name;
#include "cli/command.def"
#undef X

const coh_command *const coh_commands[] = {
#define X(name) &coh_command_##name,
#include "cli/command.def"
#undef X
    NULL,
};

enum { MOST_ARGUMENTS = 1024 };

// an option of a sweep and its value. *taken: out, whether it is one
static coh_status take_sweep_option(const char *name, const char *value,
                                    coh_sweep_options *sweep, bool *taken) {
  const struct {
    const char *name;
    const char **text;
    int64_t *number;
    int64_t least;
  } table[] = {
      {"--seeds", &sweep->seeds, NULL, 0},     {"--metric", &sweep->metric, NULL, 0},
      {"--random", NULL, &sweep->n_random, 1}, {"--random-seed", NULL, &sweep->random_seed, 0},
      {"--groups", NULL, &sweep->n_groups, 1},
  };
  *taken = false;
  for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
    if (strcmp(name, table[k].name) != 0) continue;
    *taken = true;
    COH_CHECK(value, COH_E_CONFIG, "%s needs a value", name);
    if (table[k].text)
      *table[k].text = value;
    else
      COH_CHECK(coh_text_to_int(value, table[k].number) && *table[k].number >= table[k].least,
                COH_E_CONFIG, "%s %s: a whole number from %lld on is expected", name, value,
                (long long)table[k].least);
  }
  return COH_OK;
}

// the arguments that do not start with '-' and hold '=' are overrides
static coh_status take_apart(int count, char **argument, coh_arguments *out, const char **words,
                             const char **overrides) {
  COH_CHECK(count <= MOST_ARGUMENTS, COH_E_CONFIG, "over %d arguments", MOST_ARGUMENTS);
  out->word = words;
  out->override = overrides;
  for (int i = 0; i < count; i++) {
    const char *text = argument[i];
    if (strcmp(text, "-o") == 0) {
      COH_CHECK(i + 1 < count, COH_E_CONFIG, "-o needs the name of a folder");
      out->folder = argument[++i];
    } else if (strcmp(text, "--on") == 0) {
      COH_CHECK(i + 1 < count, COH_E_CONFIG, "--on needs the folder of a run");
      out->on = argument[++i];
    } else if (strcmp(text, "-q") == 0) {
      out->quiet = true;
    } else if (strcmp(text, "--play") == 0) {
      out->play = true;
    } else if (strcmp(text, "--compare") == 0) {
      out->compare = true;
    } else if (*text == '-') {
      bool taken = false;
      COH_TRY(
          take_sweep_option(text, i + 1 < count ? argument[i + 1] : NULL, &out->sweep, &taken));
      if (taken) {
        i++;
        continue;
      }
      return coh_fail(COH_E_CONFIG, "option '%s' is unknown; see `cohort help`", text);
    } else if (strchr(text, '=')) {
      overrides[out->n_overrides++] = text;
    } else {
      words[out->n_words++] = text;
    }
  }
  return COH_OK;
}

coh_run_start_options coh_arguments_start(const coh_arguments *arguments) {
  return (coh_run_start_options){
      .overrides = arguments->override,
      .n_overrides = arguments->n_overrides,
      .folder = arguments->folder,
      .quiet = arguments->quiet,
      .output = stdout,
  };
}

static coh_status find_command(const char *name, const coh_command **found) {
  const char *names[64];
  int64_t n_names = 0;
  for (const coh_command *const *command = coh_commands; *command; command++) {
    names[n_names++] = (*command)->name;
    if (strcmp((*command)->name, name) == 0) {
      *found = *command;
      return COH_OK;
    }
  }
  const char *nearest = coh_text_nearest(name, names, n_names);
  if (nearest)
    return coh_fail(COH_E_CONFIG, "command '%s' is unknown; did you mean '%s'?", name, nearest);
  return coh_fail(COH_E_CONFIG, "command '%s' is unknown; see `cohort help`", name);
}

static coh_status call(const coh_command *command, const coh_arguments *arguments,
                       coh_world *world) {
  COH_CHECK(arguments->n_words >= command->min_words &&
                arguments->n_words <= command->max_words,
            COH_E_CONFIG, "usage: cohort %s", command->usage);
  return command->run(world, arguments);
}

// a status that everybody has agreed on: rank 0 speaks for all
static int leave(coh_world *world, coh_status status) {
  if (status != COH_OK && (!world || coh_world_rank(world) == 0))
    fprintf(stderr, "cohort: %s%s\n",
            status == COH_E_SAVED ? "" : "error: ", coh_error_message());
  coh_world_close(&world);
#ifndef NDEBUG
  // what was allocated is released, on every way out
  if (coh_alloc_live() != 0)
    fprintf(stderr, "cohort: warning: %lld blocks leak\n", (long long)coh_alloc_live());
#endif
  return coh_status_exit_code(status);
}

static int usage_fault(const char *message) {
  fprintf(stderr, "cohort: error: %s\n", message);
  return coh_status_exit_code(COH_E_CONFIG);
}

// whether mpirun or srun started this process as another rank than the first: commands that
// need no world are then done once
static bool is_further_rank(void) {
  const char *rank = getenv("PMIX_RANK");
  if (!rank) rank = getenv("PMI_RANK");
  return rank && strcmp(rank, "0") != 0;
}

int main(int count, char **argument) {
  if (count < 2) {
    if (!is_further_rank()) coh_help_show(NULL);
    return coh_status_exit_code(COH_E_CONFIG);
  }
  if (strcmp(argument[1], "--version") == 0) {
    if (is_further_rank()) return 0;
    printf("cohort %s\n", coh_version());
    return 0;
  }
  if (strcmp(argument[1], "--help") == 0 || strcmp(argument[1], "-h") == 0)
    return is_further_rank() ? 0 : leave(NULL, coh_help_show(count > 2 ? argument[2] : NULL));

  const char *words[MOST_ARGUMENTS], *overrides[MOST_ARGUMENTS];
  coh_arguments arguments = {0};
  const coh_command *command = NULL;
  coh_status status = find_command(argument[1], &command);
  if (status == COH_OK)
    status = take_apart(count - 2, argument + 2, &arguments, words, overrides);
  coh_world *world = NULL;
  if (status == COH_OK && !command->needs_world)
    return is_further_rank() ? 0 : leave(NULL, call(command, &arguments, NULL));

  // usage faults are the same on every rank; open the world so that only one of them speaks
  char message[1024];
  snprintf(message, sizeof message, "%s", coh_error_message());
  if (coh_world_open(&world) != COH_OK) return usage_fault(coh_error_message());
  if (status != COH_OK) return leave(world, coh_fail(status, "%s", message));
  return leave(world, call(command, &arguments, world));
}
