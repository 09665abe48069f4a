/* One flat map of options: the driver's table and the task's, joined at run time so that
 * parsing, unknown keys, the resolved config and help treat them as one. */
#include "run/run_config.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checksum.h"

#define FIELD(member) .offset = offsetof(coh_run_options, member)

const coh_option coh_run_option_table[] = {
    {.name = "task",
     .type = COH_STRING,
     FIELD(task),
     .doc = "What is run; `cohort list tasks` shows all."},
    {.name = "seed",
     .type = COH_INT,
     FIELD(seed),
     .initial = "1",
     .max = 0x1p62,
     .doc = "Seed of every random draw; with the config it determines the run."},
    {.name = "lanes",
     .type = COH_INT,
     FIELD(lanes),
     .initial = "1",
     .min = 1,
     .max = 65536,
     .doc = "Shares of the work that ranks and threads take; part of what is computed, so it "
            "never changes during a run's life. At least the number of ranks times threads."},
    {.name = "steps",
     .type = COH_INT,
     FIELD(steps),
     .min = 1,
     .max = 0x1p62,
     .unit = "the task's unit",
     .doc = "Length of the run."},
    {.name = "precision",
     .type = COH_CHOICE,
     FIELD(precision),
     .initial = "f32",
     .choices = "f32|bf16",
     .doc = "Of convolutions; weights and sums are always single or double. bf16 needs "
            "processors with AMX or AVX-512 BF16; others say so and compute in f32."},
    {.name = "threads",
     .type = COH_INT,
     FIELD(threads),
     .initial = "0",
     .max = 4096,
     .doc = "OpenMP threads a rank; 0: OMP_NUM_THREADS, or the cores that it may use. Does not "
            "change a result."},
    {.name = "log_every",
     .type = COH_INT,
     FIELD(log_every),
     .initial = "1000",
     .min = 1,
     .max = INFINITY,
     .unit = "the task's unit",
     .doc = "Distance of rows of metrics."},
    {.name = "evaluate_every",
     .type = COH_INT,
     FIELD(evaluate_every),
     .initial = "0",
     .max = INFINITY,
     .unit = "the task's unit",
     .doc = "Distance of evaluations; 0: only at the end."},
    {.name = "checkpoint_every",
     .type = COH_INT,
     FIELD(checkpoint_every),
     .initial = "0",
     .max = INFINITY,
     .unit = "the task's unit",
     .doc = "Distance of checkpoints; 0: only at the end and on request (SIGTERM, SIGUSR1)."},
    {.name = "checkpoint_keep",
     .type = COH_INT,
     FIELD(checkpoint_keep),
     .initial = "2",
     .min = 1,
     .max = 1000,
     .doc = "Checkpoints kept; older ones are removed."},
    {.name = "watchdog",
     .type = COH_REAL,
     FIELD(watchdog),
     .initial = "0",
     .max = 1e6,
     .unit = "s",
     .doc = "Without progress for so long a rank ends the job (exit 86); 0: off."},
    {.name = "trace",
     .type = COH_INT,
     FIELD(trace),
     .initial = "0",
     .max = 1 << 24,
     .unit = "spans",
     .doc =
         "Keep each rank's latest spans of work and messages for results/timeline.json (Chrome "
         "trace format) and its picture; 0: off."},
    {0},
};

// keys that may differ between a checkpoint and the run that resumes it
static const char *const free_keys[] = {"steps",           "threads",  "checkpoint_every",
                                        "checkpoint_keep", "watchdog", "trace",
                                        "actor_ranks"};

static size_t task_offset(void) {
  return (sizeof(coh_run_options) + 63) / 64 * 64;
}

static int64_t count_rows(const coh_option *table) {
  int64_t n = 0;
  while (table && table[n].name)
    n++;
  return n;
}

static coh_status join_tables(const coh_task_type *task, coh_option **joined) {
  int64_t n_run = count_rows(coh_run_option_table), n_task = count_rows(task->kind.options);
  coh_option *table;
  COH_NEW(table, n_run + n_task + 1);
  memcpy(table, coh_run_option_table, (size_t)n_run * sizeof *table);
  for (int64_t i = 0; i < n_task; i++) {
    table[n_run + i] = task->kind.options[i];
    table[n_run + i].offset += task_offset();
  }
  *joined = table;
  return COH_OK;
}

static coh_status find_task(const coh_config *root, const coh_task_type **task) {
  const coh_config *node = coh_config_child(root, "task");
  const char *name = coh_config_text(node);
  if (!name) {
    if (node) return coh_config_fail(node, "the name of a task is expected");
    return coh_config_fail(root, "task: is missing; `cohort list tasks` shows all");
  }
  const coh_kind *kind = coh_kind_find(&coh_task_kinds, name);
  if (!kind) {
    const char *nearest = coh_kind_nearest(&coh_task_kinds, name);
    if (nearest)
      return coh_config_fail(node, "'%s' is unknown; did you mean '%s'?", name, nearest);
    return coh_config_fail(node, "'%s' is unknown; `cohort list tasks` shows all", name);
  }
  *task = (const coh_task_type *)kind;
  return COH_OK;
}

// hash the resolved text without the lines of the free keys
static uint64_t hash_text(const char *text) {
  uint64_t hash = 0;
  while (*text) {
    size_t n = strcspn(text, "\n") + 1;
    bool is_free = false;
    for (size_t k = 0; k < sizeof free_keys / sizeof *free_keys; k++) {
      size_t length = strlen(free_keys[k]);
      is_free = is_free || (strncmp(text, free_keys[k], length) == 0 && text[length] == ':');
    }
    if (!is_free) hash = coh_checksum_fold(hash, text, n - 1);
    text += text[n - 1] ? n : n - 1;
  }
  return hash;
}

static coh_status resolve(const coh_config *root, const char *path, coh_run_config *config) {
  COH_TRY(find_task(root, &config->task));
  COH_TRY(join_tables(config->task, &config->table));
  char *block;
  COH_NEW(block, task_offset() + config->task->kind.options_size);
  config->run = (coh_run_options *)(void *)block;
  config->task_options = block + task_offset();
  COH_TRY(coh_options_fill(config->table, root, block));
  COH_TRY(coh_options_write(config->table, block, 0, &config->text));
  config->hash = hash_text(config->text);
  config->name = coh_alloc_string(path);
  COH_CHECK(config->name, COH_E_MEMORY, "out of memory");
  return COH_OK;
}

// root: taken
static coh_status finish(coh_config *root, const char *name, const char *const *overrides,
                         int64_t n_overrides, coh_run_config *config) {
  coh_status status = COH_OK;
  for (int64_t i = 0; i < n_overrides && status == COH_OK; i++)
    status = coh_config_override(root, overrides[i]);
  if (status == COH_OK) status = resolve(root, name, config);
  coh_config_destroy(&root);
  if (status != COH_OK) coh_run_config_clear(config);
  return status;
}

coh_status coh_run_config_read(const char *path, const char *const *overrides,
                               int64_t n_overrides, coh_run_config *config) {
  *config = (coh_run_config){0};
  coh_config *root = NULL;
  COH_TRY(coh_config_read(path, &root));
  return finish(root, path, overrides, n_overrides, config);
}

coh_status coh_run_config_parse(const char *name, const char *text,
                                const char *const *overrides, int64_t n_overrides,
                                coh_run_config *config) {
  *config = (coh_run_config){0};
  coh_config *root = NULL;
  COH_TRY(coh_config_parse(name, text, strlen(text), &root));
  return finish(root, name, overrides, n_overrides, config);
}

void coh_run_config_clear(coh_run_config *config) {
  if (config->run) coh_options_clear(config->table, config->run);
  coh_free(config->run);
  coh_free(config->table);
  coh_free(config->text);
  coh_free(config->name);
  *config = (coh_run_config){0};
}
