/* Schedule free: an environment whose step does not return holds up nothing but its own lane,
 * is named, and the bounds of the config hold meanwhile. Nothing here measures time: the step
 * returns when the test opens a gate, after the others have done all that is asked of them. */
#define _GNU_SOURCE // mkstemp
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../comm/mpi_test.h"
#include "base/log.h"
#include "env/env_type.h"
#include "io/file.h"
#include "task/dqn/dqn.h"

enum {
  LANES = 4, /* of each rank */
  UPDATES = 300,
  LAG = 8,
  TRAIN_EVERY = 8,
  BATCH = 24, /* divides among the lanes of 1, 2 and 3 ranks */
  STARTS = 200,
  SLACK = 2,
  LAST_RESORT = 200, /* seconds: a run that waits at the gate ends, and fails */
};

/* ---- an environment that walks on a line, and stops at a gate ------------------------- */

typedef struct walk {
  int64_t at;
} walk;

static struct {
  pthread_mutex_t lock;
  pthread_cond_t opened;
  bool is_open, came_late;
  int64_t env; // global index of the environment that waits; -1: none
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};

static void wait_at_gate(void) {
  struct timespec until;
  timespec_get(&until, TIME_UTC);
  until.tv_sec += LAST_RESORT;
  pthread_mutex_lock(&gate.lock);
  while (!gate.is_open)
    if (pthread_cond_timedwait(&gate.opened, &gate.lock, &until) == ETIMEDOUT)
      gate.is_open = gate.came_late = true;
  pthread_mutex_unlock(&gate.lock);
}

static void open_gate(void) {
  pthread_mutex_lock(&gate.lock);
  gate.is_open = true;
  pthread_cond_broadcast(&gate.opened);
  pthread_mutex_unlock(&gate.lock);
}

static const char *const moves[] = {"left", "right"};

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  (void)options;
  *model = NULL;
  *spec = (coh_env_spec){.observation = COH_OBSERVATION_REAL,
                         .n_dims = 1,
                         .shape = {2},
                         .n_actions = 2,
                         .action_names = moves,
                         .time_limit = 20,
                         .solved_at = 20,
                         .render_width = 8,
                         .render_height = 8};
  return COH_OK;
}

static void reset(const void *model, void *state, coh_env_random *random) {
  (void)model, (void)random;
  ((walk *)state)->at = 0;
}

static void observe(const void *model, const void *state, uint8_t *row) {
  (void)model;
  float values[2] = {(float)((const walk *)state)->at, 1};
  memcpy(row, values, sizeof values);
}

static void step(const coh_env_slice *slice) {
  walk *walks = slice->states;
  for (int64_t i = 0; i < slice->n; i++) {
    if ((int64_t)slice->randomness.heads[i].entity == gate.env) wait_at_gate();
    walks[i].at += slice->actions[i] ? 1 : -1;
    slice->rewards[i] = slice->actions[i] ? 1.0f : 0.0f;
    slice->terminated[i] = walks[i].at == 5;
    observe(NULL, &walks[i], slice->observations + (size_t)i * slice->observation_bytes);
  }
}

static bool valid(const void *model, const void *state) {
  (void)model, (void)state;
  return true;
}

static void render(const void *model, const void *state, coh_canvas *canvas) {
  (void)model, (void)state, (void)canvas;
}

static const coh_env_type gated = {.kind = {"gated", "A walk that stops at a gate.", NULL, 0},
                                   .state_bytes = sizeof(walk),
                                   .prepare = prepare,
                                   .reset = reset,
                                   .step = step,
                                   .observe = observe,
                                   .valid = valid,
                                   .render = render};

/* ---- a run without a driver ----------------------------------------------------------- */

static const char config_text[] = "env: cartpole\n"
                                  "network: [dense: 8, relu]\n"
                                  "rollout: 4\n"
                                  "schedule: free\n"
                                  "replay: {capacity: 4000}\n";

typedef struct run {
  coh_run_context context;
  coh_dqn_options options;
  coh_choice cartpole;
  void *task;
  coh_dqn *dqn;
} run;

static const coh_task_type *type(void) {
  return (const coh_task_type *)coh_kind_find(&coh_task_kinds, "dqn");
}

static void open_run(run *r, int n_threads) {
  coh_world *world = mpi_test_state.world;
  *r = (run){.context = {.world = world,
                         .n_threads = n_threads,
                         .seed = 1,
                         .steps = 1000000,
                         .config_name = "free.yaml"}};
  int64_t n_lanes = LANES * coh_world_size(world);
  coh_config *config = NULL;
  EXPECT(coh_lanes_split(world, n_lanes, &r->context.lanes) == COH_OK);
  EXPECT(coh_config_parse("free.yaml", config_text, strlen(config_text), &config) == COH_OK);
  EXPECT(coh_options_fill(coh_dqn_option_table, config, &r->options) == COH_OK);
  coh_config_destroy(&config);
  r->cartpole = r->options.env;
  r->options.env = (coh_choice){.kind = &gated.kind};
  r->options.envs = 2 * n_lanes;
  r->options.batch = BATCH;
  r->options.train_every = TRAIN_EVERY;
  r->options.learning_starts = STARTS;
  r->options.free_lag = LAG;
  r->options.free_slack = SLACK;
  EXPECT_HERE_AND_THERE(coh_dqn_create(&r->context, &r->options, &r->task) == COH_OK);
  r->dqn = r->task;
}

static void close_run(run *r) {
  coh_dqn_destroy(&r->task);
  r->options.env = r->cartpole;
  coh_options_clear(coh_dqn_option_table, &r->options);
}

static void learn_until(run *r, int64_t n_updates) {
  while (r->dqn->learner.n_updates < n_updates)
    EXPECT_HERE_AND_THERE(type()->step(r->task) == COH_OK);
}

static double metric(const coh_metric_row *row, const char *name) {
  for (int64_t i = 0; i < row->n_metrics; i++)
    if (strcmp(row->metric[i].name, name) == 0) return row->metric[i].value;
  return -1;
}

static int64_t steps_of(const run *r, int64_t lane) {
  pthread_mutex_lock(&r->dqn->experience);
  int64_t n = *r->dqn->lane[lane - r->context.lanes.first].n_steps;
  pthread_mutex_unlock(&r->dqn->experience);
  return n;
}

static bool is_local(const run *r, int64_t lane) {
  return lane >= r->context.lanes.first &&
         lane < r->context.lanes.first + r->context.lanes.n_local;
}

static void expect_bounds(const coh_metric_row *exact) {
  EXPECT(metric(exact, "schedule/policy_lag") >= 0);
  EXPECT(metric(exact, "schedule/policy_lag") <= LAG);
  // learners are due batch / train_every rows a transition; actors are ahead by the slack, by
  // LAG updates, and by a rollout an actor
  EXPECT(metric(exact, "schedule/samples_per_insert") <= (double)BATCH / TRAIN_EVERY);
  EXPECT(metric(exact, "schedule/samples_per_insert") >=
         (double)BATCH / TRAIN_EVERY / SLACK / 2);
}

static bool log_says(const char *path, const char *words) {
  char *text = NULL;
  size_t n_bytes;
  if (coh_file_load(path, 1 << 20, &text, &n_bytes) != COH_OK) return false;
  bool found = strstr(text, words) != NULL;
  coh_free(text);
  return found;
}

/* The last lane's first environment waits at the gate. */
static void a_slow_actor_slows_nobody_and_is_named(void **state) {
  (void)state;
  run r;
  gate.is_open = gate.came_late = false;
  int64_t slow = (int64_t)LANES * coh_world_size(mpi_test_state.world) - 1;
  gate.env = 2 * slow;
  open_run(&r, 4); // two actors a rank: one stands at the gate
  char path[] = "/tmp/cohort-free-log-XXXXXX";
  int file = mkstemp(path);
  EXPECT_HERE_AND_THERE(file >= 0 && coh_log_open(path) == COH_OK);
  coh_log_set_stderr_level(COH_LOG_ERROR);

  learn_until(&r, UPDATES);
  EXPECT(!gate.came_late && !gate.is_open);
  for (int64_t lane = 0; lane <= slow; lane++) {
    if (!is_local(&r, lane)) continue;
    if (lane == slow)
      EXPECT(steps_of(&r, lane) == 0);
    else
      EXPECT(steps_of(&r, lane) > 0);
  }
  EXPECT(r.dqn->env_steps >= STARTS + UPDATES * TRAIN_EVERY);

  coh_metric_row exact = {0}, timing = {0};
  EXPECT_HERE_AND_THERE(type()->metrics(r.task, &exact, &timing) == COH_OK);
  EXPECT(metric(&timing, "actors/slowest_lane") == (double)slow);
  EXPECT(metric(&timing, "actors/slowest_rank") == coh_world_size(mpi_test_state.world) - 1);
  EXPECT(metric(&timing, "actors/slowest_pace") == 0);
  expect_bounds(&exact);
  if (coh_world_rank(mpi_test_state.world) == 0) {
    char words[96];
    snprintf(words, sizeof words, "slow actor: lane %lld, on rank %d, makes 0%%",
             (long long)slow, coh_world_size(mpi_test_state.world) - 1);
    EXPECT(log_says(path, words));
  }

  // and it goes on where it stood
  open_gate();
  int64_t done = 0;
  while (!done) {
    EXPECT_HERE_AND_THERE(type()->step(r.task) == COH_OK);
    done = is_local(&r, slow) ? steps_of(&r, slow) > 0 : 1;
    EXPECT(coh_comm_reduce_int(mpi_test_state.world, COH_REDUCE_MIN, &done, 1) == COH_OK);
  }
  EXPECT(!gate.came_late);
  EXPECT(coh_log_open(NULL) == COH_OK);
  close(file);
  unlink(path);
  close_run(&r);
  assert_all_ranks();
}

// with nobody in the way all lanes act, and never with weights older than the bound
static void the_bounds_hold_with_one_actor_a_rank(void **state) {
  (void)state;
  run r;
  gate.env = -1;
  open_run(&r, 1);
  for (int64_t updates = UPDATES / 3; updates <= UPDATES; updates += UPDATES / 3) {
    learn_until(&r, updates);
    coh_metric_row exact = {0}, timing = {0};
    EXPECT_HERE_AND_THERE(type()->metrics(r.task, &exact, &timing) == COH_OK);
    expect_bounds(&exact);
  }
  coh_dqn_free_rest(r.dqn);
  for (int64_t i = 0; i < r.context.lanes.n_local; i++)
    EXPECT(*r.dqn->lane[i].n_steps > 0 && !r.dqn->lane[i].is_busy);
  close_run(&r);
  assert_all_ranks();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_slow_actor_slows_nobody_and_is_named),
      cmocka_unit_test(the_bounds_hold_with_one_actor_a_rank),
  };
  return mpi_test_main(tests);
}
