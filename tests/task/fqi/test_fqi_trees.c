/* Regression trees against what their definitions say: grown to the end they return every
 * target; the best cut is the one that trying all finds; arranged rows get what
 * walking gives. */
#include "cohort_test.h"

#include <string.h>

#include "base/alloc.h"
#include "task/fqi/regression_tree.h"

enum { N = 600, D = 5, N_ASKED = 257 };

typedef struct problem {
  float x[N * D], columns[D * N]; // row by row, and column by column
  double y[N];
  coh_tree_sample sample;
} problem;

static void make(problem *p) {
  coh_stream stream = coh_stream_begin(coh_key_make(7, "test"), 0, 0);
  for (int i = 0; i < N; i++) {
    for (int k = 0; k < D; k++)
      p->x[i * D + k] = (float)coh_stream_below(&stream, k == 0 ? 3 : 1000) / 10 - 20;
    p->y[i] = (double)p->x[i * D + 1] + sin((double)p->x[i * D + 2]) +
              0.1 * coh_stream_uniform(&stream);
  }
  for (int i = 0; i < N * D; i++)
    p->columns[i % D * N + i / D] = p->x[i];
  p->sample = (coh_tree_sample){
      .n_rows = N, .n_features = D, .n_stride = N, .features = p->columns, .targets = p->y};
}

static coh_stream draws(void) {
  return coh_stream_begin(coh_key_make(1, "trees"), 3, 4);
}

static void trees_grown_to_the_end_return_every_target(void **state) {
  (void)state;
  problem *p = test_malloc(sizeof *p);
  make(p);
  coh_tree_grower *grower = NULL;
  assert_ok(coh_tree_grower_create(N, D, &grower));
  for (int split = 0; split < 3; split++) {
    coh_tree tree = {0};
    coh_tree_options options = {.split = (coh_tree_split)split, .n_min = 2};
    coh_stream stream = draws();
    assert_ok(coh_tree_grow(grower, &options, &p->sample, &stream, NULL, &tree));
    assert_int_equal(tree.n_nodes, 2 * tree.n_leaves - 1);
    double sums[N] = {0};
    coh_tree_add(&tree, N, D, p->x, sums);
    for (int i = 0; i < N; i++)
      assert_within(sums[i], p->y[i], 1e-12);
    coh_tree_clear(&tree);
  }
  coh_tree_grower_destroy(&grower);
  test_free(p);
}

// leaves hold the mean of their rows, so the values' mean is the targets'
static void leaves_of_many_rows_hold_their_mean(void **state) {
  (void)state;
  problem *p = test_malloc(sizeof *p);
  make(p);
  coh_tree_grower *grower = NULL;
  assert_ok(coh_tree_grower_create(N, D, &grower));
  double mean = 0;
  for (int i = 0; i < N; i++)
    mean += p->y[i] / N;
  for (int split = 0; split < 3; split++) {
    coh_tree tree = {0};
    coh_tree_options options = {.split = (coh_tree_split)split, .n_min = 40};
    coh_stream stream = draws();
    assert_ok(coh_tree_grow(grower, &options, &p->sample, &stream, NULL, &tree));
    assert_true(tree.n_leaves > 10 && tree.n_leaves < N / 2);
    double sums[N] = {0}, found = 0;
    coh_tree_add(&tree, N, D, p->x, sums);
    for (int i = 0; i < N; i++)
      found += sums[i] / N;
    assert_within(found, mean, 1e-9);
    coh_tree_clear(&tree);
  }
  coh_tree_grower_destroy(&grower);
  test_free(p);
}

// two features that say the same score the same: each is the root's as often
static void equal_cuts_are_taken_as_often(void **state) {
  (void)state;
  enum { ROWS = 12, TREES = 20000 };
  float x[2 * ROWS];
  double y[ROWS];
  for (int i = 0; i < ROWS; i++) {
    x[i] = x[ROWS + i] = (float)(i % 2);
    y[i] = i % 2 + 0.01 * i;
  }
  for (int n = 5; n <= ROWS; n += ROWS - 5) { // in registers, and not
    coh_tree_sample sample = {
        .n_rows = n, .n_features = 2, .n_stride = ROWS, .features = x, .targets = y};
    coh_tree_grower *grower = NULL;
    assert_ok(coh_tree_grower_create(n, 2, &grower));
    coh_tree_options options = {.split = COH_SPLIT_EXTRA, .n_min = n};
    coh_tree tree = {0};
    int n_first = 0;
    for (uint32_t t = 0; t < TREES; t++) {
      coh_stream stream = coh_stream_begin(coh_key_make(1, "trees"), t, 0);
      assert_ok(coh_tree_grow(grower, &options, &sample, &stream, NULL, &tree));
      assert_int_equal(tree.n_nodes, 3);
      n_first += coh_tree_feature(&tree, 0) == 0;
    }
    assert_within((double)n_first / TREES, 0.5, 0.015); // four standard deviations
    coh_tree_clear(&tree);
    coh_tree_grower_destroy(&grower);
  }
}

// squared error that a cut of all rows leaves
static double error_of(const problem *p, int feature, float threshold) {
  double sum[2] = {0}, square[2] = {0};
  int n[2] = {0};
  for (int i = 0; i < N; i++) {
    int side = p->x[i * D + feature] >= threshold;
    sum[side] += p->y[i];
    square[side] += p->y[i] * p->y[i];
    n[side]++;
  }
  double error = 0;
  for (int side = 0; side < 2; side++)
    if (n[side]) error += square[side] - sum[side] * sum[side] / n[side];
  return n[0] && n[1] ? error : INFINITY;
}

static void the_best_cut_is_the_best_of_all(void **state) {
  (void)state;
  problem *p = test_malloc(sizeof *p);
  make(p);
  coh_tree_grower *grower = NULL;
  assert_ok(coh_tree_grower_create(N, D, &grower));
  coh_tree tree = {0};
  coh_tree_options options = {.split = COH_SPLIT_BEST, .n_min = N};
  coh_stream stream = draws();
  assert_ok(coh_tree_grow(grower, &options, &p->sample, &stream, NULL, &tree));
  assert_int_equal(tree.n_nodes, 3);
  double best = INFINITY;
  for (int feature = 0; feature < D; feature++)
    for (int i = 0; i < N; i++)
      best = fmin(best, error_of(p, feature, p->x[i * D + feature]));
  double found = error_of(p, (int)coh_tree_feature(&tree, 0), tree.node[0].threshold);
  assert_within(found, best, 1e-6 * best);
  coh_tree_clear(&tree);
  coh_tree_grower_destroy(&grower);
  test_free(p);
}

// one tree, asked in three ways: while it grows, row by row, and arranged rows in groups; few
// features stay in registers there, more are gathered
static void arranged_rows_get_what_walking_gives(void **state) {
  (void)state;
  problem *p = test_malloc(sizeof *p);
  make(p);
  float columns[D * N_ASKED], plain[N_ASKED * D], own_plain[N * D];
  coh_stream random = coh_stream_begin(coh_key_make(9, "ask"), 0, 0);
  for (int d = 1; d <= D; d++) {
    for (int i = 0; i < N_ASKED * d; i++) {
      plain[i] = (float)(coh_stream_uniform(&random) * 130 - 30);
      columns[i % d * N_ASKED + i / d] = plain[i];
    }
    for (int i = 0; i < N * d; i++)
      own_plain[i] = p->columns[i % d * N + i / d];
    p->sample.n_features = d;
    coh_tree_grower *grower = NULL;
    coh_tree_rows rows;
    assert_ok(coh_tree_grower_create(N, d, &grower));
    assert_ok(coh_tree_rows_create(N_ASKED, d, columns, &rows));
    for (int split = 0; split < 3; split++) {
      coh_tree tree = {0};
      coh_tree_options options = {.split = (coh_tree_split)split, .n_min = 2 + split};
      double walked[N_ASKED] = {0}, own[N] = {0}, own_walked[N] = {0};
      double *many = test_calloc((size_t)rows.stride, sizeof *many);
      coh_stream stream = draws();
      assert_ok(coh_tree_grow(grower, &options, &p->sample, &stream, own, &tree));
      coh_tree_rows_add(&tree, &rows, many);
      coh_tree_add(&tree, N_ASKED, d, plain, walked);
      coh_tree_add(&tree, N, d, own_plain, own_walked);
      for (int k = 0; k < N_ASKED; k++)
        assert_memory_equal(&many[k], &walked[rows.row[k]], sizeof *many);
      assert_memory_equal(own, own_walked, sizeof own);
      coh_tree_clear(&tree);
      test_free(many);
    }
    coh_tree_rows_clear(&rows);
    coh_tree_grower_destroy(&grower);
  }
  test_free(p);
}

// rows whose feature is 0, 1, 2, ... and a tree of them
static void grow_line(int n, const double *y, const coh_tree_options *options, coh_tree *tree) {
  float x[64];
  for (int i = 0; i < n; i++)
    x[i] = (float)i;
  coh_tree_sample sample = {
      .n_rows = n, .n_features = 1, .n_stride = n, .features = x, .targets = y};
  coh_tree_grower *grower = NULL;
  assert_ok(coh_tree_grower_create(n, 1, &grower));
  coh_stream stream = draws();
  assert_ok(coh_tree_grow(grower, options, &sample, &stream, NULL, tree));
  coh_tree_grower_destroy(&grower);
}

static void equal_targets_are_one_leaf(void **state) {
  (void)state;
  double y[20];
  for (int i = 0; i < 20; i++)
    y[i] = 0.3;
  const coh_tree_split looks_at_targets[] = {COH_SPLIT_EXTRA, COH_SPLIT_BEST};
  for (int k = 0; k < 2; k++) {
    coh_tree tree = {0};
    grow_line(20, y, &(coh_tree_options){.split = looks_at_targets[k], .n_min = 2}, &tree);
    assert_int_equal(tree.n_nodes, 1);
    assert_within(tree.value[0], 0.3, 1e-15);
    coh_tree_clear(&tree);
  }
}

// a step at 12.5 and nothing else: the cut, and the leaves' values, are known
static void a_step_is_cut_where_it_is(void **state) {
  (void)state;
  double y[32];
  for (int i = 0; i < 32; i++)
    y[i] = 1e6 + (i < 13 ? -0.25 : 0.5);
  coh_tree tree = {0};
  grow_line(32, y, &(coh_tree_options){.split = COH_SPLIT_BEST, .n_min = 2}, &tree);
  assert_int_equal(tree.n_nodes, 3);
  assert_within(tree.node[0].threshold, 12.5, 0);
  assert_within(tree.value[coh_tree_left(&tree, 0)], 1e6 - 0.25, 1e-9);
  assert_within(tree.value[coh_tree_left(&tree, 0) + 1], 1e6 + 0.5, 1e-9);
  coh_tree_clear(&tree);
}

// a node of fewer than n_min rows is a leaf, one of n_min is cut
static void n_min_rows_are_cut(void **state) {
  (void)state;
  double y[10];
  for (int i = 0; i < 10; i++)
    y[i] = i;
  for (int split = 0; split < 3; split++) {
    coh_tree tree = {0};
    grow_line(10, y, &(coh_tree_options){.split = (coh_tree_split)split, .n_min = 11}, &tree);
    assert_int_equal(tree.n_nodes, 1);
    assert_within(tree.value[0], 4.5, 1e-12);
    grow_line(10, y, &(coh_tree_options){.split = (coh_tree_split)split, .n_min = 10}, &tree);
    assert_true(tree.n_nodes >= 3);
    coh_tree_clear(&tree);
  }
}

// rows that no feature tells apart share a leaf and its mean
static void duplicates_share_a_leaf(void **state) {
  (void)state;
  const float x[] = {1, 1, 1, 2, 2, 2};
  const double y[] = {1, 2, 6, 10, 20, 60};
  coh_tree_sample sample = {
      .n_rows = 6, .n_features = 1, .n_stride = 6, .features = x, .targets = y};
  coh_tree_grower *grower = NULL;
  assert_ok(coh_tree_grower_create(6, 1, &grower));
  for (int split = 0; split < 3; split++) {
    coh_tree tree = {0};
    coh_tree_options options = {.split = (coh_tree_split)split, .n_min = 2};
    coh_stream stream = draws();
    double sums[6] = {0};
    assert_ok(coh_tree_grow(grower, &options, &sample, &stream, NULL, &tree));
    assert_int_equal(tree.n_leaves, 2);
    coh_tree_add(&tree, 6, 1, x, sums);
    for (int i = 0; i < 6; i++)
      assert_within(sums[i], i < 3 ? 3 : 30, 1e-12);
    coh_tree_clear(&tree);
  }
  coh_tree_grower_destroy(&grower);
}

// with one candidate every varying feature is taken about as often, whatever it explains; with
// all of them the one that explains everything is taken whenever its cut falls well
static void one_candidate_is_any_feature(void **state) {
  (void)state;
  enum { ROWS = 16, TREES = 600 };
  float x[3 * ROWS];
  double y[ROWS];
  for (int i = 0; i < ROWS; i++) {
    x[i] = (float)i, x[ROWS + i] = (float)(i * 7 % ROWS), x[2 * ROWS + i] = 4;
    y[i] = i;
  }
  coh_tree_sample sample = {
      .n_rows = ROWS, .n_features = 3, .n_stride = ROWS, .features = x, .targets = y};
  coh_tree_grower *grower = NULL;
  assert_ok(coh_tree_grower_create(ROWS, 3, &grower));
  for (int64_t most = 0; most < 2; most++) {
    int taken[3] = {0};
    for (uint32_t t = 0; t < TREES; t++) {
      coh_tree tree = {0};
      coh_tree_options options = {
          .split = COH_SPLIT_EXTRA, .n_candidates = most, .n_min = ROWS};
      coh_stream stream = coh_stream_begin(coh_key_make(1, "trees"), t, 0);
      assert_ok(coh_tree_grow(grower, &options, &sample, &stream, NULL, &tree));
      taken[coh_tree_feature(&tree, 0)]++;
      coh_tree_clear(&tree);
    }
    assert_int_equal(taken[2], 0); // it does not vary
    if (most == 1)
      assert_true(taken[0] > TREES * 0.43 && taken[1] > TREES * 0.43); // 3.5 deviations
    else
      assert_true(taken[0] > TREES * 0.75);
  }
  coh_tree_grower_destroy(&grower);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trees_grown_to_the_end_return_every_target),
      cmocka_unit_test(leaves_of_many_rows_hold_their_mean),
      cmocka_unit_test(equal_cuts_are_taken_as_often),
      cmocka_unit_test(the_best_cut_is_the_best_of_all),
      cmocka_unit_test(arranged_rows_get_what_walking_gives),
      cmocka_unit_test(equal_targets_are_one_leaf),
      cmocka_unit_test(a_step_is_cut_where_it_is),
      cmocka_unit_test(n_min_rows_are_cut),
      cmocka_unit_test(duplicates_share_a_leaf),
      cmocka_unit_test(one_candidate_is_any_feature),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return failed || coh_alloc_live() != 0;
}
