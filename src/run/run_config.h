/* The config of a run: the driver's own options and the task's, in one flat map. */
#ifndef COHORT_RUN_RUN_CONFIG_H
#define COHORT_RUN_RUN_CONFIG_H

#include "cohort/option.h"
#include "cohort/task.h"

/* The keys that every config has, whatever its task. */
typedef struct coh_run_options {
  char *task;
  int64_t seed, lanes, steps;
  int precision; /* coh_precision */
  int64_t threads;
  int64_t log_every, evaluate_every; /* in the task's unit */
  int64_t checkpoint_every, checkpoint_keep;
  double watchdog; /* s */
  int64_t trace;   /* spans */
} coh_run_options;

extern const coh_option coh_run_option_table[];

typedef struct coh_run_config {
  coh_run_options *run;      /* the driver's part ... */
  void *task_options;        /* ... and the task's, in one block owned by `run` */
  const coh_task_type *task; /* borrowed from the registry */
  coh_option *table;         /* both tables as one; owned */
  char *text;                /* resolved config as YAML; owned */
  uint64_t hash;             /* of everything that the run's bits depend on */
  char *name;                /* file or folder it came from; owned */
} coh_run_config;

/* Read a config and apply overrides ("key.path=value"). path: a YAML file. Not collective.
 * config: out; caller clears. Fails: COH_E_CONFIG with the place. */
coh_status coh_run_config_read(const char *path, const char *const *overrides,
                               int64_t n_overrides, coh_run_config *config);
/* The same from text (YAML) that `name` stands for. */
coh_status coh_run_config_parse(const char *name, const char *text,
                                const char *const *overrides, int64_t n_overrides,
                                coh_run_config *config);
void coh_run_config_clear(coh_run_config *config);

#endif
