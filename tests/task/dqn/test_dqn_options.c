/* What the option table cannot say alone: sizes that must fit each other. */
#include "cohort_test.h"

#include <string.h>

#include "task/dqn/dqn_options.h"

static void dqn_options_check_names_what_does_not_fit(void **state) {
  (void)state;
  char none[] = "";
  coh_dqn_options options = {.envs = 16,
                             .batch = 64,
                             .replay = {.capacity = 64},
                             .imitate = {.demonstrations = none}};
  for (int64_t n_lanes = 1; n_lanes <= 16; n_lanes *= 2)
    assert_ok(coh_dqn_options_check(&options, "x.yaml", n_lanes));
  assert_fails(coh_dqn_options_check(&options, "x.yaml", 3), COH_E_CONFIG,
               "x.yaml: envs: 16 does not divide among 3 lanes; 18 would");
  assert_fails(coh_dqn_options_check(&options, "x.yaml", 32), COH_E_CONFIG,
               "envs: 16 does not divide among 32 lanes; 32 would");
  options.batch = 65;
  assert_fails(coh_dqn_options_check(&options, "x.yaml", 16), COH_E_CONFIG,
               "x.yaml: batch: 65 does not divide among 16 lanes; 80 would");
  assert_fails(coh_dqn_options_check(&options, "x.yaml", 1), COH_E_CONFIG,
               "x.yaml: replay: capacity 64 is less than one batch of 65");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dqn_options_check_names_what_does_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
