/* Recording behaviour: of chance, of the agent of a run, or of whoever the caller asks. Every
 * rank records (task/recorder.h); rank 0 writes. */
#include "run/record.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/choice.h"
#include "base/text.h"
#include "cohort/env.h"
#include "io/file.h"
#include "run/driver.h"
#include "task/recorder.h"

#define FIELD(member) .offset = offsetof(coh_record_options, member)

const coh_option coh_record_option_table[] = {
    {.name = "transitions",
     .type = COH_INT,
     FIELD(transitions),
     .initial = "10000",
     .min = 1,
     .max = 1e12,
     .doc = "Transitions to record; the last episode is cut there."},
    {.name = "episodes",
     .type = COH_INT,
     FIELD(episodes),
     .initial = "0",
     .max = 1e12,
     .doc = "Episodes to record; 0: as many as the transitions make."},
    {.name = "epsilon",
     .type = COH_REAL,
     FIELD(epsilon),
     .initial = "0",
     .max = 1,
     .doc = "Probability of a random action instead of the agent's."},
    {.name = "seed",
     .type = COH_INT,
     FIELD(seed),
     .initial = "1",
     .max = 0x1p62,
     .doc = "Seed of the environment and of random actions."},
    {0},
};

// who acts, and where
typedef struct recording {
  coh_record_options options;
  coh_choice env_choice; // owned, where the source is an environment
  coh_run *run;          // where it is a run
  coh_record_player *player;
  void *player_context;
  coh_recorder recorder;
  coh_transitions *made;
} recording;

// ---- who acts -----------------------------------------------------------------------------

static coh_status open_environment(const char *source, recording *r) {
  return coh_choice_parse("record", &coh_env_kinds, source, &r->env_choice);
}

static coh_status open_agent(coh_world *world, const char *folder, recording *r) {
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s/config.yaml", folder);
  coh_run *run;
  COH_NEW(run, 1);
  coh_run_start_options none = {.quiet = true};
  coh_status status = coh_run_open(run, world, path, &none, "");
  if (status != COH_OK) {
    coh_free(run);
    return status;
  }
  r->run = run;
  const coh_task_type *task = run->config.task;
  if (!task->act || !task->environment || !task->environment(run->task))
    status = coh_fail(COH_E_CONFIG, "%s: task %s trains no agent that plays an environment",
                      folder, task->kind.name);
  COH_TRY(coh_comm_agree(world, status));
  coh_checkpoint_info info = {0};
  char *checkpoint = NULL;
  status = coh_checkpoint_find(world, folder, run->config.hash, &checkpoint, &info);
  if (status == COH_OK)
    status = coh_checkpoint_load(world, &run->lanes, &run->config, run->task, checkpoint);
  coh_free(checkpoint);
  return status;
}

static coh_status open_source(coh_world *world, const char *source, recording *r) {
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s/config.yaml", source);
  if (coh_file_exists(path)) return open_agent(world, source, r);
  COH_CHECK(!strchr(source, '/'), COH_E_CHECKPOINT,
            "%s: is no run folder (it has no config.yaml)", source);
  return open_environment(source, r);
}

static coh_status ask_player(void *context, const coh_recorder *recorder, int32_t *action) {
  const recording *r = context;
  int64_t n = r->made->n_rows;
  coh_record_moment moment = {
      .env = recorder->env,
      .n_steps = n,
      .n_episodes = r->made->n_episodes,
      .reward = n ? (double)r->made->rewards[n - 1] : 0,
      .total = recorder->total,
  };
  *action = -1;
  return r->player(r->player_context, &moment, action);
}

static coh_status ask_agent(void *context, const coh_recorder *recorder, int32_t *action) {
  const coh_run *run = ((const recording *)context)->run;
  return run->config.task->act(run->task, 1, recorder->state, action);
}

// ---- episodes -----------------------------------------------------------------------------

static coh_status prepare(const char *source, recording *r) {
  const coh_choice *choice =
      r->run ? r->run->config.task->environment(r->run->task) : &r->env_choice;
  COH_TRY(coh_recorder_open(choice, 0, (uint64_t)r->options.seed, &r->recorder));
  const coh_env_spec *spec = &r->recorder.spec;
  return coh_transitions_create(source, spec->n_values, spec->n_actions, &r->made);
}

static coh_status record_all(recording *r) {
  coh_recording what = {
      .choose = r->player ? ask_player
                : r->run  ? ask_agent
                          : NULL,
      .context = r,
      .epsilon = r->player ? 0 : r->options.epsilon,
      .seed = (uint64_t)r->options.seed,
      .n_rows = r->options.transitions,
      .n_episodes = r->options.episodes,
  };
  return coh_recorder_run(&r->recorder, &what, r->made);
}

static void tell(const recording *r, const char *path, FILE *output) {
  double sum = 0;
  for (int64_t i = 0; i < r->made->n_rows; i++)
    sum += (double)r->made->rewards[i];
  fprintf(output, "%s: %lld transitions, %lld episodes, reward %.6g an episode\n", path,
          (long long)r->made->n_rows, (long long)r->made->n_episodes,
          sum / (double)r->made->n_episodes);
}

static void clear(recording *r) {
  coh_transitions_destroy(&r->made);
  coh_recorder_close(&r->recorder);
  coh_choice_clear(&r->env_choice);
  if (r->run) coh_run_close(r->run);
  coh_free(r->run);
}

static coh_status record(coh_world *world, const char *source, const char *path,
                         const coh_run_start_options *options, recording *r) {
  COH_CHECK(coh_transitions_writable(path), COH_E_CONFIG,
            "%s: recorded behaviour is written as .npz, .csv or a folder (a name that ends "
            "with /)",
            path);
  COH_TRY(coh_run_read_overrides("record", coh_record_option_table, options, &r->options));
  COH_TRY(coh_comm_agree(world, open_source(world, source, r)));
  COH_TRY(coh_comm_agree(world, prepare(source, r)));
  COH_TRY(record_all(r));
  coh_status status = COH_OK;
  if (coh_world_rank(world) == 0) {
    if (r->made->n_rows == 0) return coh_fail(COH_E_DATA, "nothing was recorded");
    status = coh_transitions_write(r->made, path);
    if (status == COH_OK && options && options->output) tell(r, path, options->output);
  }
  return status;
}

coh_status coh_run_record(coh_world *world, const char *source, const char *path,
                          const coh_run_start_options *options, coh_record_player *player,
                          void *player_context) {
  recording *r;
  COH_NEW(r, 1);
  r->player = player;
  r->player_context = player_context;
  coh_status status = record(world, source, path, options, r);
  clear(r);
  coh_free(r);
  return coh_comm_agree(world, status);
}
