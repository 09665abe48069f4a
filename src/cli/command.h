/* Commands of the `cohort` program: one small file each, one line each in command.def. */
#ifndef COHORT_CLI_COMMAND_H
#define COHORT_CLI_COMMAND_H

#include "cohort/comm.h"
#include "cohort/run.h"
#include "cohort/status.h"

/* A command line after the command's name, taken apart. */
typedef struct coh_arguments {
  const char *const *word; /* arguments without '=' or '-', e.g. a config or a run folder */
  int64_t n_words;
  const char *const *override; /* key.path=value */
  int64_t n_overrides;
  const char *folder;      /* -o */
  bool quiet;              /* -q */
  bool play;               /* --play */
  bool compare;            /* --compare */
  const char *on;          /* --on */
  coh_sweep_options sweep; /* --seeds, --random, --groups, ... */
} coh_arguments;

typedef struct coh_command {
  const char *name, *usage, *doc;
  int64_t min_words, max_words;
  bool needs_world; /* under mpirun all ranks take part; others run on one rank alone */
  coh_status (*run)(coh_world *world, const coh_arguments *arguments);
} coh_command;

/* All commands, in the order of help; ends with a NULL. */
extern const coh_command *const coh_commands[];

/* What run, resume and eval pass to the library; results go to standard output. */
coh_run_start_options coh_arguments_start(const coh_arguments *arguments);

/* Show help about a topic to standard output; NULL: the overview. Fails: COH_E_CONFIG. */
coh_status coh_help_show(const char *topic);

#endif
