/* The sum tree against plain lists. */
#include "cohort_test.h"

#include <math.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "replay/tree.h"

static void masses_stay_exact_after_a_million_updates(void **state) {
  (void)state;
  enum { N = 5003 };
  coh_mass_tree tree;
  assert_ok(coh_mass_tree_init(&tree, N));
  uint32_t *mass = coh_alloc_array(N, sizeof *mass);
  coh_stream stream = coh_stream_begin(coh_key_make(1, "tree"), 0, 0);
  for (int i = 0; i < 1000000; i++) {
    uint32_t at = coh_stream_u32(&stream) % N;
    mass[at] = coh_stream_u32(&stream) >> (coh_stream_u32(&stream) % 32);
    coh_mass_tree_set(&tree, at, mass[at]);
  }
  uint64_t total = 0;
  for (int i = 0; i < N; i++) {
    assert_int_equal(tree.leaf[i], mass[i]);
    // both ends of the interval of every leaf lead to it
    if (mass[i]) {
      assert_int_equal(coh_mass_tree_find(&tree, total), i);
      assert_int_equal(coh_mass_tree_find(&tree, total + mass[i] - 1), i);
    }
    total += mass[i];
  }
  assert_int_equal(tree.total, total);
  for (int i = 0; i < N; i++)
    coh_mass_tree_set(&tree, i, 0);
  assert_int_equal(tree.total, 0);
  for (int level = 0; level < tree.n_levels; level++)
    assert_int_equal(tree.sum[level][0], 0);
  coh_free(mass);
  coh_mass_tree_fini(&tree);
}

static void every_size_finds_every_leaf(void **state) {
  (void)state;
  const int64_t sizes[] = {1, 2, 15, 16, 17, 31, 32, 33, 127, 128, 129, 1023, 1024, 1025, 8193};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    coh_mass_tree tree;
    assert_ok(coh_mass_tree_init(&tree, sizes[s]));
    for (int64_t i = 0; i < sizes[s]; i++)
      coh_mass_tree_set(&tree, i, 3);
    for (int64_t i = 0; i < sizes[s]; i++)
      assert_int_equal(coh_mass_tree_find(&tree, (uint64_t)i * 3 + 1), i);
    coh_mass_tree_fini(&tree);
  }
}

static void mass_follows_the_priority(void **state) {
  (void)state;
  assert_int_equal(coh_mass_of_error(1, 0, 0.6), 1u << 20);
  assert_int_equal(coh_mass_of_error(-4, 0, 0.5), 2u << 20);
  assert_int_equal(coh_mass_of_error(123, 0, 0), 1u << 20);
  assert_int_equal(coh_mass_of_error(0, 0, 0.6), 1); // never without a chance
  assert_int_equal(coh_mass_of_error(1e30, 0, 1), UINT32_MAX);
  double found = coh_mass_of_error(0.37, 1e-6, 0.6), exact = pow(0.370001, 0.6) * 1048576;
  assert_true(fabs(found - exact) <= 0.5);
}

static void nothing_is_left_allocated(void **state) {
  (void)state;
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(masses_stay_exact_after_a_million_updates),
      cmocka_unit_test(every_size_finds_every_leaf),
      cmocka_unit_test(mass_follows_the_priority),
      cmocka_unit_test(nothing_is_left_allocated),
  };
  return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
