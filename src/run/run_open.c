/* Opening and closing runs, and the two ways to begin one: start and resume. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/trace.h"
#include "cohort/graph.h"
#include "cohort/version.h"
#include "comm/threads.h"
#include "io/file.h"
#include "la/libraries.h"
#include "run/driver.h"
#include "run/machine.h"
#include "run/run_trace.h"

// where what the run makes comes from; a folder is known by its last name
static void say_provenance(coh_run *run) {
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s", *run->folder ? run->folder : run->config.name);
  if (!*run->folder && strrchr(path, '/')) *strrchr(path, '/') = '\0'; // FOLDER/config.yaml
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/')
    path[--n] = '\0';
  const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
  snprintf(run->provenance, sizeof run->provenance,
           "cohort %s, task %s, run %.200s, id %016llx, seed %lld", coh_version(),
           run->config.task->kind.name, name, (unsigned long long)run->config.hash,
           (long long)run->config.run->seed);
}

// every rank can, or none does: all compute alike
static coh_status choose_precision(coh_run *run, int *precision) {
  *precision = run->config.run->precision;
  if (*precision == COH_PRECISION_F32) return COH_OK;
  int64_t all_can = coh_la_has_bf16();
  COH_TRY(coh_comm_reduce_int(run->world, COH_REDUCE_MIN, &all_can, 1));
  if (all_can) return COH_OK;
  *precision = COH_PRECISION_F32;
  if (run->root)
    coh_log(COH_LOG_WARNING,
            "precision: bf16 needs processors with AMX or AVX-512 BF16 (this one: %s); the run "
            "computes in f32",
            coh_la_processor());
  return COH_OK;
}

static coh_status create_task(coh_run *run) {
  COH_TRY(coh_lanes_split(run->world, run->config.run->lanes, &run->lanes));
  say_provenance(run);
  int n_threads = 1, precision = COH_PRECISION_F32;
  COH_TRY(choose_precision(run, &precision));
  COH_TRY(coh_threads_choose(run->world, run->config.run->threads, &run->lanes, &n_threads));
  run->context = (coh_run_context){
      .world = run->world,
      .lanes = run->lanes,
      .n_threads = n_threads,
      .seed = (uint64_t)run->config.run->seed,
      .steps = run->config.run->steps,
      .precision = precision,
      .config_name = run->config.name,
      .folder = *run->folder ? run->folder : NULL,
      .provenance = run->provenance,
  };
  return run->config.task->create(&run->context, run->config.task_options, &run->task);
}

// the config that a run starts with: a file, or the text that options bring
static coh_status read_config(const char *path, const coh_run_start_options *options,
                              coh_run_config *config) {
  if (!options) return coh_run_config_read(path, NULL, 0, config);
  if (options->text)
    return coh_run_config_parse(path, options->text, options->overrides, options->n_overrides,
                                config);
  return coh_run_config_read(path, options->overrides, options->n_overrides, config);
}

coh_status coh_run_open(coh_run *run, coh_world *world, const char *config_path,
                        const coh_run_start_options *options, const char *folder) {
  *run =
      (coh_run){.world = world, .root = coh_world_rank(world) == 0, .begun = coh_clock_now()};
  run->quiet = options && options->quiet;
  run->output = options && run->root ? options->output : NULL;
  snprintf(run->folder, sizeof run->folder, "%s", folder);
  run->tables = options && options->tables;
  coh_status status = coh_comm_agree(world, read_config(config_path, options, &run->config));
  if (status == COH_OK) status = coh_comm_agree(world, create_task(run));
  if (status != COH_OK) coh_run_close(run);
  return status;
}

void coh_run_close(coh_run *run) {
  coh_trace_stop();
  coh_watchdog_stop(&run->watchdog);
  coh_metrics_close(&run->metrics);
  if (run->task) run->config.task->destroy(&run->task);
  coh_run_config_clear(&run->config);
}

// remove what a killed session was in the middle of writing
static void sweep(const char *folder) {
  static const char *const places[] = {
      "", "/checkpoints", "/results", "/results/progress", "/results/projector", "/figures"};
  for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
    char path[COH_PATH_BYTES];
    snprintf(path, sizeof path, "%s%s", folder, places[k]);
    if (coh_file_exists(path) && coh_folder_sweep(path) != COH_OK)
      coh_log(COH_LOG_WARNING, "leftovers stay: %s", coh_error_message());
  }
}

// open what a run that goes on needs: log, metrics, watchdog, the resolved config on disk
static coh_status begin_writing(coh_run *run, const coh_metrics_position *position) {
  char path[COH_PATH_BYTES];
  if (run->root) {
    if (position) sweep(run->folder);
    snprintf(path, sizeof path, "%s/logs", run->folder);
    COH_TRY(coh_folder_make(path));
    snprintf(path, sizeof path, "%s/config.yaml", run->folder);
    COH_TRY(coh_file_save(path, run->config.text, strlen(run->config.text)));
    COH_TRY(coh_metrics_open(run->folder, position, &run->metrics));
  }
  return COH_OK;
}

static coh_status begin_logs(coh_run *run) {
  char path[COH_PATH_BYTES], threads[128];
  snprintf(path, sizeof path, "%s/logs/rank-%05d.log", run->folder, coh_world_rank(run->world));
  COH_TRY(coh_comm_agree(run->world, coh_log_open(path)));
  COH_TRY(coh_threads_describe(run->world, run->context.n_threads, threads));
  coh_log(COH_LOG_INFO, "%s on %s, rank %d of %d, lanes %lld to %lld of %lld; %s",
          run->config.task->kind.name, coh_world_host(run->world), coh_world_rank(run->world),
          coh_world_size(run->world), (long long)run->lanes.first,
          (long long)(run->lanes.first + run->lanes.n_local - 1), (long long)run->lanes.n_lanes,
          threads);
  if (run->root && !run->quiet)
    fprintf(stderr, "cohort: %s: %s, %lld lane%s on %s\n", run->folder,
            run->config.task->kind.name, (long long)run->lanes.n_lanes,
            run->lanes.n_lanes == 1 ? "" : "s", threads);
  coh_status status = coh_watchdog_start(run->world, run->config.run->watchdog, &run->watchdog);
  if (status == COH_OK) status = coh_signals_open();
  if (status == COH_OK && run->root) status = coh_machine_write(run->folder, threads);
  return coh_comm_agree(run->world, status);
}

// drive to the end and close; the driver's status is the run's
static coh_status drive_and_close(coh_run *run) {
  coh_status status = begin_logs(run);
  if (status == COH_OK) status = coh_run_trace_begin(run);
  if (status == COH_OK) status = coh_run_drive(run);
  if (status == COH_OK) status = coh_run_finish(run, "finished");
  coh_signals_close();
  coh_run_close(run);
  if (coh_log_open(NULL) != COH_OK) return coh_fail(COH_E_INTERNAL, "the log does not close");
  return status;
}

// bytes of the part of a path that exists already; all that follows would have to be made
static size_t existing_part(const char *path) {
  char part[COH_PATH_BYTES];
  snprintf(part, sizeof part, "%s", path);
  for (size_t n = strlen(part); n > 0; n--) {
    if (part[n] != '/' && part[n] != '\0') continue;
    part[n] = '\0';
    if (coh_file_exists(part)) return n;
  }
  return 0;
}

// take away the empty folders that were made for a run that did not begin
static void unmake_folder(char *folder, size_t n_existing) {
  for (size_t n = strlen(folder); n > n_existing; n--) {
    if (folder[n] != '/' && folder[n] != '\0') continue;
    folder[n] = '\0';
    if (rmdir(folder) != 0) return;
  }
}

coh_status coh_run_choose_folder(const char *name, const char *asked, char *folder,
                                 size_t n_bytes, size_t *n_existing) {
  if (asked) {
    COH_CHECK(*asked && strlen(asked) < n_bytes, COH_E_CONFIG,
              "-o: the name of a folder is expected, of less than %zu bytes", n_bytes);
    snprintf(folder, n_bytes, "%s", asked);
    char path[COH_PATH_BYTES];
    snprintf(path, sizeof path, "%s/config.yaml", folder);
    COH_CHECK(!coh_file_exists(path) && !coh_run_is_sweep(folder), COH_E_CONFIG,
              "%s: holds a run already; resume it (cohort resume %s) or choose another folder",
              folder, folder);
    *n_existing = existing_part(folder);
    return coh_folder_make(folder);
  }
  for (int k = 1; k < 100000; k++) {
    if (k == 1)
      snprintf(folder, n_bytes, "runs/%s", name);
    else
      snprintf(folder, n_bytes, "runs/%s-%d", name, k);
    *n_existing = existing_part(folder);
    if (*n_existing < strlen(folder)) return coh_folder_make(folder);
  }
  return coh_fail(COH_E_IO, "runs/: too many runs named %s", name);
}

void coh_run_name_of(const char *config_path, char name[COH_NAME_BYTES]) {
  const char *base = strrchr(config_path, '/');
  base = base ? base + 1 : config_path;
  snprintf(name, COH_NAME_BYTES, "%.*s", (int)strcspn(base, "."), base);
}

coh_status coh_run_start(coh_world *world, const char *config_path,
                         const coh_run_start_options *options) {
  // the config is checked before a folder is made, so a typo leaves nothing behind
  coh_run_config config = {0};
  coh_status status = read_config(config_path, options, &config);
  coh_run_config_clear(&config);
  COH_TRY(coh_comm_agree(world, status));

  char folder[COH_PATH_BYTES - 1024] = "";
  size_t n_existing = 0;
  char name[COH_NAME_BYTES];
  coh_run_name_of(config_path, name);
  if (coh_world_rank(world) == 0)
    status = coh_run_choose_folder(name, options ? options->folder : NULL, folder,
                                   sizeof folder, &n_existing);
  COH_TRY(coh_comm_agree(world, status));
  COH_TRY(coh_comm_bcast(world, folder, sizeof folder, 0));
  coh_run *run;
  COH_NEW(run, 1);
  status = coh_run_open(run, world, config_path, options, folder);
  if (status != COH_OK) {
    if (coh_world_rank(world) == 0) unmake_folder(folder, n_existing);
    coh_free(run);
    return status;
  }
  status = coh_comm_agree(world, begin_writing(run, NULL));
  if (status == COH_OK)
    status = drive_and_close(run);
  else
    coh_run_close(run);
  coh_free(run);
  return status;
}

// overrides of a resume may change only what the bits do not depend on
static coh_status check_overrides(const char *path, const coh_run_config *changed) {
  coh_run_config original;
  COH_TRY(coh_run_config_read(path, NULL, 0, &original));
  bool same = original.hash == changed->hash;
  coh_run_config_clear(&original);
  COH_CHECK(same, COH_E_CONFIG,
            "resume can only change steps, threads, checkpoint_every, checkpoint_keep, "
            "watchdog, trace and actor_ranks; start a new run for anything else");
  return COH_OK;
}

coh_status coh_run_resume(coh_world *world, const char *folder,
                          const coh_run_start_options *options) {
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s/config.yaml", folder);
  coh_status status = COH_OK;
  if (!coh_file_exists(path))
    status = coh_fail(COH_E_CHECKPOINT, "%s: is no run folder (it has no config.yaml)", folder);
  COH_TRY(coh_comm_agree(world, status));
  coh_run *run;
  COH_NEW(run, 1);
  status = coh_run_open(run, world, path, options, folder);
  if (status != COH_OK) {
    coh_free(run);
    return status;
  }
  coh_checkpoint_info info = {0};
  char *checkpoint = NULL;
  status = coh_comm_agree(world, check_overrides(path, &run->config));
  if (status == COH_OK)
    status = coh_checkpoint_find(world, folder, run->config.hash, &checkpoint, &info);
  if (status == COH_OK)
    status = coh_checkpoint_load(world, &run->lanes, &run->config, run->task, checkpoint);
  if (status == COH_OK) {
    run->seconds_before = info.seconds;
    snprintf(run->checkpoint, sizeof run->checkpoint, "%s", checkpoint);
    status = coh_comm_agree(world, begin_writing(run, &info.metrics));
  }
  coh_free(checkpoint);
  if (status == COH_OK)
    status = drive_and_close(run);
  else
    coh_run_close(run);
  coh_free(run);
  return status;
}
