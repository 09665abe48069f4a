/* The tree inside one rank: bits against the definition, cutting into nodes, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "comm/lane_tree.h"
#include "lane_data.h"

enum { MAX_LANES = 70, PADDED = 128, N = 2311 };

DEFINE_LANE_NODE(node_f32, float)
DEFINE_LANE_NODE(node_u64, uint64_t)

static float lanes_f32[MAX_LANES][N];
static uint64_t lanes_u64[MAX_LANES][N];

static void fill_lanes(void) {
  for (int64_t lane = 0; lane < MAX_LANES; ++lane)
    for (int64_t i = 0; i < N; ++i) {
      lanes_f32[lane][i] = (float)lane_real(lane, i);
      lanes_u64[lane][i] = lane_bits(lane, i);
    }
}

static coh_lane_tree *tree_of(int64_t n_lanes, coh_sum_type type, int n_threads) {
  int64_t bound[MAX_LANES + 1];
  for (int64_t i = 0; i <= n_lanes; ++i)
    bound[i] = i;
  coh_lane_tree *tree = NULL;
  assert_int_equal(coh_lane_tree_create(bound, n_lanes, type, n_threads, &tree), COH_OK);
  return tree;
}

static void lane_tree_adds_as_defined(void **state) {
  (void)state;
  for (int64_t n_lanes = 1; n_lanes <= MAX_LANES; ++n_lanes) {
    const void *leaf[MAX_LANES], *leaf_u64[MAX_LANES];
    for (int64_t i = 0; i < n_lanes; ++i) {
      leaf[i] = lanes_f32[i];
      leaf_u64[i] = lanes_u64[i];
    }
    float out[N];
    uint64_t out_u64[N];
    coh_lane_tree *tree = tree_of(n_lanes, COH_SUM_F32, 1);
    coh_lane_tree *tree_u64 = tree_of(n_lanes, COH_SUM_U64, 1);
    coh_lane_tree_run(tree, leaf, 3, N - 3, out);
    coh_lane_tree_run(tree_u64, leaf_u64, 0, N, out_u64);
    int64_t n_naive_differs = 0;
    for (int64_t i = 0; i < N; ++i) {
      float value[PADDED], naive = 0;
      uint64_t value_u64[PADDED];
      for (int64_t lane = 0; lane < n_lanes; ++lane) {
        value[lane] = lanes_f32[lane][i];
        value_u64[lane] = lanes_u64[lane][i];
        naive += value[lane];
      }
      // the bits are the promise
      float expected = node_f32(value, n_lanes, lane_levels(n_lanes), 0);
      if (i >= 3) assert_memory_equal(&expected, &out[i - 3], sizeof expected);
      assert_int_equal(node_u64(value_u64, n_lanes, lane_levels(n_lanes), 0), out_u64[i]);
      n_naive_differs += memcmp(&naive, &expected, sizeof naive) != 0;
    }
    if (n_lanes >= 4) assert_true(n_naive_differs > N / 10);
    coh_lane_tree_destroy(&tree);
    coh_lane_tree_destroy(&tree_u64);
  }
}

static void lane_tree_may_write_over_its_first_leaf(void **state) {
  (void)state;
  static float first[N];
  float apart[N];
  const void *leaf[MAX_LANES];
  for (int64_t i = 0; i < 13; ++i)
    leaf[i] = lanes_f32[i];
  coh_lane_tree *tree = tree_of(13, COH_SUM_F32, 1);
  coh_lane_tree_run(tree, leaf, 0, N, apart);
  memcpy(first, lanes_f32[0], sizeof first);
  leaf[0] = first;
  coh_lane_tree_run(tree, leaf, 0, N, first);
  assert_memory_equal(apart, first, sizeof first);
  coh_lane_tree_destroy(&tree);
}

static void lane_tree_gives_the_same_bits_on_two_threads(void **state) {
  (void)state;
  enum { LONG = 100003 };
  double *data = coh_alloc_array((size_t)11 * LONG, sizeof *data);
  double *one = coh_alloc_array(LONG, sizeof *one), *two = coh_alloc_array(LONG, sizeof *two);
  const void *leaf[11];
  for (int64_t lane = 0; lane < 11; ++lane) {
    leaf[lane] = data + lane * LONG;
    for (int64_t i = 0; i < LONG; ++i)
      data[lane * LONG + i] = lane_real(lane, i);
  }
  coh_lane_tree *tree_one = tree_of(11, COH_SUM_F64, 1),
                *tree_two = tree_of(11, COH_SUM_F64, 2);
  coh_lane_tree_run(tree_one, leaf, 0, LONG, one);
  coh_lane_tree_run(tree_two, leaf, 0, LONG, two);
  assert_memory_equal(one, two, LONG * sizeof *one);
  coh_lane_tree_destroy(&tree_one);
  coh_lane_tree_destroy(&tree_two);
  COH_DELETE(data);
  COH_DELETE(one);
  COH_DELETE(two);
}

// a range is a node if it is [i 2^k, (i + 1) 2^k) cut off at n_lanes
static int is_node(int64_t first, int64_t end, int64_t n_lanes) {
  for (int k = 0; k < 20; ++k) {
    int64_t width = (int64_t)1 << k, top = first + width < n_lanes ? first + width : n_lanes;
    if (first % width == 0 && top == end) return 1;
  }
  return 0;
}

static void lane_tree_cuts_into_maximal_nodes(void **state) {
  (void)state;
  for (int64_t n_lanes = 1; n_lanes <= 40; ++n_lanes)
    for (int64_t first = 0; first < n_lanes; ++first)
      for (int64_t end = first + 1; end <= n_lanes; ++end) {
        int64_t bound[COH_LANE_TREE_MAX_CUT];
        int n = coh_lane_tree_cut(first, end, n_lanes, bound);
        assert_int_equal(bound[0], first);
        assert_int_equal(bound[n], end);
        for (int k = 0; k < n; ++k)
          assert_true(is_node(bound[k], bound[k + 1], n_lanes));
        // maximal: no run of several pieces is itself a node
        for (int a = 0; a < n; ++a)
          for (int b = a + 2; b <= n; ++b)
            assert_false(is_node(bound[a], bound[b], n_lanes));
      }
}

static void lane_tree_refuses_leaves_that_are_not_nodes(void **state) {
  (void)state;
  coh_lane_tree *tree = NULL;
  int64_t bound[] = {0, 3, 4};
  assert_int_equal(coh_lane_tree_create(bound, 2, COH_SUM_F32, 1, &tree), COH_E_INTERNAL);
  assert_null(tree);
}

int main(void) {
  fill_lanes();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lane_tree_adds_as_defined),
      cmocka_unit_test(lane_tree_may_write_over_its_first_leaf),
      cmocka_unit_test(lane_tree_gives_the_same_bits_on_two_threads),
      cmocka_unit_test(lane_tree_cuts_into_maximal_nodes),
      cmocka_unit_test(lane_tree_refuses_leaves_that_are_not_nodes),
  };
  int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
  return n_failed || coh_alloc_live() != 0;
}
