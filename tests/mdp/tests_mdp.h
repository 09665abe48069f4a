/* Small models that several tests build by hand. */
#ifndef COHORT_TESTS_MDP_TESTS_MDP_H
#define COHORT_TESTS_MDP_TESTS_MDP_H

#include "cohort/mdp.h"
#include "cohort_test.h"

/* The cell that a step of direction 0 up, 1 right, 2 down, 3 left leads to. */
static inline int64_t step_on(int64_t side, int64_t cell, int direction) {
  int64_t row = cell / side + (direction == 2) - (direction == 0);
  int64_t col = cell % side + (direction == 1) - (direction == 3);
  return row < 0 || row >= side || col < 0 || col >= side ? cell : row * side + col;
}

/* Sutton and Barto, example 4.1: 4 x 4, -1 a step, two corners end it; undiscounted. */
static inline coh_mdp *small_gridworld(void) {
  coh_mdp *mdp;
  coh_mdp_builder *builder;
  assert_ok(coh_mdp_build(16, 1.0, &builder));
  for (int64_t s = 0; s < 16; s++) {
    if (s == 0 || s == 15) {
      assert_ok(coh_mdp_add_terminal(builder, s));
      continue;
    }
    for (int32_t a = 0; a < 4; a++) {
      assert_ok(coh_mdp_add_row(builder, s, a, -1.0));
      assert_ok(coh_mdp_add_entry(builder, step_on(4, s, a), 1.0, 0.0));
    }
  }
  assert_ok(coh_mdp_finish(&builder, &mdp));
  return mdp;
}

/* Examples 3.5 and 3.8: 5 x 5, discount .9, -1 for leaving it, jumps from A (10) and B (5). */
static inline coh_mdp *jumping_world(void) {
  coh_mdp *mdp;
  coh_mdp_builder *builder;
  assert_ok(coh_mdp_build(25, 0.9, &builder));
  for (int64_t s = 0; s < 25; s++)
    for (int32_t a = 0; a < 4; a++) {
      int64_t to = s == 1 ? 21 : s == 3 ? 13 : step_on(5, s, a);
      assert_ok(coh_mdp_add_row(builder, s, a, s == 1 ? 10 : s == 3 ? 5 : to == s ? -1 : 0));
      assert_ok(coh_mdp_add_entry(builder, to, 1.0, 0.0));
    }
  assert_ok(coh_mdp_finish(&builder, &mdp));
  return mdp;
}

#endif
