/* Recording behaviour: one environment, one episode after the other, acted in by chance, by the
 * agent of a run, or by whoever the caller asks. Every rank steps the same environment, since
 * an agent's choices are collective; rank 0 writes. */
#include "run/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cohort/env.h"
#include "cohort/random.h"
#include "data/transitions.h"
#include "io/file.h"
#include "run/driver.h"

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
typedef struct recorder {
  coh_record_options options;
  coh_choice env_choice; // owned, where the source is an environment
  coh_run *run;          // where it is a run
  coh_record_player *player;
  void *player_context;
  coh_env *env;
  coh_env_spec spec;
  uint8_t *row;
  float *state, *next_state;
  coh_transitions *made;
  double total;
  bool stopped; // by the player
} recorder;

// ---- who acts -----------------------------------------------------------------------------

static coh_status open_environment(const char *source, recorder *r) {
  static const coh_option table[] = {{.name = "env",
                                      .type = COH_KIND,
                                      .offset = 0,
                                      .kinds = &coh_env_kinds,
                                      .doc = "The environment."},
                                     {0}};
  coh_text text = {0};
  coh_text_add(&text, "env: %s\n", source);
  char *yaml = NULL;
  COH_TRY(coh_text_take(&text, &yaml));
  coh_config *config = NULL;
  coh_status status = coh_config_parse("record", yaml, strlen(yaml), &config);
  if (status == COH_OK) status = coh_options_fill(table, config, &r->env_choice);
  coh_config_destroy(&config);
  coh_free(yaml);
  return status;
}

static coh_status open_agent(coh_world *world, const char *folder, recorder *r) {
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

static coh_status open_source(coh_world *world, const char *source, recorder *r) {
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s/config.yaml", source);
  if (coh_file_exists(path)) return open_agent(world, source, r);
  COH_CHECK(!strchr(source, '/'), COH_E_CHECKPOINT,
            "%s: is no run folder (it has no config.yaml)", source);
  return open_environment(source, r);
}

static coh_status choose(recorder *r, coh_key key, int32_t *action) {
  if (r->player) {
    coh_record_moment moment = {
        .env = r->env,
        .n_steps = r->made->n_rows,
        .n_episodes = r->made->n_episodes,
        .reward = r->made->n_rows ? (double)r->made->rewards[r->made->n_rows - 1] : 0,
        .total = r->total,
    };
    *action = -1;
    COH_TRY(r->player(r->player_context, &moment, action));
    r->stopped = *action < 0;
    return COH_OK;
  }
  coh_stream stream = coh_stream_begin(key, 0, (uint64_t)r->made->n_rows);
  bool at_random = !r->run || coh_stream_uniform(&stream) < r->options.epsilon;
  if (!at_random) return r->run->config.task->act(r->run->task, 1, r->state, action);
  *action = (int32_t)coh_stream_below(&stream, r->spec.n_actions);
  return COH_OK;
}

// ---- episodes -----------------------------------------------------------------------------

static coh_status prepare(const char *source, recorder *r) {
  const coh_choice *choice =
      r->run ? r->run->config.task->environment(r->run->task) : &r->env_choice;
  COH_TRY(coh_env_create(choice, 1, 0, (uint64_t)r->options.seed, &r->env));
  r->spec = *coh_env_spec_of(r->env);
  COH_NEW(r->row, r->spec.observation_bytes);
  COH_NEW(r->state, r->spec.n_values);
  COH_NEW(r->next_state, r->spec.n_values);
  return coh_transitions_create(source, r->spec.n_values, r->spec.n_actions, &r->made);
}

static coh_status record_step(recorder *r, coh_key key) {
  int32_t action;
  float reward;
  uint8_t terminated, truncated;
  coh_env_expand(&r->spec, 1, r->row, r->state);
  COH_TRY(choose(r, key, &action));
  if (r->stopped) return COH_OK;
  COH_TRY(coh_env_step(r->env, &action, r->row, &reward, &terminated, &truncated));
  coh_env_expand(&r->spec, 1, r->row, r->next_state);
  bool last = r->made->n_rows + 1 == r->options.transitions;
  coh_transition_row row = {
      .state = r->state,
      .next_state = r->next_state,
      .action = action,
      .reward = reward,
      .terminated = terminated,
      .truncated = truncated || (last && !terminated),
  };
  COH_TRY(coh_transitions_append(r->made, &row));
  r->total += (double)reward;
  return COH_OK;
}

static bool has_ended(const coh_transitions *made) {
  int64_t n = made->n_rows;
  return n > 0 && (made->terminated[n - 1] || made->truncated[n - 1]);
}

static coh_status record_all(recorder *r) {
  coh_key key = coh_key_make((uint64_t)r->options.seed, "record");
  coh_env_reset(r->env, r->row);
  while (r->made->n_rows < r->options.transitions) {
    COH_TRY(record_step(r, key));
    if (r->stopped) return COH_OK;
    if (!has_ended(r->made)) continue;
    if (r->options.episodes > 0 && r->made->n_episodes >= r->options.episodes) return COH_OK;
    r->total = 0;
    coh_env_reset_ended(r->env, r->row);
  }
  return COH_OK;
}

static void tell(const recorder *r, const char *path, FILE *output) {
  double sum = 0;
  for (int64_t i = 0; i < r->made->n_rows; i++)
    sum += (double)r->made->rewards[i];
  fprintf(output, "%s: %lld transitions, %lld episodes, reward %.6g an episode\n", path,
          (long long)r->made->n_rows, (long long)r->made->n_episodes,
          sum / (double)r->made->n_episodes);
}

static void clear(recorder *r) {
  coh_transitions_destroy(&r->made);
  coh_env_destroy(&r->env);
  coh_choice_clear(&r->env_choice);
  coh_free(r->row), coh_free(r->state), coh_free(r->next_state);
  if (r->run) coh_run_close(r->run);
  coh_free(r->run);
}

static coh_status record(coh_world *world, const char *source, const char *path,
                         const coh_run_start_options *options, recorder *r) {
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
  recorder *r;
  COH_NEW(r, 1);
  r->player = player;
  r->player_context = player_context;
  coh_status status = record(world, source, path, options, r);
  clear(r);
  coh_free(r);
  return coh_comm_agree(world, status);
}
