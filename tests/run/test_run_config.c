/* Configs: the driver's table and the task's as one, overrides, and the hash that tells whether
 * two configs give the same bits. */
#include "scratch.h"

#include "run/run_config.h"
#include "task/dqn/dqn_options.h"

static const char base[] = "task: dqn\nsteps: 5000\nlanes: 2\nenv: cartpole\ngamma: 0.5\n";

static coh_status read_text(const char *text, const char *const *overrides, int64_t n,
                            coh_run_config *config) {
  scratch_write("c.yaml", text, strlen(text));
  return coh_run_config_read("c.yaml", overrides, n, config);
}

static uint64_t hash_with(const char *override) {
  coh_run_config config;
  assert_ok(read_text(base, &override, override ? 1 : 0, &config));
  uint64_t hash = config.hash;
  coh_run_config_clear(&config);
  return hash;
}

static void run_config_joins_both_tables(void **state) {
  (void)state;
  coh_run_config config;
  const char *overrides[] = {"seed=7", "replay.capacity=123", "gamma=0.25"};
  assert_ok(read_text(base, overrides, 3, &config));
  const coh_dqn_options *dqn = config.task_options;
  assert_string_equal(config.task->kind.name, "dqn");
  assert_string_equal(config.name, "c.yaml");
  assert_int_equal(config.run->seed, 7);
  assert_int_equal(config.run->steps, 5000);
  assert_int_equal(config.run->lanes, 2);
  assert_int_equal(config.run->log_every, 1000);
  assert_within(dqn->gamma, 0.25, 0);
  assert_int_equal(dqn->replay.capacity, 123);
  assert_string_equal(dqn->env.kind->name, "cartpole");

  // the resolved text is a config of the same run
  coh_run_config again;
  assert_ok(read_text(config.text, NULL, 0, &again));
  assert_string_equal(again.text, config.text);
  assert_true(again.hash == config.hash);
  coh_run_config_clear(&again);
  coh_run_config_clear(&config);
}

static void run_config_hash_ignores_only_what_the_bits_do_not_depend_on(void **state) {
  (void)state;
  uint64_t hash = hash_with(NULL);
  static const char *const free_keys[] = {"steps=9", "threads=3", "checkpoint_every=10",
                                          "checkpoint_keep=5", "watchdog=60"};
  for (size_t i = 0; i < sizeof free_keys / sizeof *free_keys; i++)
    assert_true(hash_with(free_keys[i]) == hash);
  // nested keys that share a name with a free one included
  static const char *const other[] = {"seed=2",
                                      "lanes=1",
                                      "log_every=10",
                                      "evaluate_every=10",
                                      "precision=bf16",
                                      "gamma=0.51",
                                      "exploration.steps=9",
                                      "beta.steps=9",
                                      "network=[dense: 8]",
                                      "env.cartpole.max_steps=9",
                                      "optimizer.adam.learning_rate=1e-9",
                                      "replay.prioritized=true"};
  for (size_t i = 0; i < sizeof other / sizeof *other; i++)
    if (hash_with(other[i]) == hash) fail_msg("%s does not change the hash", other[i]);
  // a default written out is no change
  assert_true(hash_with("log_every=1000") == hash);
}

typedef struct refusal {
  const char *text, *message;
} refusal;

static void run_config_refuses_with_the_place(void **state) {
  (void)state;
  static const refusal refusals[] = {
      {"steps: 1\n", "c.yaml:1:1: task: is missing"},
      {"task: dnq\nsteps: 1\n", "c.yaml:1:7: task: 'dnq' is unknown; did you mean 'dqn'?"},
      {"task: zzzzzzzz\n", "c.yaml:1:7: task: 'zzzzzzzz' is unknown; `cohort list tasks`"},
      {"task: [dqn]\n", "the name of a task is expected"},
      {"task: dqn\nenv: cartpole\n", "steps: is missing"},
      {"task: dqn\nsteps: 1\n", "env: is missing"},
      {"task: dqn\nsteps: 1\nenv: cartpole\nsteps: 2\n", "c.yaml:4:1: steps"},
      {"task: dqn\nsteps: 1\nenv: cartpole\nsed: 2\n",
       "c.yaml:4:1: sed: unknown key; did you mean 'seed'?"},
      {"task: dqn\nsteps: one\nenv: cartpole\n", "c.yaml:2:8: steps"},
      {"task: dqn\nsteps: 0\nenv: cartpole\n", "c.yaml:2:8: steps"},
      {"task: dqn\nsteps: 1\nenv: cartpole\nlanes: 65537\n", "c.yaml:4:8: lanes"},
      {"task: dqn\nsteps: 1\nenv: cartpole\nprecision: f64\n", "c.yaml:4:12: precision"},
      {"task: dqn\nsteps: 1\nenv: cartpole\ngamma: nan\n", "c.yaml:4:8: gamma"},
      {"task: dqn\nsteps: 1\nenv: cartpole\ndouble: maybe\n", "c.yaml:4:9: double"},
      {"task: dqn\nsteps: 1\nenv: {cartpole: {max_stps: 2}}\n", "c.yaml:3:18: max_stps"},
      {"task: dqn\nsteps: 1\nenv: cartpole\nreplay: {memory: 3 parsecs}\n",
       "c.yaml:4:18: memory"},
      {"task: dqn\nsteps: 1\nenv: cartpole\nnetwork: [dens: 3]\n", "did you mean 'dense'?"},
      {"task: dqn\nsteps: 1\nenv: &e cartpole\n", "c.yaml:3:6"},
      {"task: dqn\n---\nsteps: 1\n", "c.yaml:2:1"},
      {"", "c.yaml: is empty"},
      {"- task\n", "c.yaml:1:1: a config is a map"},
  };
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    coh_run_config config;
    assert_fails(read_text(refusals[i].text, NULL, 0, &config), COH_E_CONFIG,
                 refusals[i].message);
    assert_null(config.run);
  }
  coh_run_config config;
  assert_fails(coh_run_config_read("nowhere.yaml", NULL, 0, &config), COH_E_CONFIG,
               "nowhere.yaml: cannot read");
  const char *bad[] = {"gama=1", "seed", "=3", "replay..capacity=3", "seed.x=3"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(read_text(base, &bad[i], 1, &config), COH_E_CONFIG);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(run_config_joins_both_tables),
      cmocka_unit_test(run_config_hash_ignores_only_what_the_bits_do_not_depend_on),
      cmocka_unit_test(run_config_refuses_with_the_place),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
