/* The worlds of inverse RL against their definitions. */
#include "cohort_test.h"

#include <string.h>

#include "mdp/irl_world.h"

static void make(const char *name, uint64_t seed, coh_irl_world *world) {
  coh_choice choice = {0};
  assert_ok(coh_choice_make(&coh_irl_world_kinds, name, &choice));
  assert_ok(coh_irl_world_make(&choice, 0.9, seed, world));
  coh_choice_clear(&choice);
}

// what every world promises: equal seeds, rows that pay the state's reward, shares that sum to
// 1
static void worlds_keep_their_promises(void **state) {
  (void)state;
  for (int64_t k = 0; k < coh_irl_world_kinds.n_kinds; k++) {
    coh_irl_world world = {0}, again = {0}, other = {0};
    const char *name = coh_irl_world_kinds.kinds[k]->name;
    make(name, 3, &world);
    make(name, 3, &again);
    make(name, 4, &other);
    const coh_mdp *mdp = world.mdp;
    size_t n_bytes = (size_t)mdp->n_states * sizeof *world.reward;
    assert_memory_equal(world.reward, again.reward, n_bytes);
    assert_true(world.is_given == (memcmp(world.reward, other.reward, n_bytes) == 0));
    double start = 0;
    for (int64_t s = 0; s < mdp->n_states; s++) {
      start += mdp->start[s];
      assert_true(world.cell[s] >= (world.is_given ? -1 : 0) &&
                  world.cell[s] < world.picture_rows * world.picture_columns);
      if (world.feature) assert_true(world.feature[s] < world.n_features);
      for (int64_t row = mdp->first_row[s]; row < mdp->first_row[s + 1]; row++) {
        double sum = 0;
        for (int64_t e = mdp->first_entry[row]; e < mdp->first_entry[row + 1]; e++)
          sum += mdp->probability[e];
        assert_within(sum, 1, 1e-12);
        assert_true(world.is_given || mdp->reward[row] == world.reward[s]);
      }
    }
    assert_within(start, 1, 1e-9);
    coh_irl_world_clear(&world);
    coh_irl_world_clear(&again);
    coh_irl_world_clear(&other);
  }
}

// Wulfmeier et al.: +1 with exactly four blue cells of nine, -1 with exactly five
static void binaryworld_pays_for_four(void **state) {
  (void)state;
  coh_irl_world world = {0};
  make("binaryworld", 1, &world);
  for (int64_t s = 0; s < world.mdp->n_states; s++) {
    float blue = 0;
    for (int k = 0; k < 9; k++)
      blue += world.features[s * 9 + k];
    assert_true(world.reward[s] == (blue == 4 ? 1 : blue == 5 ? -1 : 0));
  }
  coh_irl_world_clear(&world);
}

// Levine et al.: within 3 of outer colour 0 pays within 2 of outer colour 1, else costs
static void objectworld_pays_near_both_colours(void **state) {
  (void)state;
  coh_irl_world world = {0};
  make("objectworld", 1, &world);
  for (int64_t s = 0; s < world.mdp->n_states; s++) {
    const float *row = world.features + s * world.n_features;
    bool first = row[2] * 32 <= 3, second = row[3] * 32 <= 2;
    assert_true(world.reward[s] == (first ? (second ? 1 : -1) : 0));
  }
  coh_irl_world_clear(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(worlds_keep_their_promises),
      cmocka_unit_test(binaryworld_pays_for_four),
      cmocka_unit_test(objectworld_pays_near_both_colours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
