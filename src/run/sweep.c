/* A sweep: ranks in groups, each of which takes the next member that nobody has taken.
 *
 *   FOLDER/sweep.json           the plan
 *          members/0001/ ...    run folders
 *          outcomes/0001.json   how it ended; what is there is not run again
 *          claims/0001          who works on what; of this job only
 *
 * Claims are files, since a rank that trains cannot answer others (one thread makes MPI calls,
 * and one-sided calls do not cross nodes everywhere). Who runs a member changes nothing of it.
 */
#include "run/sweep.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "comm/signals.h"
#include "io/file.h"
#include "run/checkpoint.h"
#include "run/driver.h"

typedef struct sweep {
  coh_world *world; /* all ranks */
  coh_world *group; /* this rank's */
  bool leads;       /* its group */
  bool quiet;
  coh_sweep_plan plan;
  int64_t n_groups;
  char folder[COH_PATH_BYTES - 1024];
} sweep;

bool coh_run_is_sweep(const char *folder) {
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s/sweep.json", folder);
  return coh_file_exists(path);
}

// a typo must not cost a night: every member's config is read before the first is run
static coh_status check_members(const coh_sweep_plan *plan) {
  for (int64_t i = 0; i < plan->n_members; i++) {
    char **overrides = NULL;
    int64_t n = 0;
    COH_TRY(coh_sweep_overrides(plan, i, &overrides, &n));
    coh_run_config config = {0};
    coh_status status =
        coh_run_config_read(plan->config, (const char *const *)overrides, n, &config);
    coh_run_config_clear(&config);
    coh_sweep_overrides_free(overrides, n);
    COH_TRY(status);
  }
  return COH_OK;
}

// rank 0: make the plan and its folder
static coh_status begin_sweep(sweep *s, const char *config_path,
                              const coh_run_start_options *start,
                              const coh_sweep_options *options) {
  COH_TRY(coh_sweep_plan_make(config_path, start, options, &s->plan));
  COH_TRY(check_members(&s->plan));
  char name[COH_NAME_BYTES], path[COH_PATH_BYTES];
  coh_run_name_of(config_path, name);
  snprintf(path, sizeof path, "%s-sweep", name);
  size_t n_existing = 0;
  COH_TRY(coh_run_choose_folder(path, start->folder, s->folder, sizeof s->folder, &n_existing));
  return coh_sweep_plan_save(&s->plan, s->folder);
}

static coh_status check_resumed(const char *folder, const coh_run_start_options *start,
                                const coh_sweep_options *options) {
  COH_CHECK(start->n_overrides == 0 && !options->seeds && options->n_random == 0, COH_E_CONFIG,
            "%s: is a sweep that has begun; nothing about its runs can be changed", folder);
  return COH_OK;
}

static coh_status open_sweep(sweep *s, const char *source, const coh_run_start_options *start,
                             const coh_sweep_options *options) {
  bool root = coh_world_rank(s->world) == 0;
  int64_t is_old = root && coh_run_is_sweep(source);
  COH_TRY(coh_comm_reduce_int(s->world, COH_REDUCE_MAX, &is_old, 1));
  coh_status status = COH_OK;
  if (is_old) {
    snprintf(s->folder, sizeof s->folder, "%s", source);
    status = check_resumed(source, start, options);
  } else if (root) {
    status = begin_sweep(s, source, start, options);
  }
  COH_TRY(coh_comm_agree(s->world, status));
  COH_TRY(coh_comm_bcast(s->world, s->folder, sizeof s->folder, 0));
  // claims of an earlier job mean nothing now
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s/claims", s->folder);
  if (root) status = coh_folder_remove(path);
  if (root && status == COH_OK) status = coh_folder_make(path);
  snprintf(path, sizeof path, "%s/outcomes", s->folder);
  if (root && status == COH_OK) status = coh_folder_make(path);
  COH_TRY(coh_comm_agree(s->world, status));
  if (!root || is_old) status = coh_sweep_plan_load(s->folder, &s->plan);
  return coh_comm_agree(s->world, status);
}

// what a config or a divergence did, it would do again; a full disk or a lost peer would not
static bool is_final(const coh_sweep_outcome *outcome) {
  return outcome->is_known &&
         (outcome->status == COH_OK || outcome->status == COH_E_CONFIG ||
          outcome->status == COH_E_DATA || outcome->status == COH_E_DIVERGED);
}

// the leader: the next member that is neither done nor taken, n_members if there is none
static coh_status claim_next(sweep *s, int64_t *next) {
  for (; *next < s->plan.n_members; ++*next) {
    coh_sweep_outcome outcome;
    char path[COH_PATH_BYTES];
    bool claimed = false;
    COH_TRY(coh_sweep_outcome_read(s->folder, *next, &outcome));
    if (is_final(&outcome)) continue;
    snprintf(path, sizeof path, "%s/claims/%04lld", s->folder, (long long)*next + 1);
    COH_TRY(coh_file_claim(path, &claimed));
    if (claimed) return COH_OK;
  }
  return COH_OK;
}

static bool has_checkpoint(const char *folder) {
  char path[COH_PATH_BYTES + 32];
  snprintf(path, sizeof path, "%s/checkpoints", folder);
  char **names = NULL;
  int64_t n_names = 0;
  if (!coh_file_exists(path) || coh_checkpoint_list(path, &names, &n_names) != COH_OK)
    return false;
  coh_checkpoint_list_free(names, n_names);
  return n_names > 0;
}

// resume from a checkpoint, or start over a folder that never got that far
static coh_status start_or_resume(sweep *s, const char *folder,
                                  const coh_run_start_options *start) {
  int64_t resumes = s->leads && has_checkpoint(folder);
  COH_TRY(coh_comm_reduce_int(s->group, COH_REDUCE_MAX, &resumes, 1));
  if (resumes) {
    coh_status status =
        coh_run_resume(s->group, folder, &(coh_run_start_options){.quiet = true});
    if (status != COH_E_CHECKPOINT) return status;
  }
  coh_status status = s->leads ? coh_folder_remove(folder) : COH_OK;
  COH_TRY(coh_comm_agree(s->group, status));
  return coh_run_start(s->group, s->plan.config, start);
}

static double seconds_of(const char *folder) {
  char path[COH_PATH_BYTES + 32];
  snprintf(path, sizeof path, "%s/timing.jsonl", folder);
  coh_metrics_table timing = {0};
  double *seconds = NULL, last = 0;
  int64_t n = 0;
  if (coh_file_exists(path) && coh_metrics_read(path, &timing) == COH_OK &&
      coh_metrics_column(&timing, "time/seconds", NULL, &seconds, &n) == COH_OK && n > 0)
    last = seconds[n - 1];
  coh_free(seconds);
  coh_metrics_clear(&timing);
  return last;
}

static coh_status note_outcome(sweep *s, int64_t member, coh_status status,
                               const char *folder) {
  coh_sweep_outcome outcome = {
      .is_known = true, .status = status, .n_ranks = coh_world_size(s->group)};
  if (status != COH_OK)
    snprintf(outcome.message, sizeof outcome.message, "%s", coh_error_message());
  outcome.seconds = seconds_of(folder);
  char words[512];
  coh_sweep_words(&s->plan, member, true, words, sizeof words);
  if (!s->quiet)
    fprintf(stderr, "cohort: run %04lld of %lld (%s) %s%s\n", (long long)member + 1,
            (long long)s->plan.n_members, words,
            status == COH_OK ? "finished" : "failed: ", outcome.message);
  return coh_sweep_outcome_write(s->folder, member, &outcome);
}

static coh_status run_member(sweep *s, int64_t member) {
  char folder[COH_PATH_BYTES];
  coh_sweep_member_folder(s->folder, member, folder, sizeof folder);
  char **overrides = NULL;
  int64_t n = 0;
  coh_status status = coh_sweep_overrides(&s->plan, member, &overrides, &n);
  if (status == COH_OK)
    status =
        start_or_resume(s, folder,
                        &(coh_run_start_options){.overrides = (const char *const *)overrides,
                                                 .n_overrides = n,
                                                 .folder = folder,
                                                 .quiet = true});
  coh_sweep_overrides_free(overrides, n);
  if (status == COH_E_SAVED) return status;
  if (s->leads) status = note_outcome(s, member, status, folder);
  return s->leads ? status : COH_OK;
}

// one group's work; *stopped: out, whether it was asked to end
static coh_status work(sweep *s, bool *stopped) {
  for (int64_t next = 0;; next++) {
    coh_request request = COH_REQUEST_NONE;
    COH_TRY(coh_signals_agree(s->group, &request));
    *stopped = request != COH_REQUEST_NONE;
    if (*stopped) return COH_OK;
    coh_status status = s->leads ? claim_next(s, &next) : COH_OK;
    COH_TRY(coh_comm_agree(s->group, status));
    COH_TRY(coh_comm_bcast(s->group, &next, sizeof next, 0));
    if (next == s->plan.n_members) return COH_OK;
    status = run_member(s, next);
    *stopped = status == COH_E_SAVED;
    if (*stopped) return COH_OK;
    COH_TRY(coh_comm_agree(s->group, status));
  }
}

// rank 0: tables and report; the first failure is the sweep's
static coh_status conclude(sweep *s, FILE *output) {
  COH_TRY(coh_run_sweep_report(s->folder, output));
  for (int64_t i = 0; i < s->plan.n_members; i++) {
    coh_sweep_outcome outcome;
    COH_TRY(coh_sweep_outcome_read(s->folder, i, &outcome));
    COH_CHECK(outcome.is_known, COH_E_INTERNAL, "run %04lld has no outcome", (long long)i + 1);
    if (outcome.status == COH_OK) continue;
    char words[512];
    coh_sweep_words(&s->plan, i, true, words, sizeof words);
    return coh_fail(outcome.status,
                    "run %04lld (%s) failed: %s; all others are in %s/sweep.csv",
                    (long long)i + 1, words, outcome.message, s->folder);
  }
  return COH_OK;
}

static coh_status run_groups(sweep *s, const coh_sweep_options *options) {
  int64_t size = coh_world_size(s->world), n_members = s->plan.n_members;
  int64_t most = size < n_members ? size : n_members;
  COH_CHECK(options->n_groups <= size, COH_E_CONFIG, "--groups %lld: there are %lld ranks",
            (long long)options->n_groups, (long long)size);
  s->n_groups = options->n_groups ? options->n_groups : most;
  int group = 0;
  COH_TRY(coh_world_split(s->world, (int)s->n_groups, &group, &s->group));
  s->leads = coh_world_rank(s->group) == 0;
  if (coh_world_rank(s->world) == 0 && !s->quiet)
    fprintf(stderr, "cohort: %s: %lld runs on %lld group%s of %lld rank%s\n", s->folder,
            (long long)n_members, (long long)s->n_groups, s->n_groups == 1 ? "" : "s",
            (long long)size, size == 1 ? "" : "s");
  bool stopped = false;
  // a fault of the sweep itself, e.g. a full disk, ends the job: other groups are not waiting
  coh_status status = work(s, &stopped);
  if (status != COH_OK && size > 1) coh_comm_abort(s->world, status);
  coh_world_close(&s->group);
  COH_TRY(status);
  int64_t any = stopped;
  COH_TRY(coh_comm_reduce_int(s->world, COH_REDUCE_MAX, &any, 1));
  COH_CHECK(!any, COH_E_SAVED, "saved on request; go on with: cohort resume %s", s->folder);
  return COH_OK;
}

coh_status coh_run_sweep(coh_world *world, const char *source,
                         const coh_run_start_options *start, const coh_sweep_options *options) {
  sweep *s;
  COH_NEW(s, 1);
  s->world = world;
  s->quiet = start->quiet;
  coh_status status = coh_comm_agree(world, coh_signals_open());
  if (status == COH_OK) status = open_sweep(s, source, start, options);
  if (status == COH_OK) status = run_groups(s, options);
  if (status == COH_OK) {
    if (coh_world_rank(world) == 0) status = conclude(s, start->output);
    status = coh_comm_agree(world, status);
  }
  coh_signals_close();
  coh_sweep_plan_clear(&s->plan);
  coh_free(s);
  return status;
}
